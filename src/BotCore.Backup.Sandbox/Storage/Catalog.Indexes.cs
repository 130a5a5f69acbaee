using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Oplog;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Storage;

/// <summary>Indexes: made, dropped and changed.</summary>
internal sealed partial class Catalog
{
    private static readonly string[] IndexFields =
    [
        "v", "key", "name", "ns", "unique", "sparse", "background", "expireAfterSeconds", "partialFilterExpression", "collation", "hidden", "storageEngine", "weights", "default_language",
        "language_override", "textIndexVersion", "2dsphereIndexVersion", "bits", "min", "max", "bucketSize", "wildcardProjection", "prepareUnique", "clustered", "dropDups", "originalSpec",
        "coarsestIndexedLevel", "finestIndexedLevel",
    ];

    /// <summary>Makes what is not there yet, and tells how many that were.</summary>
    public int CreateIndexes(StoredCollection collection, IEnumerable<RawBson> specs, bool logged = true)
    {
        var fresh = new List<IndexDefinition>();
        foreach (var spec in specs)
        {
            var index = new IndexDefinition(Normal(spec));
            if (!IsThere(collection.Indexes.Concat(fresh), index))
                fresh.Add(index);
        }

        var built = 0;
        try
        {
            foreach (var index in fresh)
            {
                collection.Build(index);
                built++;
            }
        }
        catch (DuplicateKeyException)
        {
            collection.Indexes.RemoveAll(index => fresh.Take(built).Contains(index));
            throw;
        }

        if (fresh.Count > 0 && logged && collection.Namespace.IsReplicated)
            LogIndexes(collection, fresh);
        return fresh.Count;
    }

    public void DropIndex(StoredCollection collection, IndexDefinition index)
    {
        if (index.IsId)
            throw new ServerException(ServerException.InvalidOptions, "cannot drop _id index");
        collection.Indexes.Remove(index);
        var o = new BsonBuilder().Append("dropIndexes", collection.Namespace.Collection).Append("index", index.Name).ToBson();
        server.Oplog.WriteCommand(collection.Namespace.Database, collection.Uuid, o, WithoutName(index.Spec));
    }

    /// <summary>By name, by key, or <c>*</c> for all but <c>_id</c>.</summary>
    public static List<IndexDefinition> FindIndexes(StoredCollection collection, BsonValue wanted)
    {
        if (wanted.Type == BsonType.Array)
        {
            var all = new List<IndexDefinition>();
            var reader = wanted.Document.Read();
            while (reader.Read())
                all.AddRange(FindIndexes(collection, BsonValue.Within(wanted.Bytes, reader.Current)));
            return all;
        }

        if (wanted.Type == BsonType.String && wanted.AsString() is "*")
            return collection.Indexes.FindAll(index => !index.IsId);
        var found = wanted.Type == BsonType.String
            ? collection.Indexes.FindAll(index => string.Equals(index.Name, wanted.AsString(), StringComparison.Ordinal))
            : collection.Indexes.FindAll(index => BsonOrder.Compare(BsonValue.Of(index.Key), wanted) == 0);
        return found.Count > 0 ? found : throw new ServerException(ServerException.IndexNotFound, "index not found with name or key given");
    }

    public void CollMod(StoredCollection collection, RawBson change, bool logged = true)
    {
        if (collection.IsView && !collection.IsTimeSeries)
        {
            ChangeView(collection, change);
            return;
        }

        var old = new BsonBuilder().Append("collectionOptions_old", collection.Options);
        var options = new List<string>();
        var reader = change.Read();
        while (reader.Read())
        {
            var name = reader.Current.NameText;
            if (name is "index")
                ChangeIndex(collection, new RawBson(BsonValue.Slice(change.Memory, reader.Current.Value)));
            else if (name is "validator" or "validationLevel" or "validationAction" or "expireAfterSeconds" or "cappedSize" or "cappedMax" or "changeStreamPreAndPostImages")
                options.Add(name);
        }

        if (options.Count > 0)
            collection.SetOptions(Changed(collection.Options, change, options));
        if (!logged)
            return;
        var o = new BsonBuilder().Append("collMod", collection.Namespace.Collection);
        reader = change.Read();
        while (reader.Read())
            o.Append(reader.Current);
        server.Oplog.WriteCommand(collection.Namespace.Database, collection.Uuid, o.ToBson(), old.ToBson());
    }

    private static void ChangeIndex(StoredCollection collection, RawBson change)
    {
        var wanted = change.TryFind("name"u8, out var name) ? BsonValue.CopyOf(name) : change.FindDocument("keyPattern"u8) is { } key ? BsonValue.Of(key) : throw new ServerException(ServerException.InvalidOptions, "must specify either index name or keyPattern");
        var index = FindIndexes(collection, wanted)[0];
        var names = new List<string>();
        var reader = change.Read();
        while (reader.Read())
        {
            if (reader.Current.NameText is "hidden" or "expireAfterSeconds" or "unique" or "prepareUnique")
                names.Add(reader.Current.NameText);
        }

        var changed = new IndexDefinition(Changed(index.Spec, change, names));
        var place = collection.Indexes.IndexOf(index);
        collection.Indexes.Remove(index);
        try
        {
            collection.Build(changed);
            collection.Indexes.Remove(changed);
            collection.Indexes.Insert(place, changed);
        }
        catch (DuplicateKeyException)
        {
            collection.Indexes.Insert(place, index);
            throw;
        }
    }

