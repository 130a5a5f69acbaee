using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Oplog;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Storage;

/// <summary>Makes, renames and drops collections, each with its oplog entry. The caller holds the server's lock for writers.</summary>
internal sealed partial class Catalog(ServerState server)
{
    private const string Buckets = "system.buckets.";

    private static readonly string[] CollectionOptions =
    [
        "capped", "size", "max", "validator", "validationLevel", "validationAction", "collation", "viewOn", "pipeline", "timeseries", "clusteredIndex", "idIndex",
        "expireAfterSeconds", "storageEngine", "indexOptionDefaults", "autoIndexId", "flags", "temp", "changeStreamPreAndPostImages", "encryptedFields", "recordIdsReplicated", "usePowerOf2Sizes",
    ];

    public static IReadOnlyList<string> KnownOptions => CollectionOptions;

    /// <summary>Finds the collection, or makes a plain one.</summary>
    public StoredCollection Demand(Namespace ns) => server.Store.Find(ns) ?? Create(ns, RawBson.Empty);

    public StoredCollection Create(Namespace ns, RawBson options, Guid? uuid = null)
    {
        ns.Checked();
        if (server.Store.Find(ns) is not null)
            throw new ServerException(ServerException.NamespaceExists, $"Collection {ns} already exists.");
        CheckOptions(options);
        if (options.Has("viewOn"u8))
            return CreateView(ns, options);
        if (options.Has("timeseries"u8) && !ns.Collection.StartsWith(Buckets, StringComparison.Ordinal))
            return CreateTimeSeries(ns, options);
        var collection = new StoredCollection(ns, uuid ?? Guid.NewGuid(), Stored(options));
        if (collection.IsCapped && collection.CappedBytes <= 0)
            throw new ServerException(ServerException.InvalidOptions, "the 'size' field is required when 'capped' is true");
        server.Store.Add(collection);
        if (ns.IsReplicated)
            LogCreate(collection);
        return collection;
    }

    public void Drop(StoredCollection collection, bool logged = true)
    {
        if (collection.IsView)
        {
            DropView(collection);
            return;
        }

        collection.IsDropped = true;
        server.Store.Remove(collection);
        if (logged && collection.Namespace.IsReplicated)
        {
            var o = new BsonBuilder().Append("drop", collection.Namespace.Collection).ToBson();
            var o2 = new BsonBuilder().Append("numRecords", (long)collection.Records.Count).ToBson();
            server.Oplog.WriteCommand(collection.Namespace.Database, collection.Uuid, o, o2);
        }

        if (string.Equals(collection.Namespace.Collection, "system.views", StringComparison.Ordinal))
            RefreshViews(collection.Namespace.Database);
    }

    public bool DropDatabase(string database)
    {
        if (database is "local")
            throw new ServerException(ServerException.IllegalOperation, "Cannot drop 'local' database while replication is active");
        var collections = server.Store.In(database).ToList();
        if (collections.Count == 0)
            return false;
        foreach (var collection in collections.Where(collection => !collection.IsView))
            Drop(collection);
        foreach (var view in server.Store.In(database).ToList())
            server.Store.Remove(view);
        server.Oplog.WriteCommand(database, null, new BsonBuilder().Append("dropDatabase", 1).ToBson());
        return true;
    }

    public void Rename(StoredCollection source, Namespace to, bool dropTarget, Guid? uuid = null)
    {
        to.Checked();
        if (source.IsView)
            throw new ServerException(ServerException.CommandNotSupportedOnView, $"cannot rename view: {source.Namespace}");
        if (source.Namespace == to)
            throw new ServerException(ServerException.IllegalOperation, "Can't rename a collection to itself");
        var target = server.Store.Find(to);
        if (target is { IsView: true })
            throw new ServerException(ServerException.NamespaceExists, $"a view already exists with that name: {to}");
        if (target is not null && !dropTarget)
            throw new ServerException(ServerException.NamespaceExists, "target namespace exists");
        if (!string.Equals(source.Namespace.Database, to.Database, StringComparison.Ordinal))
        {
            RenameAcross(source, to, target);
            return;
        }

        var o = new BsonBuilder().Append("renameCollection", source.Namespace.ToString()).Append("to", to.ToString()).Append("stayTemp", value: false);
        if (target is not null)
        {
            target.IsDropped = true;
            server.Store.Remove(target);
            OplogLog.AppendUuid(o, "dropTarget", target.Uuid);
        }

        var o2 = new BsonBuilder().Append("numRecords", (long)(target?.Records.Count ?? 0)).ToBson();
        server.Store.Remove(source);
        source.Namespace = to;
        if (uuid is { } other)
            source.SetUuid(other);
        server.Store.Add(source);
        server.Oplog.WriteCommand(to.Database, source.Uuid, o.ToBson(), target is null ? null : o2);
    }

    public void ConvertToCapped(StoredCollection source, double size)
    {
        var options = new BsonBuilder().Append("capped", value: true).Append("size", size).ToBson();
        var temporary = Create(source.Namespace with { Collection = $"tmp{server.Clock.Milliseconds % 100000:D5}.convertToCapped.{source.Namespace.Collection}" }, options);
        var writes = new DirectWrites(server);
        foreach (var (_, document) in source.Records.Walk())
            writes.Insert(temporary, new RawBson(document), 0);
        Rename(temporary, source.Namespace, dropTarget: true);
    }

    // As the server does it: a copy under a new UUID, document by document, and then the old one is dropped.
    private void RenameAcross(StoredCollection source, Namespace to, StoredCollection? target)
    {
        if (target is not null)
            Drop(target);
        var copy = Create(to, source.Options);
        var writes = new DirectWrites(server);
        CreateIndexes(copy, source.Indexes.Where(index => !index.IsId).Select(index => index.Spec));
        foreach (var (_, document) in source.Records.Walk())
            writes.Insert(copy, new RawBson(document), 0);
        Drop(source);
    }

    private void LogCreate(StoredCollection collection)
    {
        var o = new BsonBuilder().Append("create", collection.Namespace.Collection);
        AppendOptions(o, collection.Options);
        o.Append("idIndex", collection.IdIndex);
        server.Oplog.WriteCommand(collection.Namespace.Database, collection.Uuid, o.ToBson());
    }

    private static void AppendOptions(BsonBuilder to, RawBson options)
    {
        var reader = options.Read();
        while (reader.Read())
        {
            if (!reader.Current.NameIs("idIndex"u8))
                to.Append(reader.Current);
        }
    }

    private static RawBson Stored(RawBson options)
    {
        var builder = new BsonBuilder(options.Length);
        var reader = options.Read();
        while (reader.Read())
            builder.Append(reader.Current);
        return builder.ToBson();
    }

    private static void CheckOptions(RawBson options)
    {
        var reader = options.Read();
        while (reader.Read())
        {
            var name = reader.Current.NameText;
            if (!CollectionOptions.Contains(name, StringComparer.Ordinal))
                throw new ServerException(40415, $"BSON field 'create.{name}' is an unknown field.");
        }
    }
}
