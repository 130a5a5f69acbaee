using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;

namespace BotCore.Backup.Engine.Reports;

/// <summary>What a report says of one archive. Immutable.</summary>
public sealed record ReportedArchive
{
    /// <summary>Good, to be seen to, damaged, or never proven.</summary>
    public required ReportStatus Status { get; init; }

    /// <summary>The store's word; empty where what was tested could not be taken for a backup.</summary>
    public required string Store { get; init; }

    /// <summary>Its key in the store, or the path that was tested.</summary>
    public required string Key { get; init; }

    /// <summary>The backup's id; empty where it could not be read.</summary>
    public string Id { get; init; } = "";

    /// <summary>What is in it.</summary>
    public Component Component { get; init; }

    /// <summary>Which one of its component.</summary>
    public string Name { get; init; } = "";

    /// <summary>Full, incremental or snapshot.</summary>
    public BackupType Type { get; init; }

    /// <summary>The moment it stands for, UTC; null where its name does not say.</summary>
    public DateTimeOffset? Taken { get; init; }

    /// <summary>Length of the archive.</summary>
    public ByteSize Size { get; init; }

    /// <summary>How it was last proven, and when; what is wrong with it.</summary>
    public required string Text { get; init; }
}

/// <summary>One question of a report that is not about one archive: how fresh, how full. Immutable.</summary>
/// <param name="Status">Its answer.</param>
/// <param name="Subject">What it is about.</param>
/// <param name="Text">The answer in words.</param>
public sealed record ReportedCheck(ReportStatus Status, string Subject, string Text);

/// <summary>Archives of a report by how they stand; every archive is in exactly one.</summary>
/// <param name="Archives">All of them.</param>
/// <param name="Ok">Good.</param>
/// <param name="Warnings">Good, with something to see to.</param>
/// <param name="Failed">Damaged, or not readable.</param>
/// <param name="Unknown">Never proven.</param>
/// <param name="Size">Bytes of all.</param>
public sealed record ReportTotals(int Archives, int Ok, int Warnings, int Failed, int Unknown, ByteSize Size);

/// <summary>The state of what is kept, at one moment. Immutable.</summary>
public sealed record BotBackupReport
{
    /// <summary>When it was made, UTC.</summary>
    public required DateTimeOffset Made { get; init; }

    /// <summary>The machine that made it.</summary>
    public required string Host { get; init; }

    /// <summary>The program that made it, with its version.</summary>
    public required string Tool { get; init; }

    /// <summary>Which archives it is about.</summary>
    public required string Scope { get; init; }

    /// <summary>Where the archives are: each store's word and place.</summary>
    public required IReadOnlyList<string> Stores { get; init; }

    /// <summary>Every archive, by component, name and time.</summary>
    public required IReadOnlyList<ReportedArchive> Archives { get; init; }

    /// <summary>How old the newest good backup of each thing is.</summary>
    public required IReadOnlyList<ReportedCheck> Freshness { get; init; }

    /// <summary>What of the databases can be restored to which moments, and the gaps.</summary>
    public required IReadOnlyList<BotRecoveryWindow> Windows { get; init; }

    /// <summary>How full each store is, and whether it answered.</summary>
    public required IReadOnlyList<ReportedCheck> Space { get; init; }

    /// <summary>Archives by how they stand.</summary>
    public ReportTotals Totals => new(
        Archives.Count,
        Count(ReportStatus.Ok),
        Count(ReportStatus.Warning),
        Count(ReportStatus.Failed),
        Count(ReportStatus.Unknown),
        Archives.Sum(archive => archive.Size.Bytes));

    /// <summary>Failed where anything is failed or unknown, or where there is no archive at all; Ok only where everything is.</summary>
    public ReportStatus Overall
    {
        get
        {
            var all = Archives.Select(archive => archive.Status).Concat(Freshness.Concat(Space).Select(check => check.Status)).ToHashSet();
            return Archives.Count == 0 || all.Contains(ReportStatus.Failed) || all.Contains(ReportStatus.Unknown) ? ReportStatus.Failed
                : all.Contains(ReportStatus.Warning) ? ReportStatus.Warning
                : ReportStatus.Ok;
        }
    }

    /// <summary>What the overall status rests on, in a sentence.</summary>
    public string Verdict
    {
        get
        {
            if (Archives.Count == 0)
                return "There is no backup.";
            var checks = Freshness.Concat(Space).ToList();
            var parts = new[]
            {
                Part(Count(ReportStatus.Failed), "archive is damaged or cannot be read", "archives are damaged or cannot be read"),
                Part(Count(ReportStatus.Unknown), "archive was never proven", "archives were never proven"),
                Part(checks.Count(check => check.Status is ReportStatus.Failed or ReportStatus.Unknown), "check failed", "checks failed"),
                Part(Count(ReportStatus.Warning) + checks.Count(check => check.Status == ReportStatus.Warning), "warning", "warnings"),
            }.OfType<string>().ToList();
            return parts.Count == 0 ? "Every archive is proven, every check is good." : string.Join(", ", parts) + ".";
        }
    }

    /// <summary>For people.</summary>
    public override string ToString() => $"{Overall}: {Verdict}";

    private int Count(ReportStatus status) => Archives.Count(archive => archive.Status == status);

    private static string? Part(int count, string one, string many) =>
        count == 0 ? null : count.ToString(System.Globalization.CultureInfo.InvariantCulture) + " " + (count == 1 ? one : many);
}
