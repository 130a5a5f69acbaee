using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Drills;
using BotCore.Backup.Engine.Verification;

namespace BotCore.Backup.Engine.Reports;

/// <summary>As what a report is written.</summary>
public enum ReportForm
{
    /// <summary>By the file's ending: .md, .html, .json; text for any other.</summary>
    Unknown = 0,

    /// <summary>Lines for a terminal and for mail.</summary>
    Text,

    /// <summary>GitHub's Markdown.</summary>
    Markdown,

    /// <summary>One page that needs nothing else.</summary>
    Html,

    /// <summary>For programs.</summary>
    Json,

    /// <summary>The short status of the day, appended to what is in the file.</summary>
    Daily,
}

/// <summary>What a report is about, and what it takes for good. Immutable.</summary>
public sealed record ReportRequest
{
    /// <summary>Full path of the file to write; one that is there is replaced.</summary>
    public required string Path { get; init; }

    /// <summary>As what.</summary>
    public ReportForm Form { get; init; }

    /// <summary>Stores to report on whole; not looked at where backups or verifications are given.</summary>
    public IReadOnlyList<string> Stores { get; init; } = [];

    /// <summary>Components to report on; all where none is named.</summary>
    public IReadOnlyList<Component> Components { get; init; } = [];

    /// <summary>Backups to report on; null for whole stores.</summary>
    public IReadOnlyList<BotBackup>? Backups { get; init; }

    /// <summary>What tests found, just now: goes before what is recorded.</summary>
    public IReadOnlyList<BotBackupVerification> Verifications { get; init; } = [];

    /// <summary>Drills to report on; then the report is of them, and of no backups.</summary>
    public IReadOnlyList<BotBackupDrill> Drills { get; init; } = [];

    /// <summary>How old the newest good backup of the database, the configuration and the volumes may be.</summary>
    public TimeSpan MaximumAge { get; init; } = TimeSpan.FromHours(25);

    /// <summary>How long ago a backup may have been proven before that is a warning.</summary>
    public TimeSpan MaximumProofAge { get; init; } = TimeSpan.FromDays(35);

    /// <summary>Bytes that should be free in a store that knows.</summary>
    public long MinimumFreeSpace { get; init; } = 10L << 30;

    /// <summary>Whether whole stores are reported on: then what is missing is reported, too.</summary>
    internal bool IsWhole => Backups is null && Verifications.Count == 0;
}
