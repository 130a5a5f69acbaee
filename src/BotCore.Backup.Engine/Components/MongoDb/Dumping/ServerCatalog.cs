using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumping;

/// <summary>Asks a server what it holds. Never believes a count of its metadata. Thread-safe.</summary>
internal sealed class ServerCatalog(MongoClient client, CancellationToken token)
{
    private const int NamespaceNotFound = 26;

    /// <summary>The databases that a dump holds: those that are asked for, or all that the rules want.</summary>
    public IReadOnlyList<string> Databases(DumpSelection selection)
    {
        if (selection.Databases is { } only)
            return only;
        var reply = client.Run("admin", new BsonBuilder().Append("listDatabases", 1).Append("nameOnly", value: true), token);
        var names = new List<string>();
        var list = (reply.FindDocument("databases"u8) ?? RawBson.Empty).Read();
        while (list.Read())
        {
            if (RawBson.TryFind(list.Current.AsDocument(), "name"u8, out var name) && CollectionRules.WantsDatabase(name.AsString()))
                names.Add(name.AsString());
        }

        names.Sort(StringComparer.Ordinal);
        return names;
    }

    /// <summary>About how many bytes of documents there are, for an estimate and nothing else; 0 where the server does not tell.</summary>
    public long EstimateSize(IReadOnlyList<string> databases)
    {
        try
        {
            return databases.Sum(database => client.Run(database, new BsonBuilder().Append("dbStats", 1), token).FindInt64("dataSize"u8) ?? 0);
        }
        catch (MongoException refused) when (refused.Error is MongoError.CommandFailed or MongoError.AccessDenied)
        {
            return 0;
        }
    }

    /// <summary>What of <paramref name="database"/> belongs into a dump.</summary>
    public IReadOnlyList<CollectionInfo> Collections(string database)
    {
        var all = List(database, filter: null);
        var buckets = all.Where(one => one.Namespace.Collection.StartsWith(CollectionRules.BucketPrefix, StringComparison.Ordinal))
            .ToDictionary(one => one.Namespace.Collection[CollectionRules.BucketPrefix.Length..], one => one.Uuid, StringComparer.Ordinal);
        return
        [
            .. all.Where(one => CollectionRules.WantsCollection(database, one.Namespace.Collection))
                .Select(one => one.IsTimeSeries ? one with { Uuid = buckets.GetValueOrDefault(one.Namespace.Collection) } : one)
                .OrderBy(one => one.Namespace.Collection, StringComparer.Ordinal),
        ];
    }

    /// <summary>Everything that stands in <paramref name="database"/>, by name.</summary>
    public IReadOnlyDictionary<DumpNamespace, CollectionInfo> All(string database) => List(database, filter: null).ToDictionary(one => one.Namespace);

    /// <summary>The collection of that name as it is now; null where there is none.</summary>
    public CollectionInfo? Find(DumpNamespace name) =>
        List(name.Database, new BsonBuilder().Append("name", name.Collection).ToBson()).FirstOrDefault();

    /// <summary>The collection of that UUID, under whatever name it has now; null where it is gone.</summary>
    public CollectionInfo? FindByUuid(string database, string uuid) => List(database, filter: null).FirstOrDefault(one => string.Equals(one.Uuid, uuid, StringComparison.Ordinal));

    /// <summary>The index specifications of a collection, in the server's order; none where it is gone.</summary>
    public IReadOnlyList<RawBson> Indexes(DumpNamespace name)
    {
        var indexes = new List<RawBson>();
        try
        {
            using var cursor = client.Open(name.Database, new BsonBuilder().Append("listIndexes", name.Collection), new CursorOptions(), token);
            while (cursor.Next() == CursorStep.Document)
                indexes.Add(new RawBson(cursor.Current.ToArray()));
        }
        catch (MongoException gone) when (gone.Code == NamespaceNotFound)
        {
            indexes.Clear();
        }

        return indexes;
    }

    private List<CollectionInfo> List(string database, RawBson? filter)
    {
        var command = new BsonBuilder().Append("listCollections", 1);
        if (filter is { } wanted)
            command.Append("filter", wanted);
        var found = new List<CollectionInfo>();
        using var cursor = client.Open(database, command, new CursorOptions(), token);
        while (cursor.Next() == CursorStep.Document)
        {
            var one = new RawBson(cursor.Current.ToArray());
            var name = one.FindString("name"u8) ?? throw new BackupException(
                FailureKind.SourceUnreachable, $"The server lists a collection without a name in '{database}'.", "Check the server.", database);
            found.Add(new CollectionInfo(
                new DumpNamespace(database, name), one.FindString("type"u8) ?? "collection", one.FindDocument("options"u8) ?? RawBson.Empty, UuidOf(one.FindDocument("info"u8))));
        }

        return found;
    }

    private static string? UuidOf(RawBson? info)
    {
        if (info is not { } known || !known.TryFind("uuid"u8, out var uuid) || uuid.Type != BsonType.Binary)
            return null;
        return Convert.ToHexStringLower(uuid.AsBinary(out _));
    }
}
