using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumping;

/// <summary>
/// Splits a big collection by _id so that several connections read it at once. Comparisons stay within one type of _id, so each type that is there gets legs of its own;
/// together the legs cover every value. What is written meanwhile, the oplog has.
/// </summary>
internal sealed class IdRanges(MongoClient client, CancellationToken token)
{
    // A value of each kind that comparisons keep apart, by the type's number for $type. Numbers and strings are families: one bound reaches all of their types.
    private static readonly (int[] Types, bool Ordered)[] Families =
    [
        ([-1], false), ([1, 16, 18, 19], true), ([2, 14], true), ([3], false), ([4], false), ([5], true), ([6], false), ([7], true), ([8], false),
        ([9], true), ([10], false), ([11], false), ([12], false), ([13], false), ([15], false), ([17], true), ([127], false),
    ];

    /// <summary>Filters whose results together are the collection; one empty filter where it cannot be split.</summary>
    public IReadOnlyList<RawBson> Split(DumpNamespace name, int legs)
    {
        var bounds = Bounds(name, legs);
        if (bounds.Count == 0)
            return [RawBson.Empty];
        var filters = new List<RawBson>();
        foreach (var (types, ordered) in Families)
        {
            if (!IsThere(name, types))
                continue;
            var within = ordered ? bounds.Where(bound => types.Contains(Number(bound.Type))).ToList() : [];
            AddFamily(filters, types, within);
        }

        return filters;
    }

    private static void AddFamily(List<RawBson> filters, int[] types, List<Bound> bounds)
    {
        if (bounds.Count == 0)
        {
            filters.Add(OfTypes(types));
            return;
        }

        for (var at = 0; at <= bounds.Count; at++)
        {
            var filter = new BsonBuilder().BeginDocument("_id");
            if (at > 0)
                filter.AppendRaw(bounds[at - 1].Type, "$gt", bounds[at - 1].Value);
            if (at < bounds.Count)
                filter.AppendRaw(bounds[at].Type, "$lte", bounds[at].Value);
            filters.Add(filter.End().ToBson());
        }

        // Not a number is neither above nor below any number.
        if (types.Contains((int)BsonType.Double))
            filters.Add(new BsonBuilder().Append("_id", double.NaN).ToBson());
    }

    private static RawBson OfTypes(int[] types)
    {
        var filter = new BsonBuilder().BeginDocument("_id").BeginArray("$type");
        for (var at = 0; at < types.Length; at++)
            filter.Append(at.ToString(System.Globalization.CultureInfo.InvariantCulture), types[at]);
        return filter.End().End().ToBson();
    }

    private static int Number(BsonType type) => type == BsonType.MinKey ? -1 : (int)type;

    private bool IsThere(DumpNamespace name, int[] types)
    {
        var find = new BsonBuilder().Append("find", name.Collection).Append("filter", OfTypes(types)).Append("limit", 1).BeginDocument("projection").Append("_id", 1).End();
        using var cursor = client.Open(name.Database, find, new CursorOptions(), token);
        return cursor.Next() == CursorStep.Document;
    }

    // A sample, in the server's own order of values, cut into pieces of about one size.
    private List<Bound> Bounds(DumpNamespace name, int legs)
    {
        var sample = new List<Bound>();
        var aggregate = new BsonBuilder().Append("aggregate", name.Collection).BeginArray("pipeline")
            .BeginDocument("0").BeginDocument("$sample").Append("size", legs * 50).End().End()
            .BeginDocument("1").BeginDocument("$project").Append("_id", 1).End().End()
            .BeginDocument("2").BeginDocument("$sort").Append("_id", 1).End().End()
            .End().BeginDocument("cursor").End();
        try
        {
            using var cursor = client.Open(name.Database, aggregate, new CursorOptions(), token);
            while (cursor.Next() == CursorStep.Document)
            {
                if (RawBson.TryFind(cursor.Current, "_id"u8, out var id))
                    sample.Add(new Bound(id.Type, id.Value.ToArray()));
            }
        }
        catch (MongoException refused) when (refused.Error == MongoError.CommandFailed)
        {
            // Not every server samples: the collection is then read on one connection.
            return [];
        }

        var bounds = new List<Bound>();
        for (var leg = 1; leg < legs; leg++)
        {
            var at = (int)((long)sample.Count * leg / legs);
            if (at < sample.Count && !(bounds.Count > 0 && bounds[^1].IsSame(sample[at])) && !sample[at].IsNaN)
                bounds.Add(sample[at]);
        }

        return bounds;
    }

    private sealed record Bound(BsonType Type, byte[] Value)
    {
        public bool IsNaN => Type switch
        {
            BsonType.Double => double.IsNaN(BitConverter.ToDouble(Value)),
            // Decimal128: the five bits under the sign are all set.
            BsonType.Decimal128 => (Value[15] & 0x7C) == 0x7C,
            _ => false,
        };

        public bool IsSame(Bound other) => Type == other.Type && Value.AsSpan().SequenceEqual(other.Value);
    }
}
