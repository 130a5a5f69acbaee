using System.Buffers.Binary;
using System.Globalization;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Sandbox.Tests;

/// <summary>Documents in few letters: <c>Doc.Of(("_id", 1), ("tags", new object[] { "a" }))</c>.</summary>
internal static class Doc
{
    public static RawBson Of(params (string Name, object? Value)[] fields) => Build(fields).ToBson();

    public static BsonBuilder Build(params (string Name, object? Value)[] fields)
    {
        var builder = new BsonBuilder();
        foreach (var (name, value) in fields)
            Append(builder, name, value);
        return builder;
    }

    public static BsonBuilder Append(BsonBuilder builder, string name, object? value)
    {
        switch (value)
        {
            case null:
                return builder.AppendNull(name);
            case int number:
                return builder.Append(name, number);
            case long number:
                return builder.Append(name, number);
            case double number:
                return builder.Append(name, number);
            case decimal number:
                return builder.AppendRaw(BsonType.Decimal128, name, Decimal(number));
            case bool truth:
                return builder.Append(name, truth);
            case string text:
                return builder.Append(name, text);
            case BsonTimestamp timestamp:
                return builder.Append(name, timestamp);
            case DateTimeOffset time:
                return builder.AppendDateTime(name, time.ToUnixTimeMilliseconds());
            case byte[] bytes:
                return builder.AppendBinary(name, bytes);
            case Guid uuid:
                return builder.AppendBinary(name, uuid.ToByteArray(bigEndian: true), 4);
            case BsonType type:
                return builder.AppendRaw(type, name, new byte[type == BsonType.ObjectId ? 12 : 0]);
            case RawBson document:
                return builder.Append(name, document);
            case object?[] array:
                builder.BeginArray(name);
                for (var i = 0; i < array.Length; i++)
                    Append(builder, i.ToString(CultureInfo.InvariantCulture), array[i]);
                return builder.End();
            default:
                throw new ArgumentException($"No BSON for {value.GetType()}.", nameof(value));
        }
    }

    private static byte[] Decimal(decimal number)
    {
        Span<int> parts = stackalloc int[4];
        decimal.GetBits(number, parts);
        var bytes = new byte[16];
        var exponent = (ulong)(6176 - ((parts[3] >> 16) & 0xFF));
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, (uint)parts[0] | ((ulong)(uint)parts[1] << 32));
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8), (uint)parts[2] | (exponent << 49) | (parts[3] < 0 ? 1UL << 63 : 0));
        return bytes;
    }
}
