using System.Buffers.Binary;
using System.Text;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Dumping;

/// <summary>Values of every type, and the odd names of MONGODB.md.</summary>
internal static class Values
{
    public static readonly string[] OddCollections = ["new\nline", "slash/es", "with.dot", "per%cent", "unicøde 😀", "space and +", "CON", "colon:\"'<>|?*", "..up", "~tilde"];

    public static readonly string[] OddFields = ["", "$set", "$ref", "a.b", "ü", "with\nline", "_id2", new('n', 300), "0", "\u2028"];

    /// <summary>A name that makes a namespace as long as servers take: 255 bytes.</summary>
    public static string LongName(string database) => new('l', 255 - database.Length - 1);

    public static byte[] ObjectId(int number)
    {
        var id = new byte[12];
        BinaryPrimitives.WriteInt32BigEndian(id.AsSpan(8), number);
        return id;
    }

    public static byte[] Decimal(long value, ulong top = 0x3040_0000_0000_0000)
    {
        var bytes = new byte[16];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, Math.Abs(value));
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8), top | (value < 0 ? 1UL << 63 : 0));
        return bytes;
    }

    public static byte[] DecimalNaN => Decimal(0, 0x7C00_0000_0000_0000);

    public static byte[] Prefixed(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return [.. BitConverter.GetBytes(bytes.Length + 1), .. bytes, 0];
    }

    /// <summary>Every type, every binary subtype of MONGODB.md, the odd numbers and names.</summary>
    public static RawBson Rich(string id)
    {
        var b = new BsonBuilder().Append("_id", id).Append("double", -0.0).Append("nan", double.NaN).Append("inf", double.NegativeInfinity).Append("string", "žlutý\0\u2028")
            .BeginDocument("document").End().BeginArray("array").Append("0", 1).AppendNull("1").End();
        foreach (var subtype in new byte[] { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 128 })
            b.AppendBinary($"binary{subtype}", subtype == 2 ? [3, 0, 0, 0, 1, 2, 3] : new byte[16], subtype);
        b.AppendRaw(BsonType.Undefined, "undefined", []).AppendRaw(BsonType.ObjectId, "oid", ObjectId(7)).Append("true", value: true).AppendDateTime("date", long.MinValue).AppendNull("null")
            .AppendRaw(BsonType.RegularExpression, "regex", "^a\0imx\0"u8).AppendRaw(BsonType.DbPointer, "pointer", [.. Prefixed("db.c"), .. ObjectId(1)])
            .AppendRaw(BsonType.JavaScript, "code", Prefixed("x()")).AppendRaw(BsonType.Symbol, "symbol", Prefixed("s")).AppendRaw(BsonType.JavaScriptWithScope, "scope", Scoped())
            .Append("int", int.MinValue).BeginDocument("inner").Append("zero", default(BsonTimestamp)).End().Append("stamp", new BsonTimestamp(uint.MaxValue, uint.MaxValue)).Append("long", long.MaxValue)
            .AppendRaw(BsonType.Decimal128, "decimal", Decimal(-15)).AppendRaw(BsonType.Decimal128, "decimalNaN", DecimalNaN).AppendRaw(BsonType.MinKey, "min", []).AppendRaw(BsonType.MaxKey, "max", []);
        b.BeginDocument("odd");
        foreach (var name in OddFields)
            b.Append(name, 1);
        return b.End().ToBson();
    }

    private static byte[] Scoped()
    {
        byte[] value = [0, 0, 0, 0, .. Prefixed("y"), .. RawBson.Empty.Span];
        BinaryPrimitives.WriteInt32LittleEndian(value, value.Length);
        return value;
    }

    /// <summary>A document with an <c>_id</c> of some type; <paramref name="number"/> keeps those of one type apart.</summary>
    public static RawBson WithId(int type, int number, Func<int, double>? real = null)
    {
        var b = new BsonBuilder();
        _ = type switch
        {
            0 => b.Append("_id", number),
            1 => b.Append("_id", (long)number + 0x1_0000_0000L),
            2 => b.Append("_id", real?.Invoke(number) ?? number + 0.5),
            3 => b.AppendRaw(BsonType.Decimal128, "_id", Decimal(number + 2_000_000L)),
            4 => b.Append("_id", "s" + number),
            5 => b.BeginDocument("_id").Append("n", number).Append("m", "x").End(),
            6 => b.AppendDateTime("_id", number * 1000L - 500_000),
            7 => b.AppendRaw(BsonType.ObjectId, "_id", ObjectId(number)),
            8 => b.AppendBinary("_id", BitConverter.GetBytes(number), (byte)(number % 3 == 0 ? 0 : 4)),
            9 => b.Append("_id", new BsonTimestamp((uint)number + 1, 3)),
            10 => b.AppendNull("_id"),
            11 => b.Append("_id", value: true),
            12 => b.Append("_id", value: false),
            13 => b.AppendRaw(BsonType.MinKey, "_id", []),
            14 => b.AppendRaw(BsonType.MaxKey, "_id", []),
            15 => b.Append("_id", double.NaN),
            16 => b.Append("_id", double.NegativeInfinity),
            17 => b.Append("_id", double.PositiveInfinity),
            18 => b.AppendRaw(BsonType.JavaScript, "_id", Prefixed("f" + number)),
            19 => b.AppendRaw(BsonType.Symbol, "_id", Prefixed("y" + number)),
            20 => b.AppendRaw(BsonType.Decimal128, "_id", DecimalNaN),
            _ => throw new ArgumentOutOfRangeException(nameof(type)),
        };
        return b.Append("filler", new string('f', 40)).ToBson();
    }
}
