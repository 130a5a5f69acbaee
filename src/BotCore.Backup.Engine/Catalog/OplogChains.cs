using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Catalog;

/// <summary>The chains of database backups in a store, from manifests alone, and what the store notes of gaps between them. Immutable.</summary>
internal sealed class OplogChains
{
    private OplogChains(IReadOnlyList<OplogTimeline> timelines, IReadOnlyList<OplogGapRecord> gaps, IReadOnlyList<Failure>? unreadable = null) =>
        (Timelines, Gaps, Unreadable) = (timelines, gaps, unreadable ?? []);

    /// <summary>Every history of every server that the store has something of, by the time of its first backup.</summary>
    public IReadOnlyList<OplogTimeline> Timelines { get; }

    /// <summary>Gaps that were noticed when they came about, by their beginning.</summary>
    public IReadOnlyList<OplogGapRecord> Gaps { get; }

    /// <summary>Why some manifests could not be read: what they stand for may be missing above.</summary>
    public IReadOnlyList<Failure> Unreadable { get; }

    /// <summary>The chains among <paramref name="backups"/>; what has no oplog, and snapshots, are in none.</summary>
    public static OplogChains Of(IEnumerable<BotBackup> backups, IReadOnlyList<OplogGapRecord>? gaps = null) => new(
    [
        .. backups.Where(backup => backup is { Component: Component.MongoDb, Type: BackupType.Full or BackupType.Incremental, Timeline: not null })
            .GroupBy(backup => (Timeline: backup.Timeline!, backup.Manifest!.MongoDb!.Database))
            .Select(group => new OplogTimeline(group.Key.Timeline, group.Key.Database, group))
            .OrderBy(timeline => timeline.Begin).ThenBy(timeline => timeline.Id, StringComparer.Ordinal).ThenBy(timeline => timeline.Database, StringComparer.Ordinal),
    ], gaps ?? []);

    /// <summary>The chains in <paramref name="store"/>. What cannot be read there is told through <paramref name="failed"/>.</summary>
    public static OplogChains Load(IStore store, CancellationToken token, Action<Failure>? failed = null)
    {
        var listed = BackupCatalog.List(store, token).ToList();
        foreach (var wrong in listed.OfType<Failed>())
            failed?.Invoke(wrong.Failure);
        return Of(listed.OfType<Made>().Select(made => (BotBackup)made.Item), OplogGapRecord.ReadAll(store, failed ?? (_ => { }), token));
    }

    /// <summary>The same, and what could not be read.</summary>
    public OplogChains With(IReadOnlyList<Failure> unreadable) => new(Timelines, Gaps, unreadable);

    /// <summary>The chain that brings a database to <paramref name="at"/>: from the newest full backup before it.</summary>
    /// <param name="at">The last entry that is wanted.</param>
    /// <param name="timeline">The history that is meant; null where there is only one that has that moment.</param>
    /// <exception cref="BackupException">BackupNotFound: before the first or after the last moment that can be reached. ChainBroken: a link is missing there, or two histories hold that moment.</exception>
    public RestoreChain Find(BsonTimestamp at, string? timeline = null)
    {
        var asked = Timelines.Where(one => timeline is null || string.Equals(one.Id, timeline, StringComparison.Ordinal)).ToList();
        var found = asked.Select(one => one.Find(at)).OfType<RestoreChain>().ToList();
        return found switch
        {
            [var only] => only,
            [] => throw OplogDeadEnd.Of(this, asked, at),
            _ => throw new BackupException(
                FailureKind.ChainBroken,
                $"{found.Count} histories hold {PointText.Of(at)}: those of {string.Join(" and ", found.Select(chain => chain.Base.Location))}.",
                "Choose one: pipe one of these backups into Restore-BotBackup -PointInTime.",
                at.ToString()),
        };
    }

    /// <summary>The chain to the end of <paramref name="increment"/> from the newest full backup that leads there through it; null where none does.</summary>
    public RestoreChain? Through(BotBackup increment) => Timelines
        .Where(one => string.Equals(one.Id, increment.Timeline, StringComparison.Ordinal) && string.Equals(one.Database, increment.Manifest?.MongoDb?.Database, StringComparison.Ordinal))
        .Select(one => one.Through(increment)).FirstOrDefault(chain => chain is not null);

    /// <summary>What a store notes of the gap that begins after <paramref name="last"/>; null where it notes nothing.</summary>
    public OplogGapRecord? GapAfter(BsonTimestamp last, string? timeline = null) => Gaps.FirstOrDefault(gap =>
        BsonTimestamp.TryParse(gap.From, out var from) && from == last && (timeline is null || string.Equals(gap.Timeline, timeline, StringComparison.Ordinal)));
}
