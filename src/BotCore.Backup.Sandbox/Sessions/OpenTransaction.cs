using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Oplog;
using BotCore.Backup.Sandbox.Queries;
using BotCore.Backup.Sandbox.Storage;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Sessions;

/// <summary>
/// A transaction before its end: its writes wait here, seen by itself alone. It reads the newest committed state, not that of its start; a document that somebody else changed
/// meanwhile is a WriteConflict when it commits.
/// </summary>
internal sealed class OpenTransaction(TransactionTag tag, BsonTimestamp start) : IDocumentWrites
{
    private readonly Dictionary<(StoredCollection Collection, ValueKey Id), Change> _changes = [];
    private readonly List<RawBson> _operations = [];

    public TransactionTag Tag { get; } = tag;

    /// <summary>The newest entry when it began.</summary>
    public BsonTimestamp Start { get; } = start;

    /// <summary>The entry that prepared it; null for one that is not prepared.</summary>
    public BsonTimestamp? Prepared { get; set; }

    public IReadOnlyList<RawBson> Operations => _operations;

    public List<StoredDocument> Find(StoredCollection collection, Filter filter, int most = int.MaxValue)
    {
        var found = new List<StoredDocument>();
        foreach (var (number, document) in Scan.Records(collection, filter))
        {
            if (!_changes.ContainsKey((collection, KeyOf(document))))
                found.Add(new StoredDocument(number, document));
        }

        foreach (var ((owner, _), change) in _changes)
        {
            if (owner == collection && !change.Current.IsEmpty && filter.Matches(change.Current))
                found.Add(new StoredDocument(change.Number, change.Current));
        }

        return found.Count > most ? found.GetRange(0, most) : found;
    }

    public void Insert(StoredCollection collection, RawBson document, int statement)
    {
        var key = (collection, KeyOf(document.Memory));
        var id = IdOrder.IdOf(document.Memory);
        var there = _changes.TryGetValue(key, out var old) ? !old.Current.IsEmpty : collection.TryFind(id, out _);
        if (there)
            throw new DuplicateKeyException(collection.Namespace, "_id_", collection.Indexes[0].Key, DirectWrites.IdOf(document.Span));
        collection.CheckUnique(document.Memory, old?.Number ?? -1);
        _changes[key] = old is null ? new Change(-1, default, document.Copy().Memory) : old with { Current = document.Copy().Memory };
        Note("i", collection, document, DirectWrites.IdOf(document.Span));
    }

    public void Update(StoredCollection collection, StoredDocument old, RawBson document, RawBson logged, int statement)
    {
        collection.CheckUnique(document.Memory, old.Number);
        Put(collection, old, document.Copy().Memory);
        Note("u", collection, logged, DirectWrites.IdOf(document.Span));
    }

    public void Delete(StoredCollection collection, StoredDocument old, int statement)
    {
        Put(collection, old, default);
        Note("d", collection, DirectWrites.IdOf(old.Bytes.Span), null);
    }

    /// <summary>Throws WriteConflict where it cannot be carried out any more.</summary>
    public void Check()
    {
        foreach (var ((collection, _), change) in _changes)
        {
            var unchanged = !collection.IsDropped && (change.Number < 0 ? change.Current.IsEmpty || !collection.TryFind(IdOrder.IdOf(change.Current), out _) : collection.Records[change.Number].Equals(change.Base));
            if (!unchanged)
                throw new ServerException(ServerException.WriteConflict, "Caused by :: Write conflict during plan execution and yielding is disabled. :: Please retry your operation or multi-document transaction.");
            if (!change.Current.IsEmpty)
                collection.CheckUnique(change.Current, change.Number);
        }
    }

    /// <summary>Puts the changes into the store; the oplog is the caller's affair.</summary>
    public void CarryOut()
    {
        foreach (var ((collection, _), change) in _changes.OrderBy(entry => !entry.Value.Current.IsEmpty))
        {
            if (change.Number < 0 && !change.Current.IsEmpty)
                collection.Insert(change.Current.Span);
            else if (change.Number >= 0 && change.Current.IsEmpty)
                collection.Remove(change.Number);
            else if (change.Number >= 0)
                collection.Replace(change.Number, change.Current.Span);
        }
    }

    private static ValueKey KeyOf(ReadOnlyMemory<byte> document) => ValueKey.Of(IdOrder.IdOf(document));

    private void Put(StoredCollection collection, StoredDocument old, ReadOnlyMemory<byte> current)
    {
        var key = (collection, KeyOf(old.Bytes));
        _changes[key] = _changes.TryGetValue(key, out var before) ? before with { Current = current } : new Change(old.Number, old.Bytes, current);
    }

    private void Note(string op, StoredCollection collection, RawBson document, RawBson? second)
    {
        var operation = new BsonBuilder(document.Length + 128).Append("op", op).Append("ns", collection.Namespace.ToString());
        OplogLog.AppendUuid(operation, "ui", collection.Uuid);
        operation.Append("o", document);
        if (second is { } given)
            operation.Append("o2", given);
        _operations.Add(operation.ToBson());
    }

    private sealed record Change(int Number, ReadOnlyMemory<byte> Base, ReadOnlyMemory<byte> Current);
}
