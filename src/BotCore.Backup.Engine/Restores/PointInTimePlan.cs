using System.Globalization;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components.MongoDb.Replay;

namespace BotCore.Backup.Engine.Restores;

/// <summary>What a restore to a moment would read and apply; all of its oplog was read and proven for this plan. Immutable.</summary>
public sealed record PointInTimePlan
{
    /// <summary>The full backup that it begins with.</summary>
    public required BotBackup Base { get; init; }

    /// <summary>The increments that follow, in order; none where the full backup's own oplog ends there.</summary>
    public required IReadOnlyList<BotBackup> Slices { get; init; }

    /// <summary>The last entry that is applied, <c>seconds:ordinal</c>; where none follows the full backup, the entry that was asked for, and of a time the full backup's last one.</summary>
    public required string UpTo { get; init; }

    /// <summary>Length of all archives.</summary>
    public required ByteSize Bytes { get; init; }

    /// <summary>Entries of the oplog up to that moment by kind; operations inside of transactions are counted beside the entry that holds them.</summary>
    public required IReadOnlyDictionary<OplogKind, long> Entries { get; init; }

    /// <summary>Entries that cannot be replayed, and are left out with the namespaces that are not restored. One that mattered would have failed the plan.</summary>
    public required IReadOnlyList<ReplayObstacle> Obstacles { get; init; }

    /// <summary>How long it may take on a machine such as those in docs/performance.md.</summary>
    public required TimeSpan Estimated { get; init; }

    /// <summary>For people: the chain, what is read and applied, and how long it takes.</summary>
    public override string ToString()
    {
        var slices = Slices.Count switch { 0 => "alone", 1 => "with 1 increment", var count => string.Create(CultureInfo.InvariantCulture, $"with {count:N0} increments") };
        var entries = Entries.Where(kind => kind.Value > 0).OrderBy(kind => kind.Key).Select(kind => string.Create(CultureInfo.InvariantCulture, $"{kind.Value:N0} {kind.Key}")).ToList();
        var applied = entries.Count == 0 ? "no oplog entries" : $"oplog entries: {string.Join(", ", entries)}";
        var left = Obstacles.Count == 0 ? "" : $"; cannot be replayed, and is left out with its namespace: {string.Join(", ", Obstacles.Select(Describe))}";
        return $"{Base.Key} {slices}, {Bytes} to read, up to {UpTo}; {applied}{left}; about {Duration(Estimated)}";
    }

    internal static string Describe(ReplayObstacle obstacle) =>
        $"'{obstacle.Command}' on {obstacle.Namespace} at {obstacle.Timestamp}, last good moment before it {obstacle.LastGood?.ToString() ?? "none"}";

    private static string Duration(TimeSpan time)
    {
        if (time <= TimeSpan.FromSeconds(1))
            return "a second";
        return time < TimeSpan.FromMinutes(2)
            ? string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(time.TotalSeconds):0} seconds")
            : string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(time.TotalMinutes):N0} minutes");
    }
}
