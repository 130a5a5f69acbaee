using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Replay;

/// <summary>
/// Applies a slice of an oplog to a restored server, entry by entry, by the table "Replay" of MONGODB.md. Changes of documents go out in batches over several connections;
/// everything else waits for them and goes alone. Applying a slice twice ends at the same content. Indexes are not built here: see <see cref="IndexBuild"/>.
/// One thread pushes entries; dispose stops the lanes. After a failure it is of no more use.
/// </summary>
public sealed class OplogReplayer : IDisposable
{
    private readonly IReplayTarget _target;
    private readonly NamespaceMap _map;
    private readonly IndexCatalogue _catalogue;
    private readonly ReplayOptions _options;
    private readonly CancellationToken _token;
    private readonly MissingDocuments _missing = new();
    private readonly GoneCollections _gone = new();
    private readonly TransactionBuffer _transactions;
    private readonly OperationWriter _writer;
    private readonly ReplayLanes _lanes;
    private readonly DefinitionReplay _definitions;
    private readonly ReplayBatch _transaction = new();
    private readonly Dictionary<OplogKind, long> _skipped = [];
    private readonly KnownNamespaces _names;
    private readonly Dictionary<string, string> _targets = new(StringComparer.Ordinal);
    private BsonTimestamp _at;
    private bool _collects;
    private bool _isProbed;
    private long _entries;
    private long _inserts;
    private long _updates;
    private long _deletes;
    private long _commands;
    private long _applied;
    private long _notWanted;
    private BsonTimestamp? _first;
    private BsonTimestamp? _last;
    private int _commandsOfEntry;
    private bool _isResumed;
    private bool _mustSave;
    private bool _isSaved;
    private long _savedAt;

    /// <summary>Makes one. The catalogue must hold every collection that was restored; it is changed as the oplog says.</summary>
    /// <param name="client">The target's primary; the client stays the caller's, and must allow as many connections as there are lanes and one more.</param>
    /// <param name="map">What is wanted, and under which names.</param>
    /// <param name="catalogue">What stands at the target.</param>
    /// <param name="options">How.</param>
    /// <param name="token">Ends it.</param>
    public OplogReplayer(MongoClient client, NamespaceMap map, IndexCatalogue catalogue, ReplayOptions options, CancellationToken token)
        : this(new MongoReplayTarget(client), map, catalogue, options, token)
    {
    }

    internal OplogReplayer(IReplayTarget target, NamespaceMap map, IndexCatalogue catalogue, ReplayOptions options, CancellationToken token)
    {
        _target = target;
        _map = map;
        _catalogue = catalogue;
        _options = options;
        _token = token;
        _transactions = new TransactionBuffer(options.TransactionBudget, options.SpillFolder);
        _writer = new OperationWriter(map);
        _names = new KnownNamespaces(map);
        _lanes = new ReplayLanes(target, _missing, options, token);
        _definitions = new DefinitionReplay(target, map, catalogue, _missing, _gone, token) { OnlyFollows = options.Resume is not null, Sending = Sending };
        _savedAt = Stopwatch.GetTimestamp();
    }

    /// <summary>How far it has come, to be asked on the thread that pushes entries; null before the first entry.</summary>
    public ReplayCheckpoint? Progress => Follows ? _options.Resume : _last is null ? null : Here;

    private ReplayCheckpoint Here
    {
        get
        {
            var last = _last ?? default;
            var applied = _lanes.FirstOpen is { } open ? BsonTimestamp.FromValue(open.Value - 1) : last;
            return new ReplayCheckpoint(applied, _missing.Awaited) { Commands = applied == last ? _commandsOfEntry : 0 };
        }
    }

    private bool Follows => _definitions.OnlyFollows;

    /// <summary>Takes the next entry; its bytes are not kept. False where it is later than <see cref="ReplayOptions.UpTo"/>: nothing more is needed then.</summary>
    /// <exception cref="BackupException">ArchiveCorrupt: it cannot be read or is out of order. RestoreFailed: this one or one before it was refused. ChainBroken: it commits a transaction whose beginning is missing.</exception>
    public bool Apply(ReadOnlySpan<byte> entry)
    {
        _token.ThrowIfCancellationRequested();
        var parsed = OplogEntry.Parse(entry);
        if (_last is { } last && parsed.Timestamp <= last)
            throw OplogEntry.Corrupt($"The oplog is not in order: {parsed.Timestamp} comes after {last}.");
        if (_options.UpTo is { } bound && parsed.Timestamp > bound)
            return false;
        if (Follows && parsed.Timestamp > _options.Resume!.AppliedTo && _options.Resume.Commands == 0)
            Resume(_options.Resume);
        _at = parsed.Timestamp;
        Dispatch(parsed);
        if (Follows && _at > _options.Resume!.AppliedTo)
            Resume(_options.Resume);
        // No checkpoint may stand before a command that is done.
        if (_commandsOfEntry > 0 && _lanes.FirstOpen is not null)
            _lanes.Wait();
        _first ??= _at;
        _last = _at;
        _commandsOfEntry = 0;
        _entries++;
        if (_options.Checkpoint is not null && _entries % _options.CheckpointEvery == 0 && !Follows && Stopwatch.GetElapsedTime(_savedAt) >= _options.CheckpointInterval)
            Save();
        return true;
    }

