using System.Buffers.Binary;
using System.Text;
using BotCore.Backup.Protocols.MongoDb.Bson;
using FsCheck;
using FsCheck.Fluent;

namespace BotCore.Backup.Protocols.Tests.MongoDb;

/// <summary>Valid documents of every type and shape, from a seed.</summary>
internal static class ArbitraryBson
{
    // The sign and the payload of a NaN have no text.
    private static readonly double PositiveNaN = BitConverter.UInt64BitsToDouble(0x7FF8_0000_0000_0000);

    private static readonly string[] Names = ["", "a", "_id", "$set", "$type", "with.dot", "ü", "\u2028", "quo\"te", "new\nline", "😀", "a", "$regex", "very long name, past the first look"];

    private static readonly double[] Doubles =
        [0, -0.0, 1, -1, 0.1, 1e21, 1e-7, 123456, 1234567, 1.5e300, double.MaxValue, double.Epsilon, PositiveNaN, double.PositiveInfinity, double.NegativeInfinity, 9.999999999999999e22];

    private static readonly byte[] Subtypes = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 128, 255];

    public static Arbitrary<RawBson> Documents { get; } =
        Arb.From(from seed in Gen.Choose(0, int.MaxValue) select Document(new Random(seed), 4));

    public static RawBson Document(Random random, int depth)
    {
        var builder = new BsonBuilder();
        Fields(builder, random, depth, _ => Names[random.Next(Names.Length)]);
        return builder.ToBson();
    }

    private static void Fields(BsonBuilder builder, Random random, int depth, Func<int, string> name)
    {
        var count = random.Next(6);
        for (var i = 0; i < count; i++)
            Field(builder, random, depth, name(i));
    }

    private static void Field(BsonBuilder builder, Random random, int depth, string name)
    {
        switch (random.Next(depth > 0 ? 22 : 19))
        {
            case 0: builder.Append(name, Doubles[random.Next(Doubles.Length)]); break;
            case 1: builder.Append(name, BitConverter.Int64BitsToDouble(random.NextInt64()) is var d && double.IsNaN(d) ? 0 : d); break;
            case 2: builder.Append(name, Text(random)); break;
            case 3: Binary(builder, random, name); break;
            case 4: builder.AppendRaw(BsonType.Undefined, name, []); break;
            case 5: builder.AppendRaw(BsonType.ObjectId, name, Bytes(random, 12)); break;
            case 6: builder.Append(name, random.Next(2) == 0); break;
            case 7: builder.AppendDateTime(name, random.NextInt64(long.MinValue, long.MaxValue)); break;
            case 8: builder.AppendNull(name); break;
            case 9: builder.AppendRaw(BsonType.RegularExpression, name, Encoding.UTF8.GetBytes("^a\"/\\b\0imx\0")); break;
            case 10: builder.AppendRaw(BsonType.DbPointer, name, [.. Prefixed("db.c"), .. Bytes(random, 12)]); break;
            case 11: builder.AppendRaw(BsonType.JavaScript, name, Prefixed(Text(random))); break;
            case 12: builder.AppendRaw(BsonType.Symbol, name, Prefixed(Text(random))); break;
            case 13: builder.Append(name, random.Next(int.MinValue, int.MaxValue)); break;
            case 14: builder.Append(name, random.Next(4) == 0 ? default : BsonTimestamp.FromValue((ulong)random.NextInt64(long.MinValue, long.MaxValue))); break;
            case 15: builder.Append(name, random.NextInt64(long.MinValue, long.MaxValue)); break;
            case 16: builder.AppendRaw(BsonType.Decimal128, name, Decimal(random)); break;
            case 17: builder.AppendRaw(BsonType.MinKey, name, []); break;
            case 18: builder.AppendRaw(BsonType.MaxKey, name, []); break;
            case 19: builder.AppendDocument(name, Document(random, depth - 1).Span); break;
            case 20:
                builder.BeginArray(name);
                Fields(builder, random, depth - 1, i => i.ToString(System.Globalization.CultureInfo.InvariantCulture));
                builder.End();
                break;
            default: Scope(builder, random, depth, name); break;
        }
    }

    private static void Scope(BsonBuilder builder, Random random, int depth, string name)
    {
        byte[] value = [0, 0, 0, 0, .. Prefixed(Text(random)), .. Document(random, depth - 1).Span];
        BinaryPrimitives.WriteInt32LittleEndian(value, value.Length);
        builder.AppendRaw(BsonType.JavaScriptWithScope, name, value);
    }

    private static void Binary(BsonBuilder builder, Random random, string name)
    {
        var subtype = Subtypes[random.Next(Subtypes.Length)];
        var bytes = Bytes(random, random.Next(40));
        builder.AppendBinary(name, subtype == 2 ? [.. BitConverter.GetBytes(bytes.Length), .. bytes] : bytes, subtype);
    }

    private static byte[] Decimal(Random random)
    {
        // Canonical: at most 34 digits, an exponent in its range.
        var coefficient = new UInt128((ulong)random.NextInt64(), (ulong)random.NextInt64()) % UInt128.Parse("9999999999999999999999999999999999", System.Globalization.CultureInfo.InvariantCulture);
        if (random.Next(3) == 0)
            coefficient = (UInt128)random.Next(3);
        var exponent = (ulong)(random.Next(3) == 0 ? random.Next(0, 12288) : random.Next(6150, 6200));
        var value = new byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(value, (ulong)coefficient);
        BinaryPrimitives.WriteUInt64LittleEndian(value.AsSpan(8), ((ulong)random.Next(2) << 63) | (exponent << 49) | (ulong)(coefficient >> 64));
        return value;
    }

    private static string Text(Random random)
    {
        string[] texts = ["", "plain", "quote \" and \\ and /", "\0\u0001\b\f\n\r\t\u001f\u007f", "žlutý 😀 \u2028\u2029\uFFFD", new string('x', random.Next(50))];
        return texts[random.Next(texts.Length)];
    }

    private static byte[] Prefixed(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return [.. BitConverter.GetBytes(bytes.Length + 1), .. bytes, 0];
    }

    private static byte[] Bytes(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }
}
