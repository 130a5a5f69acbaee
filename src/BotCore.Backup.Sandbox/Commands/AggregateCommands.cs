using System.Globalization;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Queries;
using BotCore.Backup.Sandbox.Sessions;
using BotCore.Backup.Sandbox.Storage;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Commands;

/// <summary>aggregate, count, distinct and the statistics.</summary>
internal static class AggregateCommands
{
    public static IEnumerable<CommandSpec> All =>
    [
        new("aggregate", Access.Read, Locking.Shared, Aggregate, "pipeline", "cursor", "allowDiskUse", "batchSize", "hint"),
        new("count", Access.Read, Locking.Shared, Count, "query", "limit", "skip", "hint", "fields"),
        new("distinct", Access.Read, Locking.Shared, Distinct, "key", "query"),
        new("collStats", Access.Read, Locking.Shared, context => AppendStats(context.Reply, context.Find(), context.Target, context.Command.FindInt64("scale"u8) ?? 1), "scale"),
        new("dbStats", Access.Read, Locking.Shared, DatabaseStats, "scale", "freeStorage"),
    ];

    private static void Aggregate(CommandContext context)
    {
        var stages = context.Command.FindDocument("pipeline"u8) ?? throw new ServerException(40414, "BSON field 'aggregate.pipeline' is missing but a required field");
        var cursor = context.Command.FindDocument("cursor"u8) ?? throw new ServerException(ServerException.FailedToParse, "The 'cursor' option is required, except for aggregate with the explain argument");
        var collection = context.Command.FindString("aggregate"u8) is null ? throw new ServerException(ServerException.NotImplemented, "The sandbox aggregates collections only.") : context.Find();
        var documents = StatsFirst(context, stages, collection) ?? Pipeline.Run(Pipeline.Source(context.Server.Store, collection), stages);
        FindCommands.Open(context, new ServerCursor(context.Target.ToString(), collection is { IsView: false } ? collection : null, documents) { Owner = context.Client.User }, FindCommands.BatchSize(cursor));
    }

    private static IEnumerable<ReadOnlyMemory<byte>>? StatsFirst(CommandContext context, RawBson stages, StoredCollection? collection)
    {
        var list = ValueTests.Elements(new BsonValue(BsonType.Array, stages.Memory));
        if (list.Count == 0 || list[0].Document.FindDocument("$collStats"u8) is not { } wanted)
            return null;
        if (collection is null)
            throw new ServerException(ServerException.NamespaceNotFound, $"Collection [{context.Target}] not found.");
        var document = new BsonBuilder().Append("ns", context.Target.ToString()).Append("host", context.Server.Address).AppendDateTime("localTime", context.Server.Clock.Milliseconds);
        var reader = wanted.Read();
        while (reader.Read())
        {
            if (reader.Current.NameIs("storageStats"u8))
                AppendStats(document.BeginDocument("storageStats"), collection, null, 1).End();
            else if (reader.Current.NameIs("count"u8))
                document.Append("count", collection.Records.Count);
            else
                throw new ServerException(40415, $"BSON field '$collStats.{reader.Current.NameText}' is an unknown field.");
        }

        var rest = new BsonBuilder();
        for (var i = 1; i < list.Count; i++)
            rest.Append((i - 1).ToString(CultureInfo.InvariantCulture), list[i].Document);
        return Pipeline.Run([document.ToBson().Memory], rest.ToBson());
    }

    private static void Count(CommandContext context)
    {
        var filter = Filter.Parse(context.Command.FindDocument("query"u8) ?? RawBson.Empty);
        var collection = context.Find();
        var count = collection is { IsView: false } plain
            ? filter.IsEmpty ? plain.Records.Count : Scan.Records(plain, filter).Count()
            : Pipeline.Source(context.Server.Store, collection).Count(filter.Matches);
        count = Math.Max(0, count - (int)(context.Command.FindInt64("skip"u8) ?? 0));
        var limit = (int)Math.Abs(context.Command.FindInt64("limit"u8) ?? 0);
        context.Reply.Append("n", limit > 0 ? Math.Min(limit, count) : count);
    }

    private static void Distinct(CommandContext context)
    {
        var path = new BsonPath(context.Command.FindString("key"u8) ?? throw new ServerException(40414, "BSON field 'distinct.key' is missing but a required field"));
        var filter = Filter.Parse(context.Command.FindDocument("query"u8) ?? RawBson.Empty);
        var seen = new HashSet<ValueKey>();
        var values = new List<BsonValue>();
        foreach (var document in Pipeline.Source(context.Server.Store, context.Find()).Where(filter.Matches))
        {
            var found = new List<BsonValue>();
            path.Collect(document, spread: true, found);
            values.AddRange(found.Where(value => !value.IsMissing && value.Type != BsonType.Array && seen.Add(ValueKey.Of(value))));
        }

        context.Reply.BeginArray("values");
        for (var i = 0; i < values.Count; i++)
            context.Reply.AppendRaw(values[i].Type, i.ToString(CultureInfo.InvariantCulture), values[i].Span);
        context.Reply.End();
    }

    private static void DatabaseStats(CommandContext context)
    {
        var collections = context.Server.Store.In(context.Database).ToList();
        var bytes = collections.Sum(collection => collection.Records.Bytes);
        context.Reply.Append("db", context.Database).Append("collections", (long)collections.Count(collection => !collection.IsView)).Append("views", (long)collections.Count(collection => collection.IsView))
            .Append("objects", collections.Sum(collection => (long)collection.Records.Count)).Append("dataSize", (double)bytes).Append("storageSize", (double)bytes)
            .Append("indexes", (long)collections.Sum(collection => collection.Indexes.Count)).Append("indexSize", 0.0).Append("totalSize", (double)bytes).Append("scaleFactor", 1L);
    }

    private static BsonBuilder AppendStats(BsonBuilder to, StoredCollection? collection, Namespace? named, long scale)
    {
        if (named is { } ns)
            to.Append("ns", ns.ToString());
        var bytes = collection?.Records.Bytes ?? 0;
        var count = collection?.Records.Count ?? 0;
        to.Append("size", bytes / scale).Append("count", count);
        if (count > 0)
            to.Append("avgObjSize", bytes / count);
        to.Append("storageSize", bytes / scale).Append("freeStorageSize", 0L).Append("capped", collection is { IsCapped: true });
        if (collection is { IsCapped: true })
            to.Append("max", collection.CappedDocuments).Append("maxSize", collection.CappedBytes / scale);
        return to.Append("nindexes", collection?.Indexes.Count ?? 0).Append("totalIndexSize", 0L).Append("totalSize", bytes / scale).Append("scaleFactor", scale);
    }
}
