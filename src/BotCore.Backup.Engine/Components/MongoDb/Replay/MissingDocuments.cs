using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Replay;

/// <summary>
/// Documents that an update was for and that were not there. While a server is dumped a document may be changed and then deleted before the dump comes to it: then its
/// delete must follow in the oplog. What is left here at the end was lost. Thread-safe.
/// </summary>
internal sealed class MissingDocuments
{
    private readonly Lock _lock = new();
    private readonly Dictionary<CataloguedCollection, Dictionary<UInt128, BsonTimestamp>> _missing = [];
    private long _seen;
    private int _count;

    /// <summary>Documents whose delete is still awaited.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Updates that found no document.</summary>
    public long Seen => Interlocked.Read(ref _seen);

    /// <summary>All of them, for a checkpoint.</summary>
    public IReadOnlyList<AwaitedDelete> Awaited
    {
        get
        {
            if (Count == 0)
                return [];
            lock (_lock)
                return [.. _missing.SelectMany(pair => pair.Value.Select(document => new AwaitedDelete(pair.Key.Name, document.Key, document.Value)))];
        }
    }

    /// <summary>Collections with such documents, and how many.</summary>
    public IReadOnlyList<(string Name, int Count)> Left
    {
        get
        {
            lock (_lock)
                return [.. _missing.Where(pair => pair.Value.Count > 0).Select(pair => (pair.Key.Name, pair.Value.Count)).OrderBy(left => left.Name, StringComparer.Ordinal)];
        }
    }

    public void Add(CataloguedCollection collection, BsonElement id, BsonTimestamp at) => Add(collection, DocumentId.Key(id), at);

    public void Add(CataloguedCollection collection, UInt128 key, BsonTimestamp at)
    {
        Interlocked.Increment(ref _seen);
        lock (_lock)
        {
            if (!_missing.TryGetValue(collection, out var documents))
                _missing.Add(collection, documents = []);
            if (documents.TryAdd(key, at))
                _count++;
        }
    }

    /// <summary>The document was deleted or written whole: it is what it should be.</summary>
    public void Settle(CataloguedCollection collection, BsonElement id)
    {
        if (Count == 0)
            return;
        var key = DocumentId.Key(id);
        lock (_lock)
        {
            if (_missing.TryGetValue(collection, out var documents) && documents.Remove(key))
                _count--;
        }
    }

    /// <summary>The collection is gone, and with it its documents.</summary>
    public void Settle(CataloguedCollection collection)
    {
        lock (_lock)
        {
            if (_missing.Remove(collection, out var documents))
                _count -= documents.Count;
        }
    }
}
