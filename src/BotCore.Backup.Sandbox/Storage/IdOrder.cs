using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Storage;

/// <summary>The records of a collection in the order of <c>_id</c> at one moment. Immutable: records removed since are still named, and the reader skips them.</summary>
internal sealed record OrderedIds(BsonValue[] Ids, int[] Numbers)
{
    public int Count => Numbers.Length;

    /// <summary>The first place whose <c>_id</c> is not below <paramref name="bound"/>, or is above it with <paramref name="after"/>.</summary>
    public int Find(BsonValue bound, bool after)
    {
        var low = 0;
        var high = Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            var order = BsonOrder.Compare(Ids[middle], bound);
            if (order < 0 || (order == 0 && after))
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }
}

/// <summary>Keeps <see cref="OrderedIds"/>: made at first need, and then by merging what was inserted since. Has a lock of its own, as readers share the server's.</summary>
internal sealed class IdOrder(RecordStore records)
{
    private readonly Lock _gate = new();
    private OrderedIds _current = new([], []);
    private int _seen;

    public OrderedIds Current()
    {
        lock (_gate)
        {
            if (_seen == records.Next)
                return _current;
            var fresh = Fresh();
            _current = _current.Count == 0 || (fresh.Count > 0 && BsonOrder.Compare(_current.Ids[^1], fresh.Ids[0]) < 0)
                ? new OrderedIds([.. _current.Ids, .. fresh.Ids], [.. _current.Numbers, .. fresh.Numbers])
                : Merge(_current, fresh);
            _seen = records.Next;
            return _current;
        }
    }

    public static BsonValue IdOf(ReadOnlyMemory<byte> document) =>
        !document.IsEmpty && RawBson.TryFind(document.Span, "_id"u8, out var id) ? BsonValue.Within(document, id) : BsonValue.Missing;

    private OrderedIds Fresh()
    {
        var numbers = records.Walk(_seen).Select(record => record.Number).ToArray();
        var ids = Array.ConvertAll(numbers, number => IdOf(records[number]));
        Array.Sort(ids, numbers, Comparer<BsonValue>.Create(BsonOrder.Compare));
        return new OrderedIds(ids, numbers);
    }

    private OrderedIds Merge(OrderedIds old, OrderedIds fresh)
    {
        var ids = new List<BsonValue>(old.Count + fresh.Count);
        var numbers = new List<int>(old.Count + fresh.Count);
        var at = 0;
        for (var i = 0; i < old.Count; i++)
        {
            if (records[old.Numbers[i]].IsEmpty)
                continue;
            for (; at < fresh.Count && BsonOrder.Compare(fresh.Ids[at], old.Ids[i]) < 0; at++)
            {
                ids.Add(fresh.Ids[at]);
                numbers.Add(fresh.Numbers[at]);
            }

            ids.Add(old.Ids[i]);
            numbers.Add(old.Numbers[i]);
        }

        ids.AddRange(fresh.Ids.AsSpan(at));
        numbers.AddRange(fresh.Numbers.AsSpan(at));
        return new OrderedIds([.. ids], [.. numbers]);
    }
}