    /// <summary>Waits until everything is applied, and proves that nothing is missing.</summary>
    /// <exception cref="BackupException">RestoreFailed: an operation was refused. RestoreMismatch: documents or collections that the oplog changes are not there, and it does not say that they were dropped.</exception>
    public ReplayResult Complete()
    {
        _lanes.Wait();
        if (Follows && _options.Resume is { } resume)
            Resume(resume);
        DemandStanding();
        if (_missing.Left is { Count: > 0 } documents)
            throw Mismatch($"The oplog changes {documents.Sum(left => left.Count)} documents that were not in the dump, and does not delete them: {string.Join(", ", documents.Select(left => $"{left.Count} of {left.Name}"))}.", documents[0].Name);
        if (_gone.Left is { Count: > 0 } collections)
            throw Mismatch($"The oplog changes collections that were not in the dump, and does not drop them: {string.Join(", ", collections.Select(left => $"{left.Name} since {left.Since}"))}.", collections[0].Name);
        if (_definitions.Displaced.ToList() is { Count: > 0 } displaced)
            throw Mismatch($"{displaced.Count} collections had to make way for others of their name, and the oplog does not say what they are called: {string.Join(", ", displaced)}.", displaced[0]);
        Save();
        return new ReplayResult(
            _entries, _inserts, _updates, _deletes, _commands, _applied, _transactions.Aborted, _transactions.Unfinished, _missing.Seen, _notWanted,
            new Dictionary<OplogKind, long>(_skipped), _first, _last);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _lanes.Dispose();
        _transactions.Dispose();
    }

    private void Save()
    {
        _options.Checkpoint?.Invoke(Here);
        _savedAt = Stopwatch.GetTimestamp();
        _mustSave = false;
    }

    // Before a command is sent all is applied that comes before it; of a command that needs several calls only the first one says so.
    private void Sending()
    {
        if (!_isSaved)
            Save();
        _isSaved = true;
        _mustSave = true;
    }

    private void DemandStanding()
    {
        if (_isResumed)
            _definitions.DemandStanding();
        _isResumed = false;
        _definitions.IsUncertain = false;
    }

    private void Resume(ReplayCheckpoint from)
    {
        _definitions.OnlyFollows = false;
        _definitions.IsUncertain = true;
        _isResumed = true;
        foreach (var awaited in from.Awaited)
        {
            if (_catalogue.Find(awaited.Namespace) is { } collection)
                _missing.Add(collection, awaited.Document, awaited.Since);
        }
    }

    private void Dispatch(in OplogEntry entry)
    {
        switch (entry.Kind)
        {
            case OplogKind.Insert or OplogKind.Update or OplogKind.Delete:
                Change(entry);
                break;
            case OplogKind.NoOp or OplogKind.Ignored or OplogKind.SkippedCommand:
                CollectionsMarshal.GetValueRefOrAddDefault(_skipped, entry.Kind, out _)++;
                break;
            case OplogKind.Transaction or OplogKind.CommitTransaction or OplogKind.AbortTransaction:
                TakeTransaction(entry);
                break;
            case OplogKind.ApplyOps:
                foreach (var inner in new InnerOperations(entry.Object))
                    Dispatch(OplogEntry.ParseInner(inner));
                break;
            case OplogKind.Unknown or OplogKind.NotReplayable:
                Refuse(entry);
                break;
            default:
                FlushTransaction();
                Define(entry);
                break;
        }
    }

    private void Define(in OplogEntry entry)
    {
        if (!Follows)
            _lanes.Wait();
        _isSaved = false;
        if (_definitions.Apply(entry, _at))
            _commands++;
        else
            _notWanted++;
        _targets.Clear();
        _commandsOfEntry++;
        if (!Follows)
            DemandStanding();
        else if (_at > _options.Resume!.AppliedTo && _commandsOfEntry == _options.Resume.Commands)
            Resume(_options.Resume);
    }

