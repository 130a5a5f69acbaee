using System.Security.Cryptography;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Storage;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Queries;

/// <summary>The stages of an aggregation that the sandbox knows; all else is an error.</summary>
internal static class Pipeline
{
    public static IEnumerable<ReadOnlyMemory<byte>> Run(IEnumerable<ReadOnlyMemory<byte>> documents, RawBson stages)
    {
        foreach (var stage in ValueTests.Elements(new BsonValue(BsonType.Array, stages.Memory)))
        {
            var reader = stage.Document.Read();
            if (!reader.Read())
                throw new ServerException(40323, "A pipeline stage specification object must contain exactly one field.");
            documents = One(documents, reader.Current.NameText, BsonValue.Within(stage.Bytes, reader.Current));
        }

        return documents;
    }

    /// <summary>The documents of a collection or of a view, whose own pipeline runs first.</summary>
    public static IEnumerable<ReadOnlyMemory<byte>> Source(DataStore store, StoredCollection? collection, int depth = 0)
    {
        if (collection is null)
            return [];
        if (!collection.IsView)
            return collection.Records.Walk().Select(record => record.Document);
        if (collection.IsTimeSeries)
            throw new ServerException(ServerException.NotImplemented, "The sandbox does not unpack the buckets of time-series: read system.buckets.* itself.");
        if (depth > 20)
            throw new ServerException(165, "View depth too deep or view cycle detected");
        var on = store.Find(collection.Namespace with { Collection = collection.Options.FindString("viewOn"u8)! });
        return Run(Source(store, on, depth + 1), collection.Options.FindDocument("pipeline"u8) ?? RawBson.Empty);
    }

    private static IEnumerable<ReadOnlyMemory<byte>> One(IEnumerable<ReadOnlyMemory<byte>> documents, string name, BsonValue value)
    {
        switch (name)
        {
            case "$match":
                return documents.Where(Filter.Parse(value.Document).Matches);
            case "$sort":
                return SortOrder.Parse(value.Document)?.Sort(documents) ?? documents;
            case "$limit":
                return documents.Take((int)value.AsInt64());
            case "$skip":
                return documents.Skip((int)value.AsInt64());
            case "$project":
                var projection = Projection.Parse(value.Document) ?? throw new ServerException(51272, "projection specification must have at least one field");
                return documents.Select(projection.Apply);
            case "$unset":
                var gone = new BsonBuilder();
                foreach (var field in value.Type == BsonType.Array ? ValueTests.Elements(value) : [value])
                    gone.Append(field.AsString(), 0);
                return documents.Select(Projection.Parse(gone.ToBson())!.Apply);
            case "$count":
                return Count(documents, value.AsString());
            case "$sample":
                var all = documents.ToArray();
                RandomNumberGenerator.Shuffle<ReadOnlyMemory<byte>>(all);
                return all.Take((int)(value.Document.FindInt64("size"u8) ?? throw new ServerException(28749, "$sample stage must specify a size")));
            case "$group":
                return new Grouping(value.Document).Run(documents);
            default:
                throw new ServerException(40324, $"Unrecognized pipeline stage name: '{name}'");
        }
    }

    private static IEnumerable<ReadOnlyMemory<byte>> Count(IEnumerable<ReadOnlyMemory<byte>> documents, string field)
    {
        var count = documents.Count();
        return count == 0 ? [] : [new BsonBuilder().Append(field, count).ToBson().Memory];
    }
}
