using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Storage;

/// <summary>
/// Indexes of a time-series collection stand on its buckets, on the fields that the buckets have for those of the measurements: the meta field is <c>meta</c>, every other field has
/// its bounds in <c>control.min</c> and <c>control.max</c>. What was asked for is kept as <c>originalSpec</c>, and listed. Source: MongoDB manual, "Time Series Secondary Indexes".
/// </summary>
internal static class TimeSeriesIndexes
{
    private const string Buckets = "system.buckets.";

    /// <summary>The buckets of <paramref name="series"/>.</summary>
    public static StoredCollection BucketsOf(ServerState server, StoredCollection series) =>
        server.Store.Find(series.Namespace with { Collection = Buckets + series.Namespace.Collection })
        ?? throw new ServerException(ServerException.NamespaceNotFound, $"The buckets of {series.Namespace} are not there.");

    /// <summary>The index of the buckets for one of the series.</summary>
    public static RawBson ToBuckets(RawBson spec, RawBson options)
    {
        var meta = options.FindDocument("timeseries"u8)?.FindString("metaField"u8);
        var bucket = new BsonBuilder(spec.Length * 2);
        var fields = spec.Read();
        while (fields.Read())
        {
            if (!fields.Current.NameIs("key"u8))
            {
                bucket.Append(fields.Current);
                continue;
            }

            bucket.BeginDocument("key");
            var keys = new BsonReader(fields.Current.AsDocument());
            while (keys.Read())
                AppendKey(bucket, keys.Current, meta);
            bucket.End();
        }

        return bucket.Append("originalSpec", spec).ToBson();
    }

    /// <summary>The indexes as they were asked for.</summary>
    public static List<ReadOnlyMemory<byte>> Listed(StoredCollection buckets) =>
        [.. buckets.Indexes.Where(index => !index.IsId).Select(index => (index.Spec.FindDocument("originalSpec"u8) ?? index.Spec).Memory)];

    private static void AppendKey(BsonBuilder bucket, BsonElement key, string? meta)
    {
        var name = key.NameText;
        if (meta is not null && (string.Equals(name, meta, StringComparison.Ordinal) || name.StartsWith(meta + ".", StringComparison.Ordinal)))
        {
            bucket.Append("meta" + name[meta.Length..], key);
            return;
        }

        var descends = key.IsNumber && key.AsDouble() < 0;
        bucket.Append($"control.{(descends ? "max" : "min")}.{name}", key);
        bucket.Append($"control.{(descends ? "min" : "max")}.{name}", key);
    }
}
