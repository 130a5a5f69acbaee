using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Oplog;
using BotCore.Backup.Sandbox.Queries;
using BotCore.Backup.Sandbox.Sessions;
using BotCore.Backup.Sandbox.Storage;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Commands;

/// <summary>Databases and collections: listed, made, changed, renamed, dropped.</summary>
internal static class CollectionCommands
{
    public static IEnumerable<CommandSpec> All =>
    [
        new("listDatabases", Access.LoggedIn, Locking.Shared, ListDatabases, "nameOnly", "filter", "authorizedDatabases"),
        new("listCollections", Access.Read, Locking.Shared, ListCollections, "nameOnly", "filter", "authorizedCollections", "cursor"),
        new("create", Access.Write, Locking.Exclusive, Create, [.. Catalog.KnownOptions]),
        new("drop", Access.Write, Locking.Exclusive, Drop),
        new("dropDatabase", Access.Write, Locking.Exclusive, DropDatabase),
        new("collMod", Access.Write, Locking.Exclusive, context => context.Server.Catalog.CollMod(context.Need(), WithoutHead(context.Command)), "index", "validator", "validationLevel", "validationAction", "expireAfterSeconds", "viewOn", "pipeline", "cappedSize", "cappedMax", "changeStreamPreAndPostImages"),
        new("renameCollection", Access.Root, Locking.Exclusive, Rename, "to", "dropTarget", "stayTemp"),
        new("convertToCapped", Access.Write, Locking.Exclusive, ConvertToCapped, "size"),
    ];

    /// <summary>The command's own options, without its name and without what every command may carry.</summary>
    public static RawBson WithoutHead(RawBson command)
    {
        var builder = new BsonBuilder(command.Length);
        var reader = command.Read();
        for (reader.Read(); reader.Read();)
        {
            if (reader.Current.NameText is not ("$db" or "$readPreference" or "$clusterTime" or "lsid" or "txnNumber" or "writeConcern" or "readConcern" or "maxTimeMS" or "comment" or "apiVersion" or "apiStrict" or "apiDeprecationErrors"))
                builder.Append(reader.Current);
        }

        return builder.ToBson();
    }

    private static void ListDatabases(CommandContext context)
    {
        if (context.Database is not "admin")
            throw new ServerException(ServerException.Unauthorized, "listDatabases may only be run against the admin database.");
        var filter = Filter.Parse(context.Command.FindDocument("filter"u8) ?? RawBson.Empty);
        var nameOnly = context.Command.IsTrue("nameOnly"u8);
        var (place, total) = (0, 0L);
        context.Reply.BeginArray("databases");
        foreach (var name in context.Server.Store.Databases.Where(name => context.Server.Logins.MayRead(context.Client, name)))
        {
            var bytes = context.Server.Store.In(name).Sum(collection => collection.Records.Bytes);
            var entry = new BsonBuilder().Append("name", name);
            if (!nameOnly)
                entry.Append("sizeOnDisk", bytes).Append("empty", value: false);
            var document = entry.ToBson();
            if (!filter.Matches(document.Memory))
                continue;
            context.Reply.Append(place++.ToString(System.Globalization.CultureInfo.InvariantCulture), document);
            total += bytes;
        }

        context.Reply.End();
        if (!nameOnly)
            context.Reply.Append("totalSize", total).Append("totalSizeMb", total >> 20);
    }

    private static void ListCollections(CommandContext context)
    {
        var filter = Filter.Parse(context.Command.FindDocument("filter"u8) ?? RawBson.Empty);
        var nameOnly = context.Command.IsTrue("nameOnly"u8);
        // A list of its own: the catalog may change while the cursor is open.
        var entries = context.Server.Store.In(context.Database).Select(collection => Entry(collection, nameOnly).Memory).Where(filter.Matches).ToList();
        var cursor = new ServerCursor($"{context.Database}.$cmd.listCollections", null, entries) { Owner = context.Client.User };
        FindCommands.Open(context, cursor, FindCommands.BatchSize(context.Command.FindDocument("cursor"u8) ?? RawBson.Empty) ?? int.MaxValue);
    }

    private static RawBson Entry(StoredCollection collection, bool nameOnly)
    {
        var entry = new BsonBuilder().Append("name", collection.Namespace.Collection).Append("type", collection.Type);
        if (nameOnly)
            return entry.ToBson();
        var options = new BsonBuilder();
        var reader = collection.Options.Read();
        while (reader.Read())
        {
            if (!reader.Current.NameIs("idIndex"u8))
                options.Append(reader.Current);
        }

        entry.Append("options", options.ToBson()).BeginDocument("info").Append("readOnly", collection.IsView && !collection.IsTimeSeries);
        if (!collection.IsView)
            OplogLog.AppendUuid(entry, "uuid", collection.Uuid);
        entry.End();
        if (!collection.IsView && collection.Indexes.Count > 0 && !collection.Options.Has("clusteredIndex"u8))
            entry.Append("idIndex", collection.IdIndex);
        return entry.ToBson();
    }

    private static void Create(CommandContext context) => context.Server.Catalog.Create(context.Target, WithoutHead(context.Command));

    private static void Drop(CommandContext context)
    {
        var collection = context.Need();
        context.Reply.Append("nIndexesWas", collection.Indexes.Count).Append("ns", context.Target.ToString());
        context.Server.Catalog.Drop(collection);
    }

    private static void DropDatabase(CommandContext context)
    {
        if (context.Server.Catalog.DropDatabase(context.Database))
            context.Reply.Append("dropped", context.Database);
    }

    private static void Rename(CommandContext context)
    {
        if (context.Database is not "admin")
            throw new ServerException(ServerException.Unauthorized, "renameCollection may only be run against the admin database.");
        var from = Namespace.Parse(context.Argument);
        var to = Namespace.Parse(context.Command.FindString("to"u8) ?? throw new ServerException(40414, "BSON field 'renameCollection.to' is missing but a required field"));
        var source = context.Server.Store.Find(from) ?? throw new ServerException(ServerException.NamespaceNotFound, $"Source collection {from} does not exist");
        context.Server.Catalog.Rename(source, to, context.Command.IsTrue("dropTarget"u8));
    }

    private static void ConvertToCapped(CommandContext context)
    {
        if (!context.Command.TryFind("size"u8, out var size) || !size.IsNumber || size.AsDouble() <= 0)
            throw new ServerException(ServerException.InvalidOptions, "Capped collection size must be greater than zero");
        context.Server.Catalog.ConvertToCapped(context.Need(), size.AsDouble());
    }
}
