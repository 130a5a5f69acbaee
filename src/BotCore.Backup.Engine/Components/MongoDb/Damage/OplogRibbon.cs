using System.Globalization;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Damage;

/// <summary>
/// One history as a single run of entries: what two archives share is taken once, a gap between two is warned of and ends what was going on, and for each entry the one
/// before it is known, from the manifests where a slice of one database does not keep it. One thread.
/// </summary>
/// <param name="query">What is looked for.</param>
/// <param name="timeline">The history; null for the live oplog alone.</param>
/// <param name="marks">Entries that manifests name, in order: they were in the server's oplog, whether a slice keeps them or not.</param>
/// <param name="warn">Gets the warnings.</param>
internal sealed class OplogRibbon(OplogEventQuery query, string? timeline, BsonTimestamp[] marks, Action<string> warn) : IDisposable
{
    private OplogEventFinder _finder = new(query);
    private BsonTimestamp? _begin;
    private BsonTimestamp? _first;
    private BsonTimestamp? _previous;
    private BotBackup? _part;
    private bool _isLive;
    private string? _timeline = timeline;

    /// <summary>What was found, after <see cref="Complete"/>.</summary>
    public List<BotOplogEvent> Found { get; } = [];

    /// <summary>What may be an event, or the end of one, with what comes before it.</summary>
    public List<BotOplogEvent> Cut { get; } = [];

    /// <summary>Transactions that were committed, and began before what was read.</summary>
    public List<BsonTimestamp> Headless { get; } = [];

    /// <summary>The last moment up to which everything was read.</summary>
    public BsonTimestamp Covered { get; private set; }

    public BsonTimestamp? OldestRun => _finder.OldestRun;

    /// <summary>An archive comes.</summary>
    public void Begin(BotBackup part)
    {
        var start = OplogTimeline.StartOf(part);
        if (_begin is not null && start > Covered)
            Break($"The store has nothing of the oplog between {Covered} ({Covered.Time:u}) and {start} ({start.Time:u}): events in there are not found.");
        else if (_part is not null && start == Covered && part.Oplog!.StartSha256 is not null && !OplogTimeline.Follows(part, _part))
            Break($"{part.Key} does not begin with the entry that {_part.Key} ends with, though both have it at {start}: one of them is not of this history, and events between them are not found.");
        if (_begin is null)
            (_begin, Covered) = (start, default);
        _part = part;
    }

    /// <summary>It ended.</summary>
    public void End(BotBackup part) => Covered = OplogTimeline.EndOf(part);

    /// <summary>What comes now is the live oplog, from <see cref="Covered"/> on.</summary>
    public void BeginLive() => _isLive = true;

    public void Add(ReadOnlySpan<byte> raw, string? location)
    {
        var at = RawBson.TryFind(raw, "ts"u8, out var ts) && ts.Type == BsonType.Timestamp ? ts.AsTimestamp() : throw Replay.OplogEntry.Corrupt("An oplog entry has no time stamp.");
        if (_isLive && _timeline is not null)
        {
            if (at > Covered)
            {
                // What comes now hangs together with nothing that is stored.
                _timeline = null;
                Break($"The server's oplog begins at {at} ({at.Time:u}) by now, and the store ends at {Covered}: events in between are not found.");
            }

            _isLive = false;
        }

        _begin ??= at;
        if (at <= Covered || at <= _previous)
            return;
        _finder.Add(raw, Before(at), _timeline, location);
        _previous = at;
    }

    /// <summary>Nothing more comes.</summary>
    public void Complete()
    {
        Take();
        Found.Sort((left, right) => OplogEventFinder.Parse(left.First).CompareTo(OplogEventFinder.Parse(right.First)));
    }

    /// <summary>Whether an event may have begun before what was read.</summary>
    public bool MayHaveBegunBefore(BotOplogEvent found)
    {
        var reach = found.Command is "dropDatabase" ? OplogEventFinder.MostDropDatabasePause : OplogEventFinder.MostPause;
        return _first is { } first && OplogEventFinder.Parse(found.First).Seconds - first.Seconds <= reach;
    }

    public void WarnOfHeadless()
    {
        if (Headless is [var first, ..])
            warn(string.Create(CultureInfo.InvariantCulture, $"{Headless.Count:N0} transactions, the first committed at {first}, began before what the store has: what they did is not known."));
    }

    public void Dispose() => _finder.Dispose();

    private BsonTimestamp? Before(BsonTimestamp at)
    {
        _first ??= at;
        var next = Array.BinarySearch(marks, at) is var found && found >= 0 ? found : ~found;
        var mark = next > 0 && marks[next - 1] >= _begin ? marks[next - 1] : (BsonTimestamp?)null;
        return mark is null || mark < _previous ? _previous : mark;
    }

    private void Break(string why)
    {
        warn(why);
        Take();
        _finder.Dispose();
        _finder = new OplogEventFinder(query);
        (_begin, _previous, Covered) = (null, null, default);
    }

    private void Take()
    {
        _finder.Complete();
        Found.AddRange(_finder.Found);
        Cut.AddRange(_finder.Cut);
        Headless.AddRange(_finder.Headless);
    }
}
