using System.Text;
using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Damage;

/// <summary>What is looked for.</summary>
internal sealed record OplogEventQuery
{
    /// <summary>Whose events.</summary>
    public NamespaceFilter Wanted { get; init; } = NamespaceFilter.Everything;

    /// <summary>Which kinds.</summary>
    public IReadOnlySet<OplogEventKind> Kinds { get; init; } = new HashSet<OplogEventKind>([OplogEventKind.Drop, OplogEventKind.MassDelete, OplogEventKind.MassUpdate, OplogEventKind.Schema]);

    /// <summary>Documents that make a mass of deletes or updates.</summary>
    public long MinimumCount { get; init; } = 100;

    /// <summary>Where transactions wait that do not fit into memory.</summary>
    public required string SpillFolder { get; init; }
}

/// <summary>
/// Finds events in an oplog whose entries come in their order, without a gap. Operations of a committed transaction count at its commit. A run of deletes or updates of one
/// collection ends where it pauses for more than a second of the oplog's time, or its collection goes; what else happens in between does not end it. Retryable
/// single statements are a run of their own beside those of deleteMany and updateMany, which no driver can retry: good writes go on while damage is done.
/// Memory: 36 bytes a document of the runs that are open, up to <see cref="MostKeys"/> documents in all; then the largest run is estimated instead. One thread.
/// </summary>
internal sealed class OplogEventFinder : IDisposable
{
    /// <summary>Ids kept over all runs: 72 MiB.</summary>
    public const int MostKeys = 2_000_000;

    /// <summary>Seconds that a run may pause.</summary>
    public const uint MostPause = 1;

    /// <summary>Seconds between the last drop of a dropDatabase and its own entry, for which the server waits for a majority.</summary>
    public const uint MostDropDatabasePause = 60;

    private readonly OplogEventQuery _query;
    private readonly Dictionary<(OplogEventKind Kind, string Namespace, bool IsRetryable), OplogRun> _runs = [];
    private readonly Dictionary<string, List<BotOplogEvent>> _drops = new(StringComparer.Ordinal);
    private readonly List<BotOplogEvent> _found = [];
    private readonly List<BotOplogEvent> _cut = [];
    private readonly OperationWalk _walk;
    private OplogPlace _place;
    private BsonTimestamp? _first;
    private BsonTimestamp _last;
    private string _name = "";
    private byte[] _nameBytes = [];
    private bool _nameWanted;
    private int _kept;

    public OplogEventFinder(OplogEventQuery query)
    {
        _query = query;
        _walk = new OperationWalk(query.SpillFolder, (in operation, _, _) => Note(operation, _place));
    }

    /// <summary>What was found, by its first entry; complete after <see cref="Complete"/>.</summary>
    public IReadOnlyList<BotOplogEvent> Found => _found;

    /// <summary>Commits whose transaction began before the first entry: what they did is not known.</summary>
    public IReadOnlyList<BsonTimestamp> Headless => _walk.Headless;

    /// <summary>Runs that began within the pause of the first entry and are too small to be events as they are: what came before may make them one.</summary>
    public IReadOnlyList<BotOplogEvent> Cut => _cut;

    /// <summary>Where the oldest run that is open began; null where none is.</summary>
    public BsonTimestamp? OldestRun => _runs.Count == 0 ? null : _runs.Values.Min(run => run.First.At);

    public static BotOplogEvent NewEvent(OplogEventKind kind, string ns, string command, OplogPlace first, BsonTimestamp last, long count) => new()
    {
        Kind = kind,
        Namespace = ns,
        Command = command,
        First = first.At.ToString(),
        Last = last.ToString(),
        LastGood = first.Before?.ToString(),
        Time = first.At.Time,
        Count = count,
        Timeline = first.Timeline,
        Location = first.Location,
    };

    /// <summary>Takes the next entry. <paramref name="before"/> is the one before it, wherever that is known from.</summary>
    public void Add(ReadOnlySpan<byte> raw, BsonTimestamp? before, string? timeline, string? location)
    {
        var entry = OplogEntry.Parse(raw);
        if (entry.Timestamp.Seconds > _last.Seconds)
            CloseUntil(entry.Timestamp);
        _last = entry.Timestamp;
        _first ??= _last;
        _place = new OplogPlace(entry.Timestamp, before, location, timeline);
        _walk.Add(entry);
    }

    /// <summary>Ends all runs: nothing more comes, or not what follows.</summary>
    public void Complete()
    {
        foreach (var run in _runs.Values)
            Close(run);
        _runs.Clear();
        _kept = 0;
        _found.Sort((left, right) => Parse(left.First).CompareTo(Parse(right.First)));
    }

    public void Dispose() => _walk.Dispose();

    internal static BsonTimestamp Parse(string at) => BsonTimestamp.TryParse(at, out var parsed) ? parsed : default;

