using System.Buffers.Binary;
using System.Numerics;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Sandbox.Values;

/// <summary>In the order in which the server sorts them.</summary>
internal enum NumberClass
{
    NotANumber = 0,
    MinusInfinity,
    Finite,
    Infinity,
}

/// <summary>A number as coefficient times a power of ten, exact for every BSON number, without trailing zeros.</summary>
internal readonly record struct ExactNumber(NumberClass Class, BigInteger Coefficient, int Exponent)
{
    private const int DecimalBias = 6176;

    /// <summary>The power of ten of the leading digit.</summary>
    public int Magnitude => Exponent + BigInteger.Abs(Coefficient).ToString(System.Globalization.CultureInfo.InvariantCulture).Length;

    public static ExactNumber Read(BsonType type, ReadOnlySpan<byte> value) => type switch
    {
        BsonType.Int32 => Normal(BinaryPrimitives.ReadInt32LittleEndian(value), 0),
        BsonType.Int64 => Normal(BinaryPrimitives.ReadInt64LittleEndian(value), 0),
        BsonType.Double => FromDouble(BinaryPrimitives.ReadDoubleLittleEndian(value)),
        _ => FromDecimal(BinaryPrimitives.ReadUInt64LittleEndian(value), BinaryPrimitives.ReadUInt64LittleEndian(value[8..])),
    };

    // IEEE 754-2008 decimal128, binary integer significand.
    private static ExactNumber FromDecimal(ulong low, ulong high)
    {
        var negative = high >> 63 != 0;
        if ((high >> 58 & 0x1F) == 0x1F)
            return new ExactNumber(NumberClass.NotANumber, 0, 0);
        if ((high >> 58 & 0x1F) == 0x1E)
            return new ExactNumber(negative ? NumberClass.MinusInfinity : NumberClass.Infinity, 0, 0);
        // The second form of the exponent only holds significands beyond 34 digits, which stand for zero.
        if ((high >> 61 & 3) == 3)
            return new ExactNumber(NumberClass.Finite, 0, 0);
        var exponent = (int)(high >> 49 & 0x3FFF) - DecimalBias;
        var coefficient = ((BigInteger)(high & 0x1FFFFFFFFFFFF) << 64) + low;
        return Normal(negative ? -coefficient : coefficient, exponent);
    }

    private static ExactNumber FromDouble(double number)
    {
        if (double.IsNaN(number))
            return new ExactNumber(NumberClass.NotANumber, 0, 0);
        if (double.IsInfinity(number))
            return new ExactNumber(number > 0 ? NumberClass.Infinity : NumberClass.MinusInfinity, 0, 0);
        var bits = BitConverter.DoubleToInt64Bits(number);
        var exponent = (int)(bits >> 52 & 0x7FF);
        var mantissa = bits & 0xFFFFFFFFFFFFF;
        mantissa = exponent == 0 ? mantissa : mantissa | 1L << 52;
        exponent = Math.Max(exponent, 1) - 1075;
        BigInteger whole = number < 0 ? -mantissa : mantissa;
        // m * 2^-k is m * 5^k * 10^-k.
        return exponent >= 0 ? Normal(whole << exponent, 0) : Normal(whole * BigInteger.Pow(5, -exponent), exponent);
    }

    private static ExactNumber Normal(BigInteger coefficient, int exponent)
    {
        if (coefficient.IsZero)
            return new ExactNumber(NumberClass.Finite, 0, 0);
        while (true)
        {
            var shorter = BigInteger.DivRem(coefficient, 10, out var rest);
            if (!rest.IsZero)
                return new ExactNumber(NumberClass.Finite, coefficient, exponent);
            coefficient = shorter;
            exponent++;
        }
    }
}
