using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Storage;

/// <summary>All collections of the server, by name and by UUID. Not thread-safe: the server's lock guards it.</summary>
internal sealed class DataStore(long memoryCap)
{
    private readonly SortedDictionary<string, SortedDictionary<string, StoredCollection>> _databases = new(StringComparer.Ordinal);

    public IEnumerable<string> Databases => _databases.Keys;

    public long Bytes => _databases.Values.Sum(collections => collections.Values.Sum(collection => collection.Records.Bytes));

    public IEnumerable<StoredCollection> In(string database) => _databases.TryGetValue(database, out var collections) ? collections.Values : [];

    public StoredCollection? Find(Namespace ns) =>
        _databases.TryGetValue(ns.Database, out var collections) && collections.TryGetValue(ns.Collection, out var collection) ? collection : null;

    public StoredCollection? Find(Guid uuid) => _databases.Values.SelectMany(collections => collections.Values).FirstOrDefault(collection => collection.Uuid == uuid);

    public void Add(StoredCollection collection)
    {
        var ns = collection.Namespace;
        if (!_databases.TryGetValue(ns.Database, out var collections))
        {
            if (_databases.Keys.FirstOrDefault(name => string.Equals(name, ns.Database, StringComparison.OrdinalIgnoreCase)) is { } other)
                throw new ServerException(13297, $"db already exists with different case already have: [{other}] trying to create [{ns.Database}]");
            _databases.Add(ns.Database, collections = new(StringComparer.Ordinal));
        }

        collections.Add(ns.Collection, collection);
    }

    public void Remove(StoredCollection collection)
    {
        var collections = _databases[collection.Namespace.Database];
        collections.Remove(collection.Namespace.Collection);
        if (collections.Count == 0)
            _databases.Remove(collection.Namespace.Database);
    }

    /// <summary>Throws OutOfDiskSpace where <paramref name="more"/> bytes do not fit into the memory that the server may take.</summary>
    public void Demand(long more)
    {
        if (Bytes + more > memoryCap)
            throw new ServerException(ServerException.OutOfDiskSpace, $"The sandbox keeps all data in memory and may take {memoryCap} bytes; the write does not fit.");
    }
}
