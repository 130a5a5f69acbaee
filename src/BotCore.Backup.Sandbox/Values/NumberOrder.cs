using System.Buffers.Binary;
using System.Numerics;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Sandbox.Values;

/// <summary>Compares numbers of all four types by their exact value. NaN is below every number and equal to itself; minus zero is zero.</summary>
internal static class NumberOrder
{
    public static int Compare(BsonType leftType, ReadOnlySpan<byte> left, BsonType rightType, ReadOnlySpan<byte> right)
    {
        if (leftType == BsonType.Decimal128 || rightType == BsonType.Decimal128)
            return CompareExact(leftType, left, rightType, right);
        if (leftType == BsonType.Double)
        {
            var number = BinaryPrimitives.ReadDoubleLittleEndian(left);
            return rightType == BsonType.Double ? CompareDoubles(number, BinaryPrimitives.ReadDoubleLittleEndian(right)) : -CompareWhole(Whole(rightType, right), number);
        }

        return rightType == BsonType.Double
            ? CompareWhole(Whole(leftType, left), BinaryPrimitives.ReadDoubleLittleEndian(right))
            : Whole(leftType, left).CompareTo(Whole(rightType, right));
    }

    private static long Whole(BsonType type, ReadOnlySpan<byte> value) =>
        type == BsonType.Int32 ? BinaryPrimitives.ReadInt32LittleEndian(value) : BinaryPrimitives.ReadInt64LittleEndian(value);

    // CompareTo puts NaN first, as the server does.
    private static int CompareDoubles(double left, double right) => left == right ? 0 : left.CompareTo(right);

    private static int CompareWhole(long left, double right)
    {
        if (double.IsNaN(right))
            return 1;
        if (right >= 9223372036854775808.0)
            return -1;
        if (right < -9223372036854775808.0)
            return 1;
        var whole = (long)right;
        var order = left.CompareTo(whole);
        return order != 0 ? order : 0.0.CompareTo(right - Math.Truncate(right));
    }

    private static int CompareExact(BsonType leftType, ReadOnlySpan<byte> left, BsonType rightType, ReadOnlySpan<byte> right)
    {
        var one = ExactNumber.Read(leftType, left);
        var two = ExactNumber.Read(rightType, right);
        var order = one.Class.CompareTo(two.Class);
        if (order != 0 || one.Class != NumberClass.Finite)
            return order;
        order = one.Coefficient.Sign.CompareTo(two.Coefficient.Sign);
        if (order != 0 || one.Coefficient.IsZero)
            return order;
        // Far apart magnitudes are told by their digits, so that 10^6144 is never multiplied out.
        order = one.Magnitude.CompareTo(two.Magnitude);
        if (order != 0)
            return order * one.Coefficient.Sign;
        var least = Math.Min(one.Exponent, two.Exponent);
        return (one.Coefficient * BigInteger.Pow(10, one.Exponent - least)).CompareTo(two.Coefficient * BigInteger.Pow(10, two.Exponent - least));
    }
}
