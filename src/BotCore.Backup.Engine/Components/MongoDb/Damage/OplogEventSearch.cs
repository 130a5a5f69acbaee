using System.Globalization;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Damage;

/// <summary>
/// One search for events: every history of the store, then the live oplog, which goes on where the history ends whose last entry it holds. A damaged archive is told, left out,
/// and counts as a gap. One thread.
/// </summary>
internal sealed class OplogEventSearch
{
    private readonly BackupSession _session;
    private readonly OplogEventRequest _request;
    private readonly Action<BackupEvent> _tell;
    private readonly CancellationToken _token;
    private readonly OplogEventQuery _query;
    private readonly HashSet<string> _damaged = new(StringComparer.Ordinal);
    private readonly HashSet<string> _warned = new(StringComparer.Ordinal);
    private long _read;

    public OplogEventSearch(BackupSession session, OplogEventRequest request, Action<BackupEvent> tell, CancellationToken token)
    {
        (_session, _request, _tell, _token) = (session, request, tell, token);
        if (request.Kinds.Contains(OplogEventKind.Unknown))
            throw new BackupException(FailureKind.ConfigurationInvalid, "Unknown is no kind of event.", "Give Drop, MassDelete, MassUpdate or Schema.", OplogEventKind.Unknown);
        _query = new OplogEventQuery { Wanted = new NamespaceFilter(request.Collections, []), MinimumCount = request.MinimumCount, SpillFolder = session.SpillFolder };
        if (request.Kinds.Count > 0)
            _query = _query with { Kinds = request.Kinds.ToHashSet() };
    }

    public void Run()
    {
        using var progress = new RunProgress("Looking for events", 0, _tell);
        var chains = OplogChains.Load(_session.StoreNamed(_request.Store ?? _session.Local.Name), _token, wrong => _tell(new Failed(wrong)));
        var target = _request.Live ? MongoTarget.Of(_session.Configuration) : null;
        using var connected = Told(() => target is null ? null : new LiveOplog(target, _token));
        OplogTimeline? joined = null;
        var answers = connected is not null && Told(() =>
        {
            connected.DemandOplog();
            joined = chains.Timelines.OrderByDescending(timeline => OplogTimeline.EndOf(TipOf(timeline))).FirstOrDefault(timeline => connected.Holds(TipOf(timeline)));
            return true;
        });
        var live = answers ? connected : null;
        foreach (var timeline in chains.Timelines.Where(timeline => timeline != joined))
            Show(Search(timeline, live: null, progress));
        if (joined is not null)
            Show(Search(joined, live, progress));
        else if (live is not null)
            Show(SearchLive(live, target!));
    }

    // What the store has is worth telling also where the server does not answer, or refuses.
    private T? Told<T>(Func<T?> ask)
    {
        try
        {
            return ask();
        }
        catch (BackupException wrong)
        {
            _tell(new Failed(wrong.Failure));
            return default;
        }
    }

    private static BotBackup TipOf(OplogTimeline timeline) => timeline.Fulls.Concat(timeline.Slices).MaxBy(OplogTimeline.EndOf)!;

    private List<BotOplogEvent> SearchLive(LiveOplog live, MongoTarget target)
    {
        var query = target.Database is { } database ? _query with { Wanted = _query.Wanted.Within(database) } : _query;
        using var ribbon = new OplogRibbon(query, timeline: null, [], Warn);
        _ = Told(() =>
        {
            live.Read(new BsonTimestamp(1, 0), entry => ribbon.Add(entry, location: null));
            return true;
        });
        ribbon.Complete();
        return ribbon.Found;
    }

