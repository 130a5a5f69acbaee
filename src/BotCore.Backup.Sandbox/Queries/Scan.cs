using System.Buffers.Binary;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Storage;

namespace BotCore.Backup.Sandbox.Queries;

/// <summary>Chooses the way to the documents that a filter wants. What it gives is lazy: it looks at the collection as it is when the reader moves on.</summary>
internal static class Scan
{
    /// <summary>Matching records with their numbers, in natural order unless <c>_id</c> says where they are.</summary>
    public static IEnumerable<(int Number, ReadOnlyMemory<byte> Document)> Records(StoredCollection collection, Filter filter)
    {
        if (filter.Bounds.Exact is { } exact && collection.HasIds)
            return ByIds(collection, exact).Where(record => filter.Matches(record.Document));
        var records = filter.Bounds.IsRange && collection.HasIds ? ByIdRange(collection, filter.Bounds, backward: false) : collection.Records.Walk(Start(collection, filter));
        return filter.IsEmpty ? records : records.Where(record => filter.Matches(record.Document));
    }

    /// <summary>Matching documents in the order asked for.</summary>
    public static IEnumerable<ReadOnlyMemory<byte>> Documents(StoredCollection collection, Filter filter, SortOrder? sort)
    {
        if (sort is { Natural: < 0 })
            return collection.Records.WalkBack().Select(record => record.Document).Where(filter.Matches);
        if (sort is { Natural: > 0 })
            return collection.Records.Walk(Start(collection, filter)).Select(record => record.Document).Where(filter.Matches);
        if (sort is { ById: not 0 } && collection.HasIds)
            return ByIdRange(collection, filter.Bounds, sort.ById < 0).Select(record => record.Document).Where(filter.Matches);
        var found = Records(collection, filter).Select(record => record.Document);
        return sort is null ? found : sort.Sort(found);
    }

    /// <summary>Where a walk may begin: for the oplog, at the first entry that the filter's <c>ts</c> allows.</summary>
    public static int Start(StoredCollection collection, Filter filter)
    {
        if (collection.HasIds || filter.Bounds.FromTimestamp is not { } from)
            return collection.Records.First;
        var low = collection.Records.First;
        var high = collection.Records.Next;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (TimestampOf(collection.Records[middle]) < from)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }

    public static BsonTimestamp TimestampOf(ReadOnlyMemory<byte> entry) =>
        RawBson.TryFind(entry.Span, "ts"u8, out var ts) && ts.Type == BsonType.Timestamp ? BsonTimestamp.FromValue(BinaryPrimitives.ReadUInt64LittleEndian(ts.Value)) : default;

    private static IEnumerable<(int Number, ReadOnlyMemory<byte> Document)> ByIds(StoredCollection collection, List<Values.BsonValue> ids)
    {
        var seen = new HashSet<int>();
        foreach (var id in ids)
        {
            if (collection.TryFind(id, out var number) && seen.Add(number))
                yield return (number, collection.Records[number]);
        }
    }

    private static IEnumerable<(int Number, ReadOnlyMemory<byte> Document)> ByIdRange(StoredCollection collection, IdBounds bounds, bool backward)
    {
        var order = collection.OrderedIds;
        var from = bounds.Lower is { } lower ? order.Find(lower.Value, after: !lower.Inclusive) : 0;
        var to = bounds.Upper is { } upper ? order.Find(upper.Value, after: upper.Inclusive) : order.Count;
        for (var i = 0; i < to - from; i++)
        {
            var number = order.Numbers[backward ? to - 1 - i : from + i];
            var document = collection.Records[number];
            if (!document.IsEmpty)
                yield return (number, document);
        }
    }
}
