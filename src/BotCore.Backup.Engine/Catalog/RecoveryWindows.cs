using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Catalog;

/// <summary>What of a store's databases can be restored to which moments, and where the gaps are. Reads manifests and notes of gaps, and no archive.</summary>
public static class RecoveryWindows
{
    /// <summary>All windows of <paramref name="store"/> as <see cref="Made"/>, by time, then what is wrong there as <see cref="Failed"/>.</summary>
    public static IEnumerable<BackupEvent> List(IStore store, CancellationToken token)
    {
        var failures = new List<BackupEvent>();
        var chains = OplogChains.Load(store, token, failure => failures.Add(new Failed(failure)));
        return Of(chains, store.Name).Select(window => (BackupEvent)new Made(window)).Concat(failures);
    }

    internal static IReadOnlyList<BotRecoveryWindow> Of(OplogChains chains, string store) =>
    [
        .. chains.Timelines.GroupBy(timeline => timeline.Database, StringComparer.Ordinal).SelectMany(database => OfDatabase(chains, store, database.Key, [.. database]))
            .OrderBy(window => At(window.FromEntry)).ThenBy(window => At(window.ToEntry)).ThenBy(window => window.Database, StringComparer.Ordinal),
    ];

    private static IEnumerable<BotRecoveryWindow> OfDatabase(OplogChains chains, string store, string? database, IReadOnlyList<OplogTimeline> timelines)
    {
        (OplogTimeline Timeline, BsonTimestamp To)? last = null;
        foreach (var (timeline, reach) in timelines.SelectMany(one => one.Reaches().Select(reach => (one, reach))).OrderBy(one => one.reach.From))
        {
            if (last is { } before && before.To < reach.From)
                yield return Gap(store, database, before.Timeline.Id, before.To, reach.From, OplogDeadEnd.Reason(chains, before.Timeline, before.To, timeline, reach.From));
            yield return new BotRecoveryWindow
            {
                Store = store,
                Database = database ?? "*",
                State = RecoveryState.Restorable,
                FromEntry = reach.From.ToString(),
                ToEntry = reach.To.ToString(),
                Bases = reach.Bases,
                Slices = timeline.CountSlices(reach),
                Timeline = timeline.Id,
            };
            if (last is null || last.Value.To < reach.To)
                last = (timeline, reach.To);
        }

        // Noticed, and nothing was made since.
        if (last is { } end && chains.GapAfter(end.To, end.Timeline.Id) is { } open)
        {
            var until = open.To is { } to ? At(to) : new BsonTimestamp((uint)open.Noticed.ToUnixTimeSeconds(), 1);
            yield return Gap(store, database, end.Timeline.Id, end.To, until, PointText.Of(open.Reason));
        }
    }

    private static BotRecoveryWindow Gap(string store, string? database, string timeline, BsonTimestamp from, BsonTimestamp to, string reason) => new()
    {
        Store = store,
        Database = database ?? "*",
        State = RecoveryState.Gap,
        FromEntry = from.ToString(),
        ToEntry = to.ToString(),
        Reason = reason,
        Timeline = timeline,
    };

    private static BsonTimestamp At(string text) => BsonTimestamp.TryParse(text, out var at) ? at : default;
}
