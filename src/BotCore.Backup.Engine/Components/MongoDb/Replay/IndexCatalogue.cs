using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Replay;

/// <summary>
/// Every collection that stands at the target, by the source's names and identities, with the indexes that it must have at the end. A restore fills it from the dump's
/// metadata; the replay keeps it up to date; the indexes are built from it when all documents are there. Not thread-safe: one thread changes it while no lane runs.
/// </summary>
public sealed class IndexCatalogue
{
    private readonly Dictionary<string, CataloguedCollection> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<Guid, CataloguedCollection> _byUuid = [];

    /// <summary>Collections in it.</summary>
    public int Count => _byName.Count;

    internal IEnumerable<CataloguedCollection> Collections => _byName.Values;

    /// <summary>Adds a collection that was restored. Every restored collection must be added, also one without indexes: changes to collections that are not here are taken for changes to collections that were dropped before they could be dumped.</summary>
    /// <param name="ns">The source's name: <c>database.collection</c>; of a time-series collection its <c>system.buckets.</c> name.</param>
    /// <param name="uuid">The source's identity of it, from the metadata; null where the metadata has none.</param>
    /// <param name="options">Its options; <c>capped</c> and <c>collation</c> are what matters.</param>
    /// <param name="indexes">Specifications as listIndexes gives them.</param>
    /// <param name="built">Whether these indexes stand at the target already.</param>
    public void Add(string ns, Guid? uuid, RawBson options, IEnumerable<RawBson> indexes, bool built = false)
    {
        var collection = Track(ns, uuid, options.IsTrue("capped"u8));
        collection.HasCollation = options.Has("collation"u8);
        foreach (var index in indexes)
            AddIndex(collection, index, built);
    }

    /// <summary>Names of the indexes that a collection must have, in the order they are built in; beside those that every collection has.</summary>
    public IReadOnlyList<string> IndexNames(string ns) => _byName.TryGetValue(ns, out var collection) ? [.. collection.Indexes.Select(index => index.Name)] : [];

    /// <summary>The specifications of a collection's indexes as they stand now.</summary>
    public IReadOnlyList<RawBson> Specifications(string ns) => _byName.TryGetValue(ns, out var collection) ? [.. collection.Indexes.Select(index => index.Specification)] : [];

    internal static void AddIndex(CataloguedCollection collection, RawBson specification, bool built)
    {
        if (IndexSpecification.IsImplicit(specification))
            return;
        var index = new CataloguedIndex(specification.Copy(), built);
        // An index that is there already stays as it is: the oplog of a dump that was not frozen says things twice.
        var at = collection.Indexes.FindIndex(other => string.Equals(other.Name, index.Name, StringComparison.Ordinal));
        if (at < 0)
            collection.Indexes.Add(index);
        else if (!collection.Indexes[at].IsBuilt)
            collection.Indexes[at] = index;
    }

    /// <summary>Takes indexes out; gives those that stand at the target.</summary>
    internal static List<CataloguedIndex> DropIndexes(CataloguedCollection collection, BsonElement which)
    {
        var dropped = new List<CataloguedIndex>();
        foreach (var index in collection.Indexes.ToArray())
        {
            if (!Names(which, index))
                continue;
            collection.Indexes.Remove(index);
            if (index.IsBuilt)
                dropped.Add(index);
        }

        return dropped;
    }

    /// <summary>Changes an index as collMod does; gives its name where it stands at the target.</summary>
    internal static bool ChangeIndex(CataloguedCollection collection, RawBson change)
    {
        var at = collection.Indexes.FindIndex(index =>
            change.FindString("name"u8) is { } name ? string.Equals(index.Name, name, StringComparison.Ordinal)
                : change.FindDocument("keyPattern"u8) is { } key && HasKey(index, key.Span));
        if (at < 0)
            return false;
        var old = collection.Indexes[at];
        collection.Indexes[at] = old with { Specification = IndexSpecification.Change(old.Specification, change) };
        return old.IsBuilt;
    }

    internal CataloguedCollection? Find(string ns) => _byName.GetValueOrDefault(ns);

    internal CataloguedCollection? Find(Guid uuid) => _byUuid.GetValueOrDefault(uuid);

    /// <summary>The collection that a change is for; null where the change is for one that does not stand at the target (any more, or yet).</summary>
    internal CataloguedCollection? Resolve(string ns, Guid? uuid)
    {
        if (uuid is { } identity && _byUuid.TryGetValue(identity, out var known))
            return known;
        if (!_byName.TryGetValue(ns, out var named))
            return IsAlwaysThere(ns) ? Track(ns, uuid, isCapped: false) : null;
        if (uuid is null || named.Uuid is null || IsAlwaysThere(ns))
        {
            Adopt(named, uuid);
            return named;
        }

        return null;
    }

    internal CataloguedCollection Track(string ns, Guid? uuid, bool isCapped)
    {
        var collection = new CataloguedCollection(ns, null, isCapped);
        if (!_byName.TryAdd(ns, collection))
            throw new ArgumentException($"The collection '{ns}' is in the catalogue already.", nameof(ns));
        Adopt(collection, uuid);
        return collection;
    }

    internal void Drop(CataloguedCollection collection)
    {
        _byName.Remove(collection.Name);
        if (collection.Uuid is { } uuid)
            _byUuid.Remove(uuid);
    }

    internal void Rename(CataloguedCollection collection, string to)
    {
        _byName.Remove(collection.Name);
        collection.Name = to;
        _byName.Add(to, collection);
    }

    internal void Adopt(CataloguedCollection collection, Guid? uuid)
    {
        if (uuid is not { } identity || collection.Uuid is not null)
            return;
        collection.Uuid = identity;
        _byUuid[identity] = collection;
    }

    // The server makes these itself, and a dump has them under no identity.
    private static bool IsAlwaysThere(string ns) =>
        NamespaceMap.CollectionOf(ns) is var name && name.StartsWith("system.", StringComparison.Ordinal) && !name.StartsWith(NamespaceMap.Buckets, StringComparison.Ordinal);

    private static bool Names(BsonElement which, CataloguedIndex index)
    {
        switch (which.Type)
        {
            case BsonType.String:
                return which.AsString() is var name && (name is "*" || string.Equals(name, index.Name, StringComparison.Ordinal));
            case BsonType.Document:
                return HasKey(index, which.AsDocument());
            case BsonType.Array:
                var reader = new BsonReader(which.AsDocument());
                while (reader.Read())
                {
                    if (Names(reader.Current, index))
                        return true;
                }

                return false;
            default:
                return false;
        }
    }

    private static bool HasKey(CataloguedIndex index, ReadOnlySpan<byte> key) => index.Specification.FindDocument("key"u8) is { } own && own.Span.SequenceEqual(key);
}