    private List<BotOplogEvent> Search(OplogTimeline timeline, LiveOplog? live, RunProgress progress)
    {
        while (true)
        {
            var parts = Parts(timeline);
            // An event that is seen only from its middle on would name a moment that is not before it.
            for (var from = FirstWanted(parts); parts.Count == 0 || from >= 0; from--)
            {
                using var ribbon = new OplogRibbon(timeline.Database is { } database ? _query with { Wanted = _query.Wanted.Within(database) } : _query, timeline.Id, Marks(timeline), Warn);
                if (!Read(ribbon, parts, from, live, progress))
                    break;
                if (from > 0 && ribbon.Found.Concat(ribbon.Cut).Any(found => IsAsked(found) && ribbon.MayHaveBegunBefore(found)))
                    continue;
                if (from > 0 && ribbon.Headless.Count > 0)
                    continue;
                ribbon.WarnOfHeadless();
                return ribbon.Found;
            }
        }
    }

    // False where an archive turned out to be damaged: all that came of it is void.
    private bool Read(OplogRibbon ribbon, List<BotBackup> parts, int from, LiveOplog? live, RunProgress progress)
    {
        foreach (var part in parts.Skip(from))
        {
            if (_request.Before is { } before && OplogTimeline.StartOf(part).Time >= before && !(ribbon.OldestRun?.Time < before))
            {
                live = null;
                break;
            }

            try
            {
                ribbon.Begin(part);
                var done = _read;
                new SealedDump(part, _session.Keys, _session.Threads).Prove(
                    new OplogEntries(entry => ribbon.Add(entry, part.Location)), OplogEntries.NoCollection, moved => progress.Move(_read = done + moved, () => part.Key), _token);
                ribbon.End(part);
            }
            catch (BackupException damage) when (damage.Failure.Kind is not (FailureKind.PassphraseMissing or FailureKind.PassphraseTooOpen))
            {
                _tell(new Failed(damage.Failure));
                _damaged.Add(part.Id);
                return false;
            }
        }

        if (live is not null)
            ReadLive(ribbon, live);
        ribbon.Complete();
        return true;
    }

    private void ReadLive(OplogRibbon ribbon, LiveOplog live)
    {
        ribbon.BeginLive();
        _ = Told(() =>
        {
            live.Read(ribbon.Covered, entry => ribbon.Add(entry, location: null));
            return true;
        });
    }

    // What is read again, from an earlier archive on, has the same gaps.
    private void Warn(string text)
    {
        if (_warned.Add(text))
            _tell(new Warned(text));
    }

    // Archives in order, without those whose span others hold already.
    private List<BotBackup> Parts(OplogTimeline timeline)
    {
        var parts = new List<BotBackup>();
        BsonTimestamp covered = default;
        foreach (var part in timeline.Fulls.Concat(timeline.Slices).Where(part => !_damaged.Contains(part.Id)).OrderBy(OplogTimeline.StartOf).ThenByDescending(OplogTimeline.EndOf))
        {
            if (OplogTimeline.EndOf(part) <= covered)
                continue;
            parts.Add(part);
            covered = OplogTimeline.EndOf(part);
        }

        return parts;
    }

    private static BsonTimestamp[] Marks(OplogTimeline timeline) =>
        [.. timeline.Fulls.Concat(timeline.Slices).SelectMany(part => new[] { OplogTimeline.StartOf(part), OplogTimeline.EndOf(part) }).Distinct().Order()];

    private int FirstWanted(List<BotBackup> parts) =>
        _request.Since is { } since && parts.FindIndex(part => OplogTimeline.EndOf(part).Time >= DateTimeOffset.FromUnixTimeSeconds(since.ToUnixTimeSeconds())) is var first
            ? first >= 0 ? first : Math.Max(0, parts.Count - 1)
            : 0;

    private bool IsAsked(BotOplogEvent found) =>
        (_request.Since is not { } since || OplogEventFinder.Parse(found.Last).Seconds >= since.ToUnixTimeSeconds()) && (_request.Before is not { } before || found.Time < before);

    private void Show(IEnumerable<BotOplogEvent> found)
    {
        var shown = 0;
        foreach (var one in found.Where(IsAsked))
        {
            _tell(new Made(one));
            shown++;
        }

        _tell(new Said(string.Create(CultureInfo.InvariantCulture, $"{shown:N0} events were found.")));
    }
}