    private void Note(in OplogEntry entry, OplogPlace place)
    {
        switch (entry.Kind)
        {
            case OplogKind.Insert or OplogKind.Update or OplogKind.Delete when !IsWanted(entry.Namespace):
                break;
            case OplogKind.Insert or OplogKind.Update or OplogKind.Delete when NamespaceMap.CollectionOf(_name) is "system.views":
                NoteView(entry, place);
                break;
            case OplogKind.Insert:
                BeginAnew(_name);
                break;
            case OplogKind.Update:
                NoteChange(OplogEventKind.MassUpdate, entry, entry.Object2.IsEmpty ? entry.Object : entry.Object2, place);
                break;
            case OplogKind.Delete:
                NoteChange(OplogEventKind.MassDelete, entry, entry.Object, place);
                break;
            default:
                NoteCommand(entry, place);
                break;
        }
    }

    private void NoteChange(OplogEventKind kind, in OplogEntry entry, ReadOnlySpan<byte> identity, OplogPlace place)
    {
        BeginAnew(_name);
        if (!_query.Kinds.Contains(kind))
            return;
        if (!RawBson.TryFind(identity, "_id"u8, out var id))
            throw OplogEntry.Corrupt($"The entry of {place.At} does not say which document of {entry.NamespaceText} it changes.");
        var key = (kind, OwnName(_name), entry.IsRetryable);
        if (!_runs.TryGetValue(key, out var run))
            _runs.Add(key, run = new OplogRun(kind, key.Item2, key.IsRetryable, place));
        if (run.Add(DocumentId.Key(id), place.At) && ++_kept > MostKeys)
            ShrinkLargest();
    }

    private void ShrinkLargest()
    {
        var largest = _runs.Values.MaxBy(run => run.Documents.Kept)!;
        _kept -= largest.Documents.Kept;
        largest.Documents.Shrink();
    }

    // Views are documents of system.views; the row of a time-series collection there says nothing that its own entries do not.
    private void NoteView(in OplogEntry entry, OplogPlace place)
    {
        var identity = entry.Kind == OplogKind.Update && !entry.Object2.IsEmpty ? entry.Object2 : entry.Object;
        if (!RawBson.TryFind(identity, "_id"u8, out var id) || id.Type != BsonType.String || !Wants(id.AsString()))
            return;
        switch (entry.Kind)
        {
            case OplogKind.Delete:
                AddDrop(id.AsString(), "drop", place, count: 1);
                break;
            case OplogKind.Insert:
                AddSchema(id.AsString(), "create", place);
                break;
            default:
                AddSchema(id.AsString(), "collMod", place);
                break;
        }
    }

    private void NoteCommand(in OplogEntry entry, OplogPlace place)
    {
        switch (entry.Kind)
        {
            case OplogKind.Drop:
                NoteDrop(entry, place);
                break;
            case OplogKind.DropDatabase:
                NoteDropDatabase(NamespaceMap.DatabaseOf(entry.NamespaceText), place);
                break;
            case OplogKind.Rename:
                NoteRename(entry, place);
                break;
            case OplogKind.CappedChange when entry.Command.SequenceEqual("emptycapped"u8):
                // All of its documents go, and no entry names one.
                CloseRuns(OwnName(entry.CommandNamespace()));
                if (Wants(entry.CommandNamespace()))
                    AddDrop(OwnName(entry.CommandNamespace()), "emptycapped", place, count: 1);
                break;
            case OplogKind.Create or OplogKind.CollectionChange or OplogKind.CreateIndexes or OplogKind.CommitIndexBuild or OplogKind.DropIndexes or OplogKind.CappedChange:
                BeginAnew(entry.NamespaceText);
                if (Wants(entry.CommandNamespace()))
                    AddSchema(OwnName(entry.CommandNamespace()), Encoding.UTF8.GetString(entry.Command), place);
                break;
            default:
                break;
        }
    }

    private void NoteDrop(in OplogEntry entry, OplogPlace place)
    {
        var ns = entry.CommandNamespace();
        CloseRuns(OwnName(ns));
        if (Wants(ns))
            AddDrop(OwnName(ns), "drop", place, RecordsOf(entry));
    }

    private void NoteDropDatabase(string database, OplogPlace place)
    {
        _drops.Remove(database, out var parts);
        if (!_query.Kinds.Contains(OplogEventKind.Drop) || !NamespaceMap.IsReplayable(database + ".x") || !_query.Wanted.Wants(new Dumps.DumpNamespace(database, "")))
            return;
        // The server drops each collection first and writes that down; all of it is one event, and the last good moment is before the first.
        var whole = NewEvent(OplogEventKind.Drop, database, "dropDatabase", place, place.At, count: 1);
        if (parts?.FindAll(part => string.Equals(part.Timeline, place.Timeline, StringComparison.Ordinal) && place.At.Seconds - Parse(part.Last).Seconds <= MostDropDatabasePause) is { Count: > 0 } folded)
        {
            _found.RemoveAll(folded.Contains);
            var first = folded[0];
            whole = whole with { First = first.First, LastGood = first.LastGood, Time = first.Time, Location = first.Location, Count = folded.Sum(part => part.Count) };
        }

        _found.Add(whole);
    }