    private static RawBson Changed(RawBson old, RawBson change, List<string> names)
    {
        var builder = new BsonBuilder(old.Length + change.Length);
        var reader = old.Read();
        while (reader.Read())
        {
            if (!names.Contains(reader.Current.NameText, StringComparer.Ordinal))
                builder.Append(reader.Current);
        }

        reader = change.Read();
        while (reader.Read())
        {
            // hidden:false is not stored: the server leaves the field out.
            if (names.Contains(reader.Current.NameText, StringComparer.Ordinal) && !(reader.Current.NameIs("hidden"u8) && !reader.Current.IsTruthy))
                builder.Append(reader.Current);
        }

        return builder.ToBson();
    }

    private static bool IsThere(IEnumerable<IndexDefinition> present, IndexDefinition wanted)
    {
        foreach (var index in present)
        {
            var sameName = string.Equals(index.Name, wanted.Name, StringComparison.Ordinal);
            var sameKey = index.Key.Span.SequenceEqual(wanted.Key.Span) || BsonOrder.Compare(BsonValue.Of(index.Key), BsonValue.Of(wanted.Key)) == 0;
            if (sameName && sameKey && (index.IsId || BsonOrder.Compare(BsonValue.Of(Essence(index.Spec)), BsonValue.Of(Essence(wanted.Spec))) == 0))
                return true;
            if (sameName)
                throw new ServerException(sameKey ? ServerException.IndexOptionsConflict : ServerException.IndexKeySpecsConflict, $"An existing index has the same name as the requested index: {wanted.Name}");
            if (sameKey && BsonOrder.Compare(BsonValue.Of(Essence(index.Spec, "unique", "sparse", "expireAfterSeconds")), BsonValue.Of(Essence(wanted.Spec, "unique", "sparse", "expireAfterSeconds"))) == 0)
                throw new ServerException(ServerException.IndexOptionsConflict, $"Index already exists with a different name: {index.Name}");
        }

        return false;
    }

    // What tells two indexes apart, in the order of names.
    private static RawBson Essence(RawBson spec, params string[] passed)
    {
        var fields = new SortedDictionary<string, BsonValue>(StringComparer.Ordinal);
        var reader = spec.Read();
        while (reader.Read())
        {
            var name = reader.Current.NameText;
            if (name is not ("v" or "name" or "ns" or "background" or "hidden") && !passed.Contains(name, StringComparer.Ordinal))
                fields[name] = BsonValue.CopyOf(reader.Current);
        }

        var builder = new BsonBuilder();
        foreach (var (name, value) in fields)
            builder.AppendRaw(value.Type, name, value.Span);
        return builder.ToBson();
    }

    private static RawBson Normal(RawBson spec)
    {
        var builder = new BsonBuilder(spec.Length + 8);
        if (!spec.Has("v"u8))
            builder.Append("v", 2);
        var reader = spec.Read();
        while (reader.Read())
        {
            var element = reader.Current;
            if (!IndexFields.Contains(element.NameText, StringComparer.Ordinal))
                throw new ServerException(197, $"The field '{element.NameText}' is not valid for an index specification.");
            if (element.NameIs("ns"u8) || element.NameIs("dropDups"u8) || (element.NameIs("hidden"u8) && !element.IsTruthy))
                continue;
            builder.Append(element);
        }

        return builder.ToBson();
    }

    private static RawBson WithoutName(RawBson spec)
    {
        var builder = new BsonBuilder(spec.Length);
        var reader = spec.Read();
        while (reader.Read())
        {
            if (!reader.Current.NameIs("name"u8))
                builder.Append(reader.Current);
        }

        return builder.ToBson();
    }

    private void LogIndexes(StoredCollection collection, List<IndexDefinition> fresh)
    {
        var database = collection.Namespace.Database;
        if (collection.Records.Count == 0)
        {
            foreach (var index in fresh)
            {
                var one = new BsonBuilder().Append("createIndexes", collection.Namespace.Collection);
                AppendOptions(one, index.Spec);
                server.Oplog.WriteCommand(database, collection.Uuid, one.ToBson());
            }

            return;
        }

        var build = Guid.NewGuid();
        server.Oplog.WriteCommand(database, collection.Uuid, BuildEntry("startIndexBuild", collection, build, fresh));
        server.Oplog.WriteCommand(database, collection.Uuid, BuildEntry("commitIndexBuild", collection, build, fresh));
    }

    private static RawBson BuildEntry(string name, StoredCollection collection, Guid build, List<IndexDefinition> fresh)
    {
        var o = new BsonBuilder().Append(name, collection.Namespace.Collection);
        OplogLog.AppendUuid(o, "indexBuildUUID", build);
        o.BeginArray("indexes");
        for (var i = 0; i < fresh.Count; i++)
            o.Append(i.ToString(System.Globalization.CultureInfo.InvariantCulture), fresh[i].Spec);
        return o.End().ToBson();
    }
}
