using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Queries;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Storage;

/// <summary>Views live in <c>system.views</c>, and so do time-series: a view over <c>system.buckets.*</c>. What is listed is read from there after each write to it.</summary>
internal sealed partial class Catalog
{
    public void RefreshViews(string database)
    {
        foreach (var view in server.Store.In(database).Where(collection => collection.IsView).ToList())
            server.Store.Remove(view);
        if (server.Store.Find(new Namespace(database, "system.views")) is not { } views)
            return;
        foreach (var (_, document) in views.Records.Walk())
        {
            var view = new RawBson(document);
            if (view.FindString("_id"u8) is not { } id || view.FindString("viewOn"u8) is not { } on)
                continue;
            var options = ViewOptions(database, view, on);
            var ns = Namespace.Parse(id);
            if (server.Store.Find(ns) is null)
                server.Store.Add(new StoredCollection(ns, Guid.Empty, options));
        }
    }

    public void ChangeView(StoredCollection view, RawBson change)
    {
        var views = server.Store.Find(view.Namespace with { Collection = "system.views" })!;
        var writes = new DirectWrites(server);
        var old = writes.Find(views, ById(view.Namespace))[0];
        var document = ViewDocument(view.Namespace, change.FindString("viewOn"u8) ?? view.Options.FindString("viewOn"u8)!, change.FindDocument("pipeline"u8) ?? view.Options.FindDocument("pipeline"u8), null);
        writes.Update(views, old, document, document, 0);
    }

    private static Filter ById(Namespace ns) => Filter.Parse(new BsonBuilder().Append("_id", ns.ToString()).ToBson());

    private static RawBson ViewDocument(Namespace ns, string on, RawBson? pipeline, RawBson? collation)
    {
        var builder = new BsonBuilder().Append("_id", ns.ToString()).Append("viewOn", on).AppendArray("pipeline", (pipeline ?? RawBson.Empty).Span);
        if (collation is { } given)
            builder.Append("collation", given);
        return builder.ToBson();
    }

    private RawBson ViewOptions(string database, RawBson view, string on)
    {
        if (on.StartsWith(Buckets, StringComparison.Ordinal) && server.Store.Find(new Namespace(database, on))?.Options is { } options && options.FindDocument("timeseries"u8) is { } timeseries)
        {
            var series = new BsonBuilder().Append("timeseries", timeseries);
            return (options.TryFind("expireAfterSeconds"u8, out var expire) ? series.Append(expire) : series).ToBson();
        }

        var builder = new BsonBuilder().Append("viewOn", on).AppendArray("pipeline", (view.FindDocument("pipeline"u8) ?? RawBson.Empty).Span);
        if (view.FindDocument("collation"u8) is { } collation)
            builder.Append("collation", collation);
        return builder.ToBson();
    }

    private StoredCollection CreateView(Namespace ns, RawBson options)
    {
        if (options.FindString("viewOn"u8) is not { Length: > 0 } on)
            throw new ServerException(ServerException.BadValue, "'viewOn' cannot be empty");
        var views = Demand(ns with { Collection = "system.views" });
        new DirectWrites(server).Insert(views, ViewDocument(ns, on, options.FindDocument("pipeline"u8), options.FindDocument("collation"u8)), 0);
        return server.Store.Find(ns)!;
    }

    private StoredCollection CreateTimeSeries(Namespace ns, RawBson options)
    {
        var given = options.FindDocument("timeseries"u8)!.Value;
        var timeField = given.FindString("timeField"u8) ?? throw new ServerException(40414, "BSON field 'create.timeseries.timeField' is missing but a required field");
        var timeseries = new BsonBuilder().Append("timeField", timeField);
        var reader = given.Read();
        while (reader.Read())
        {
            if (!reader.Current.NameIs("timeField"u8))
                timeseries.Append(reader.Current);
        }

        if (!given.Has("granularity"u8) && !given.Has("bucketMaxSpanSeconds"u8))
            timeseries.Append("granularity", "seconds");
        if (!given.Has("bucketMaxSpanSeconds"u8))
            timeseries.Append("bucketMaxSpanSeconds", given.FindString("granularity"u8) switch { "minutes" => 86400, "hours" => 2592000, _ => 3600 });
        var buckets = ns with { Collection = Buckets + ns.Collection };
        if (server.Store.Find(buckets) is null)
            Create(buckets, BucketOptions(options, timeseries.ToBson()));
        var views = Demand(ns with { Collection = "system.views" });
        var unpack = new BsonBuilder().BeginDocument("0").BeginDocument("$_internalUnpackBucket").Append("timeField", timeField).End().End().ToBson();
        new DirectWrites(server).Insert(views, ViewDocument(ns, buckets.Collection, unpack, null), 0);
        return server.Store.Find(ns)!;
    }

    private static RawBson BucketOptions(RawBson options, RawBson timeseries)
    {
        var builder = new BsonBuilder().BeginDocument("validator").BeginDocument("$jsonSchema").Append("bsonType", "object")
            .BeginArray("required").Append("0", "_id").Append("1", "control").Append("2", "data").End().End().End()
            .Append("clusteredIndex", value: true);
        if (options.TryFind("expireAfterSeconds"u8, out var expire))
            builder.Append(expire);
        return builder.Append("timeseries", timeseries).ToBson();
    }

    private void DropView(StoredCollection view)
    {
        var views = server.Store.Find(view.Namespace with { Collection = "system.views" })!;
        var writes = new DirectWrites(server);
        writes.Delete(views, writes.Find(views, ById(view.Namespace))[0], 0);
        if (view.IsTimeSeries && server.Store.Find(view.Namespace with { Collection = Buckets + view.Namespace.Collection }) is { } buckets)
            Drop(buckets);
    }
}