    private void TakeTransaction(in OplogEntry entry)
    {
        _collects = _options.AtomicTransactions && !Follows;
        var committed = _transactions.Take(entry, part =>
        {
            foreach (var inner in new InnerOperations(OplogEntry.Parse(part).Object))
                Dispatch(OplogEntry.ParseInner(inner));
        });
        FlushTransaction();
        _collects = false;
        if (committed && !Follows)
            _applied++;
    }

    // One applyOps for the whole transaction; where it does not fit, several in order.
    private void FlushTransaction()
    {
        if (_transaction.Count == 0)
            return;
        _lanes.ApplyAlone(_transaction);
        _transaction.Clear();
    }

    private void Change(in OplogEntry entry)
    {
        var (ns, isWanted, isOldIndex) = _names.Of(entry.Namespace);
        if (isOldIndex)
        {
            OldIndex(entry);
            return;
        }

        var collection = isWanted || entry.Collection is not null ? Find(ns, isWanted, entry.Collection) : null;
        if (collection is null)
        {
            _notWanted++;
            if (isWanted)
                _gone.Add(ns, entry.Collection, _at);
            return;
        }

        if (Follows)
            return;
        if (!_targets.TryGetValue(collection.Name, out var target))
            _targets.Add(collection.Name, target = _map.Target(collection.Name));
        if (entry.IsVectored)
            InsertEach(entry, collection, target);
        else
            Add(_writer.Change(entry, collection.Name, target), entry.Kind, collection);
    }

    private CataloguedCollection? Find(string ns, bool isWanted, Guid? uuid)
    {
        if (uuid is { } identity && _catalogue.Find(identity) is { } known)
            return known;
        return isWanted ? _catalogue.Resolve(ns, uuid) : null;
    }

    private void InsertEach(in OplogEntry entry, CataloguedCollection collection, string target)
    {
        if (entry.Kind != OplogKind.Insert)
            throw OplogEntry.Corrupt($"The entry of {_at} changes several documents in a way that only inserts may.");
        var reader = new BsonReader(entry.Object);
        while (reader.Read())
            Add(_writer.Insert(reader.Current.AsDocument(), target), OplogKind.Insert, collection);
    }

    private void Add(ReadOnlySpan<byte> operation, OplogKind kind, CataloguedCollection collection)
    {
        if (_mustSave)
            Save();
        var hasId = ReplayBatch.TryGetId(operation, kind, out var id);
        if (!hasId && !collection.IsOrdered)
        {
            // It may be about any document: from here on the whole collection keeps its order.
            _lanes.Wait();
            collection.IsOrdered = true;
        }

        if (kind == OplogKind.Update && !_isProbed)
            Probe();
        _ = kind switch
        {
            OplogKind.Insert => _inserts++,
            OplogKind.Update => _updates++,
            _ => _deletes++,
        };
        if (_collects)
        {
            if (!_transaction.Fits(operation.Length, UpdateProbe.LargestCommand, int.MaxValue))
                FlushTransaction();
            _transaction.Add(operation, kind, collection, _at);
            return;
        }

        var place = (ulong)collection.Name.GetHashCode(StringComparison.Ordinal);
        _lanes.Add(operation, kind, collection, _at, collection.IsOrdered ? place : place ^ DocumentId.Hash(id));
    }

    private void Probe()
    {
        _lanes.Wait();
        _lanes.ChecksUpdates = UpdateProbe.MustCheck(_target, _token);
        _isProbed = true;
    }

    // Servers of before 3.0 made indexes by inserts.
    private void OldIndex(in OplogEntry entry)
    {
        if (entry.Kind == OplogKind.Insert && RawBson.TryFind(entry.Object, "ns"u8, out var ns) && ns.Type == BsonType.String && _map.IsWanted(ns.AsString())
            && _catalogue.Find(ns.AsString()) is { } collection)
        {
            IndexCatalogue.AddIndex(collection, new RawBson(entry.Object.ToArray()), built: false);
            _commands++;
        }
        else
        {
            _notWanted++;
        }
    }

    private void Refuse(in OplogEntry entry)
    {
        var scan = new ReplayScan(_map);
        scan.Note(entry, _at);
        if (scan.Obstacles.Count == 0)
        {
            _notWanted++;
            return;
        }

        var name = Encoding.UTF8.GetString(entry.Command.IsEmpty ? entry.Operation : entry.Command);
        throw new BackupException(
            FailureKind.RestoreFailed,
            $"The oplog holds '{name}' at {_at}, which cannot be replayed.",
            _last is { } good ? $"Restore to {good} or before, with -PointInTime." : "Restore from a later full backup.",
            scan.Obstacles[0].Namespace);
    }

    private static BackupException Mismatch(string message, string ns) =>
        new(FailureKind.RestoreMismatch, message, "Restore from another backup, and report this one: its dump does not fit its oplog.", ns);
}