    private void NoteRename(in OplogEntry entry, OplogPlace place)
    {
        var (from, to) = (entry.Argument("renameCollection"u8), entry.Argument("to"u8));
        CloseRuns(OwnName(from));
        CloseRuns(OwnName(to));
        BeginAnew(from);
        BeginAnew(to);
        if (IsOwn(from) || IsOwn(to))
            return;
        if (Wants(to) && RawBson.TryFind(entry.Object, "dropTarget"u8, out var target) && (target.Type == BsonType.Binary || target.IsTruthy))
            AddDrop(OwnName(to), "renameCollection", place, RecordsOf(entry));
        if (Wants(from))
            AddSchema(OwnName(from), "renameCollection", place);
    }

    private void AddDrop(string ns, string command, OplogPlace place, long count)
    {
        if (!_query.Kinds.Contains(OplogEventKind.Drop))
            return;
        var dropped = NewEvent(OplogEventKind.Drop, ns, command, place, place.At, count);
        // A time-series collection is a view and a collection; both go at once.
        if (_found is [.., { Kind: OplogEventKind.Drop } before] && string.Equals(before.Namespace, ns, StringComparison.Ordinal) && string.Equals(before.Last, place.Before?.ToString(), StringComparison.Ordinal))
        {
            _found.RemoveAt(_found.Count - 1);
            dropped = before with { Last = dropped.Last, Count = Math.Max(before.Count, count) };
            _drops.GetValueOrDefault(NamespaceMap.DatabaseOf(ns))?.Remove(before);
        }

        _found.Add(dropped);
        if (!_drops.TryGetValue(NamespaceMap.DatabaseOf(ns), out var drops))
            _drops.Add(NamespaceMap.DatabaseOf(ns), drops = []);
        drops.Add(dropped);
    }

    // A database that is written to is not being dropped: its drops so far were for themselves.
    private void BeginAnew(string ns)
    {
        if (_drops.Count > 0)
            _drops.Remove(NamespaceMap.DatabaseOf(ns));
    }

    private void AddSchema(string ns, string command, OplogPlace place)
    {
        if (_query.Kinds.Contains(OplogEventKind.Schema))
            _found.Add(NewEvent(OplogEventKind.Schema, ns, command, place, place.At, count: 1));
    }

    private void CloseUntil(BsonTimestamp now)
    {
        foreach (var run in _runs.Values.Where(run => now.Seconds - run.Last.Seconds > MostPause).ToList())
            Remove(run);
    }

    private void CloseRuns(string ns)
    {
        foreach (var run in _runs.Values.Where(run => string.Equals(run.Namespace, ns, StringComparison.Ordinal)).ToList())
            Remove(run);
    }

    private void Remove(OplogRun run)
    {
        _runs.Remove((run.Kind, run.Namespace, run.IsRetryable));
        _kept -= run.Documents.Kept;
        Close(run);
    }

    private void Close(OplogRun run)
    {
        if (run.Documents.Count >= _query.MinimumCount)
            _found.Add(run.ToEvent());
        else if (run.First.At.Seconds - _first?.Seconds <= MostPause)
            _cut.Add(run.ToEvent());
    }

    // Entries of one collection mostly come in a row.
    private bool IsWanted(ReadOnlySpan<byte> ns)
    {
        if (ns.SequenceEqual(_nameBytes))
            return _nameWanted;
        _nameBytes = ns.ToArray();
        _name = Encoding.UTF8.GetString(ns);
        _nameWanted = NamespaceMap.CollectionOf(_name) is "system.views" ? _query.Wanted.WantsDatabase(NamespaceMap.DatabaseOf(_name)) : Wants(_name);
        return _nameWanted;
    }

    private bool Wants(string ns) =>
        !IsOwn(ns) && NamespaceMap.IsReplayable(ns, users: true) && _query.Wanted.Wants(new Dumps.DumpNamespace(NamespaceMap.DatabaseOf(ns), NamespaceMap.CollectionOf(ns)));

    private static bool IsOwn(string ns) => CollectionRules.IsOwnDatabase(NamespaceMap.DatabaseOf(ns)) || NamespaceMap.CollectionOf(ns).StartsWith(CollectionRules.OwnPrefix, StringComparison.Ordinal);

    private static string OwnName(string ns)
    {
        var collection = NamespaceMap.CollectionOf(ns);
        return collection.StartsWith(NamespaceMap.Buckets, StringComparison.Ordinal) ? NamespaceMap.DatabaseOf(ns) + "." + collection[NamespaceMap.Buckets.Length..] : ns;
    }

    private static long RecordsOf(in OplogEntry entry) => !entry.Object2.IsEmpty && RawBson.TryFind(entry.Object2, "numRecords"u8, out var records) && records.IsNumber ? records.AsInt64() : 1;
}
