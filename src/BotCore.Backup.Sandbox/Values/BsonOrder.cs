using System.Buffers.Binary;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Sandbox.Values;

/// <summary>The order of values across all types, as the server sorts and compares them (MongoDB manual, "Comparison/Sort Order"; binary collation).</summary>
internal static class BsonOrder
{
    /// <summary>The rank of a type; types of one rank compare by value, and query operators bracket by it.</summary>
    public static int Rank(BsonType type) => type switch
    {
        BsonType.MinKey => -1,
        BsonType.None or BsonType.Undefined => 0,
        BsonType.Null => 5,
        BsonType.Double or BsonType.Int32 or BsonType.Int64 or BsonType.Decimal128 => 10,
        BsonType.String or BsonType.Symbol => 15,
        BsonType.Document => 20,
        BsonType.Array => 25,
        BsonType.Binary => 30,
        BsonType.ObjectId => 35,
        BsonType.Boolean => 40,
        BsonType.DateTime => 45,
        BsonType.Timestamp => 47,
        BsonType.RegularExpression => 50,
        BsonType.DbPointer => 55,
        BsonType.JavaScript => 60,
        BsonType.JavaScriptWithScope => 65,
        BsonType.MaxKey => 127,
        _ => throw new BsonException($"There is no type 0x{(byte)type:X2}."),
    };

    public static int Compare(BsonValue left, BsonValue right) => Compare(left.Type, left.Span, right.Type, right.Span);

    public static int Compare(BsonType leftType, ReadOnlySpan<byte> left, BsonType rightType, ReadOnlySpan<byte> right)
    {
        var rank = Rank(leftType);
        var byRank = rank.CompareTo(Rank(rightType));
        if (byRank != 0)
            return byRank;
        return leftType switch
        {
            BsonType.Double or BsonType.Int32 or BsonType.Int64 or BsonType.Decimal128 => NumberOrder.Compare(leftType, left, rightType, right),
            BsonType.String or BsonType.Symbol or BsonType.JavaScript => left[4..^1].SequenceCompareTo(right[4..^1]),
            BsonType.Document or BsonType.Array => CompareDocuments(left, right),
            BsonType.Binary => CompareBinaries(left, right),
            BsonType.ObjectId or BsonType.Boolean or BsonType.RegularExpression => left.SequenceCompareTo(right),
            BsonType.DateTime => BinaryPrimitives.ReadInt64LittleEndian(left).CompareTo(BinaryPrimitives.ReadInt64LittleEndian(right)),
            BsonType.Timestamp => BinaryPrimitives.ReadUInt64LittleEndian(left).CompareTo(BinaryPrimitives.ReadUInt64LittleEndian(right)),
            BsonType.DbPointer => ComparePointers(left, right),
            BsonType.JavaScriptWithScope => CompareScopes(left, right),
            _ => 0,
        };
    }

    private static int CompareDocuments(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        var leftReader = new BsonReader(left);
        var rightReader = new BsonReader(right);
        while (true)
        {
            var leftMore = leftReader.Read();
            var rightMore = rightReader.Read();
            if (!leftMore || !rightMore)
                return leftMore.CompareTo(rightMore);
            var order = CompareElements(leftReader.Current, rightReader.Current);
            if (order != 0)
                return order;
        }
    }

    private static int CompareElements(BsonElement left, BsonElement right)
    {
        var order = Rank(left.Type).CompareTo(Rank(right.Type));
        if (order == 0)
            order = left.Name.SequenceCompareTo(right.Name);
        return order != 0 ? order : Compare(left.Type, left.Value, right.Type, right.Value);
    }

    // Length, subtype, bytes.
    private static int CompareBinaries(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        var order = left.Length.CompareTo(right.Length);
        return order != 0 ? order : left[4..].SequenceCompareTo(right[4..]);
    }

    private static int ComparePointers(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        var order = left.Length.CompareTo(right.Length);
        return order != 0 ? order : left[4..].SequenceCompareTo(right[4..]);
    }

    private static int CompareScopes(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        var leftCode = 4 + BinaryPrimitives.ReadInt32LittleEndian(left[4..]);
        var rightCode = 4 + BinaryPrimitives.ReadInt32LittleEndian(right[4..]);
        var order = left.Slice(8, leftCode - 5).SequenceCompareTo(right.Slice(8, rightCode - 5));
        return order != 0 ? order : CompareDocuments(left[(4 + leftCode)..], right[(4 + rightCode)..]);
    }
}
