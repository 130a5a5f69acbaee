using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Damage;

/// <summary>
/// Reads which documents an event destroyed, from the entries between its first and its last. So that memory stays bounded, the ids can be read in parts, each by a reading of
/// its own: a document's part is told by the hash of its id. One thread.
/// </summary>
internal sealed class VictimScan(BotOplogEvent damage, string spillFolder)
{
    /// <summary>Ids of one part, about.</summary>
    public const int PartSize = 500_000;

    private readonly BsonTimestamp _first = OplogEventFinder.Parse(damage.First);
    private readonly BsonTimestamp _last = OplogEventFinder.Parse(damage.Last);
    private readonly DistinctCount _touched = new();
    private readonly List<(string From, string To)> _renames = [];

    /// <summary>How many documents; of a very large event about.</summary>
    public DistinctCount Count { get; } = new();

    /// <summary>Entries that hold deletes of the event among other operations: about 30 bytes each, one for each transaction of it at least.</summary>
    public HashSet<BsonTimestamp> Mixed { get; } = [];

    /// <summary>The collection's identity in the event's entries; null where they do not say.</summary>
    public Guid? Collection { get; private set; }

    public int Parts => (int)Math.Max(1, (Math.Max(Count.Count, _touched.Count) + PartSize - 1) / PartSize);

    /// <summary>The first reading: counts, and what else a restore of that collection must know.</summary>
    public void Survey(Action<IDumpVisitor> read)
    {
        using var walk = new OperationWalk(spillFolder, (in operation, at, written) =>
        {
            if (operation.Kind == OplogKind.Rename)
                _renames.Add((operation.Argument("renameCollection"u8), operation.Argument("to"u8)));
            if (!IsChange(operation, at, out var id))
                return;
            Add(_touched, id);
            if (!IsVictim(operation, at, out _))
                return;
            Add(Count, id);
            Collection ??= operation.Collection;
            if (!operation.HasTimestamp)
                Mixed.Add(written);
        });
        read(Visitor(walk));
        if (walk.Headless.FirstOrDefault(at => at >= _first && at <= _last) is { Value: > 0 } headless)
        {
            throw new BackupException(
                FailureKind.ChainBroken, $"A transaction that was committed at {headless} within the {damage} began before what the backups hold, so its documents are not known.", "Restore the collection with Restore-BotBackup -Before.", damage);
        }
    }

    /// <summary>
    /// The victims of one part. Of a delete the reading may go on behind the event's end, as far as anything is known: then documents are told that were inserted again later, whatever
    /// became of them.
    /// </summary>
    public VictimPart Read(int part, Action<IDumpVisitor> read)
    {
        var (victims, born, parts) = (new VictimIds(), new VictimIds(), (ulong)Parts);
        var (touched, written) = (new HashSet<UInt128>(), new HashSet<UInt128>());
        using var walk = new OperationWalk(spillFolder, (in operation, at, _) =>
        {
            if (!IsChange(operation, at, out var id))
                return;
            var key = DocumentId.Key(id);
            if ((ulong)key % parts != (ulong)part)
                return;
            var isVictim = IsVictim(operation, at, out BsonElement _);
            if (isVictim)
                victims.Add(key, id);
            if (damage.Kind == OplogEventKind.MassUpdate)
                NoteUpdate(operation, key, id);
            else if (isVictim)
                written.Remove(key);
            else if (at <= _last || victims.Contains(key))
                written.Add(key);
        });
        read(Visitor(walk));
        return new VictimPart(victims, born, written);

        void NoteUpdate(in OplogEntry operation, UInt128 key, BsonElement id)
        {
            if (operation.Kind == OplogKind.Insert)
                born.Add(key, id);
            if (!touched.Add(key))
                written.Add(key);
        }
    }

    /// <summary>The collection, and all those whose documents may have come to it by a rename.</summary>
    public IReadOnlyList<string> Origins()
    {
        var names = new HashSet<string>([damage.Namespace], StringComparer.Ordinal);
        for (var at = _renames.Count - 1; at >= 0; at--)
        {
            if (names.Contains(_renames[at].To))
                names.Add(_renames[at].From);
        }

        return [.. names];
    }

    /// <summary>Whether an operation is one of the event's.</summary>
    public bool IsVictim(in OplogEntry operation, BsonTimestamp at, out BsonElement id)
    {
        id = default;
        var identity = (damage.Kind, operation.Kind) switch
        {
            (OplogEventKind.MassDelete, OplogKind.Delete) => operation.Object,
            (OplogEventKind.MassUpdate, OplogKind.Update) => operation.Object2.IsEmpty ? operation.Object : operation.Object2,
            _ => default,
        };
        return !identity.IsEmpty && operation.IsRetryable == damage.IsRetryable && at <= _last && IsThere(operation, at) && RawBson.TryFind(identity, "_id"u8, out id);
    }

    // Every change of a document of the collection since the event began. Of an update what came after it is no concern: the document itself tells.
    private bool IsChange(in OplogEntry operation, BsonTimestamp at, out BsonElement id)
    {
        id = default;
        if (!operation.IsDocumentChange || !IsThere(operation, at) || (damage.Kind == OplogEventKind.MassUpdate && at > _last))
            return false;
        var identity = operation.Kind == OplogKind.Update && !operation.Object2.IsEmpty ? operation.Object2 : operation.Object;
        return RawBson.TryFind(identity, "_id"u8, out id);
    }

    private bool IsThere(in OplogEntry operation, BsonTimestamp at) => at >= _first && string.Equals(operation.NamespaceText, damage.Namespace, StringComparison.Ordinal);

    private static void Add(DistinctCount count, BsonElement id)
    {
        if (count.Add(DocumentId.Key(id)) && count.Kept > OplogEventFinder.MostKeys)
            count.Shrink();
    }

    private static OplogEntries Visitor(OperationWalk walk) => new(raw => walk.Add(OplogEntry.Parse(raw)));
}
