using System.Buffers.Binary;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Sandbox.Values;

/// <summary>One value as the bytes it is, free of the stack: type and the bytes that stand behind a name.</summary>
internal readonly record struct BsonValue(BsonType Type, ReadOnlyMemory<byte> Bytes)
{
    public static BsonValue Missing => default;

    public static BsonValue Null => new(BsonType.Null, default);

    public bool IsMissing => Type == BsonType.None;

    public bool IsNumber => Type is BsonType.Int32 or BsonType.Int64 or BsonType.Double or BsonType.Decimal128;

    public bool IsContainer => Type is BsonType.Document or BsonType.Array;

    public ReadOnlySpan<byte> Span => Bytes.Span;

    public RawBson Document => new(Bytes);

    public static BsonValue CopyOf(BsonElement element) => new(element.Type, element.Value.ToArray());

    public static BsonValue Of(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        return new BsonValue(BsonType.Int32, bytes);
    }

    public static BsonValue Of(long value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return new BsonValue(BsonType.Int64, bytes);
    }

    public static BsonValue Of(double value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteDoubleLittleEndian(bytes, value);
        return new BsonValue(BsonType.Double, bytes);
    }

    public static BsonValue Of(RawBson document) => new(BsonType.Document, document.Memory);

    /// <summary>The element's value, sharing the bytes of <paramref name="whole"/>, in which it must lie.</summary>
    public static BsonValue Within(ReadOnlyMemory<byte> whole, BsonElement element) => new(element.Type, Slice(whole, element.Value));

    public static ReadOnlyMemory<byte> Slice(ReadOnlyMemory<byte> whole, ReadOnlySpan<byte> part)
    {
        if (part.IsEmpty)
            return default;
        whole.Span.Overlaps(part, out var offset);
        return whole.Slice(offset, part.Length);
    }

    public double AsDouble() => Type switch
    {
        BsonType.Double => BinaryPrimitives.ReadDoubleLittleEndian(Span),
        BsonType.Int32 => BinaryPrimitives.ReadInt32LittleEndian(Span),
        BsonType.Int64 => BinaryPrimitives.ReadInt64LittleEndian(Span),
        _ => throw new BsonException($"A {Type} is not a number here."),
    };

    public long AsInt64() => Type switch
    {
        BsonType.Int32 => BinaryPrimitives.ReadInt32LittleEndian(Span),
        BsonType.Int64 => BinaryPrimitives.ReadInt64LittleEndian(Span),
        BsonType.Double when double.IsInteger(AsDouble()) && Math.Abs(AsDouble()) < 9.2e18 => (long)AsDouble(),
        _ => throw new BsonException($"A {Type} is not a whole number here."),
    };

    public bool IsTruthy => Type switch
    {
        BsonType.Boolean => Span[0] != 0,
        BsonType.Int32 or BsonType.Int64 or BsonType.Double => AsDouble() is not 0,
        _ => !IsMissing && Type != BsonType.Null,
    };

    public string AsString() => Type == BsonType.String ? System.Text.Encoding.UTF8.GetString(Span[4..^1]) : throw new BsonException($"A {Type} is not a string.");

    /// <summary>Whether both are the same bytes of the same type.</summary>
    public bool IsSameAs(BsonValue other) => Type == other.Type && Span.SequenceEqual(other.Span);
}
