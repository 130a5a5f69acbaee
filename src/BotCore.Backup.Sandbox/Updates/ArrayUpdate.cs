using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Queries;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Updates;

/// <summary>The operators that change arrays.</summary>
internal static class ArrayUpdate
{
    public static void Push(MutableDocument array, BsonValue value)
    {
        if (!HasEach(value, out var each))
        {
            array.Push(value);
            return;
        }

        var position = value.Document.FindInt64("$position"u8) ?? array.Count;
        var at = (int)(position < 0 ? Math.Max(0, array.Count + position) : Math.Min(position, array.Count));
        foreach (var one in each)
            array.Insert(at++, one);
        if (value.Document.Has("$sort"u8))
            throw new ServerException(ServerException.NotImplemented, "The sandbox does not know $push with $sort.");
        if (value.Document.FindInt64("$slice"u8) is not { } slice)
            return;
        if (slice >= 0)
            array.Resize((int)Math.Min(slice, array.Count));
        while (slice < 0 && array.Count > -slice)
            array.RemoveAt(0);
    }

    public static void AddToSet(MutableDocument array, BsonValue value)
    {
        foreach (var one in HasEach(value, out var each) ? each : [value])
        {
            if (!Enumerable.Range(0, array.Count).Any(i => BsonOrder.Compare(array.At(i), one) == 0))
                array.Push(one);
        }
    }

    public static void Pull(MutableDocument? array, BsonValue value)
    {
        if (array is null)
            return;
        if (value.Type != BsonType.Document)
        {
            var test = value.Type == BsonType.RegularExpression ? ValueTests.Regex(value, options: null) : one => BsonOrder.Compare(one, value) == 0;
            array.RemoveAll(test);
            return;
        }

        if (FilterParser.IsOperators(value))
        {
            var operators = Filter.Parse(new BsonBuilder().Append("e", value.Document).ToBson());
            array.RemoveAll(one => operators.Matches(new BsonBuilder().AppendRaw(one.Type, "e", one.Span).ToBson().Memory));
            return;
        }

        var filter = Filter.Parse(value.Document);
        array.RemoveAll(one => one.Type == BsonType.Document && filter.Matches(one.Bytes));
    }

    public static void Pop(MutableDocument? array, BsonValue value)
    {
        if (array is { Count: > 0 })
            array.RemoveAt(value.AsInt64() < 0 ? 0 : array.Count - 1);
    }

    private static bool HasEach(BsonValue value, out List<BsonValue> each)
    {
        each = [];
        if (value.Type != BsonType.Document || value.Document.FindDocument("$each"u8) is not { } given)
            return false;
        each = ValueTests.Elements(new BsonValue(BsonType.Array, given.Memory));
        return true;
    }
}
