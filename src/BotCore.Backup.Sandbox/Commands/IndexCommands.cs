using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Sessions;
using BotCore.Backup.Sandbox.Storage;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Commands;

/// <summary>Indexes: listed, made, dropped.</summary>
internal static class IndexCommands
{
    public static IEnumerable<CommandSpec> All =>
    [
        new("listIndexes", Access.Read, Locking.Shared, List, "cursor", "includeBuildUUIDs"),
        new("createIndexes", Access.Write, Locking.Exclusive, Create, "indexes", "commitQuorum", "ignoreUnknownIndexOptions"),
        new("dropIndexes", Access.Write, Locking.Exclusive, Drop, "index"),
        new("deleteIndexes", Access.Write, Locking.Exclusive, Drop, "index"),
    ];

    private static void List(CommandContext context)
    {
        var collection = context.Need();
        if (collection.IsView && !collection.IsTimeSeries)
            throw new ServerException(ServerException.CommandNotSupportedOnView, $"Namespace {context.Target} is a view, not a collection");
        var entries = collection.IsTimeSeries ? TimeSeriesIndexes.Listed(TimeSeriesIndexes.BucketsOf(context.Server, collection)) : collection.Indexes.ConvertAll(index => index.Spec.Memory);
        var cursor = new ServerCursor(context.Target.ToString(), null, entries) { Owner = context.Client.User };
        FindCommands.Open(context, cursor, FindCommands.BatchSize(context.Command.FindDocument("cursor"u8) ?? RawBson.Empty) ?? int.MaxValue);
    }

    private static void Create(CommandContext context)
    {
        var existed = context.Find() is not null;
        var specs = context.Documents("indexes");
        StoredCollection collection;
        if (context.Find() is { IsTimeSeries: true } series)
        {
            collection = TimeSeriesIndexes.BucketsOf(context.Server, series);
            specs = [.. specs.Select(spec => TimeSeriesIndexes.ToBuckets(spec, series.Options))];
        }
        else
        {
            collection = WriteCommands.Writable(context, demand: true);
        }

        var before = collection.Indexes.Count;
        var made = context.Server.Catalog.CreateIndexes(collection, specs);
        context.Reply.Append("numIndexesBefore", before).Append("numIndexesAfter", before + made).Append("createdCollectionAutomatically", !existed);
        if (made == 0)
            context.Reply.Append("note", "all indexes already exist");
    }

    private static void Drop(CommandContext context)
    {
        var collection = context.Need();
        if (collection.IsTimeSeries)
            collection = TimeSeriesIndexes.BucketsOf(context.Server, collection);
        if (!context.Command.TryFind("index"u8, out var wanted))
            throw new ServerException(40414, "BSON field 'dropIndexes.index' is missing but a required field");
        context.Reply.Append("nIndexesWas", collection.Indexes.Count);
        foreach (var index in Catalog.FindIndexes(collection, BsonValue.CopyOf(wanted)))
            context.Server.Catalog.DropIndex(collection, index);
    }
}
