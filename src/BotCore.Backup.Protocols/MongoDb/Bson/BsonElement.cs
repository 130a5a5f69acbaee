using System.Buffers.Binary;
using System.Text;

namespace BotCore.Backup.Protocols.MongoDb.Bson;

/// <summary>One element of a document, as the bytes it is. Valid as long as the document's bytes are. The typed getters throw <see cref="BsonException"/> on another type.</summary>
public readonly ref struct BsonElement
{
    internal BsonElement(BsonType type, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        Type = type;
        Name = name;
        Value = value;
    }

    /// <summary>Its type.</summary>
    public BsonType Type { get; }

    /// <summary>Its name, UTF-8, without the NUL. May be empty, and servers do not promise that it is valid UTF-8.</summary>
    public ReadOnlySpan<byte> Name { get; }

    /// <summary>The bytes behind the name.</summary>
    public ReadOnlySpan<byte> Value { get; }

    /// <summary>The name as text.</summary>
    public string NameText => Encoding.UTF8.GetString(Name);

    /// <summary>Whether it is a number: double, 32 or 64 bits. Decimal128 is not counted.</summary>
    public bool IsNumber => Type is BsonType.Int32 or BsonType.Int64 or BsonType.Double;

    /// <summary>Whether it is what servers take for true: true, or a number that is not zero.</summary>
    public bool IsTruthy => Type switch
    {
        BsonType.Boolean => Value[0] != 0,
        BsonType.Int32 or BsonType.Int64 or BsonType.Double => AsDouble() is not 0,
        _ => false,
    };

    /// <summary>Whether the name is <paramref name="name"/>.</summary>
    public bool NameIs(ReadOnlySpan<byte> name) => Name.SequenceEqual(name);

    /// <summary>A whole number of any numeric type that fits.</summary>
    public long AsInt64()
    {
        switch (Type)
        {
            case BsonType.Int32:
                return BinaryPrimitives.ReadInt32LittleEndian(Value);
            case BsonType.Int64:
                return BinaryPrimitives.ReadInt64LittleEndian(Value);
            case BsonType.Double:
                var number = BinaryPrimitives.ReadDoubleLittleEndian(Value);
                if (double.IsInteger(number) && Math.Abs(number) < 9.2e18)
                    return (long)number;
                break;
            default:
                break;
        }

        throw Wrong("a whole number");
    }

    /// <summary>A whole number of any numeric type that fits.</summary>
    public int AsInt32() => AsInt64() is >= int.MinValue and <= int.MaxValue and var number ? (int)number : throw Wrong("a whole number of 32 bits");

    /// <summary>A number of any numeric type.</summary>
    public double AsDouble() => Type switch
    {
        BsonType.Double => BinaryPrimitives.ReadDoubleLittleEndian(Value),
        BsonType.Int32 => BinaryPrimitives.ReadInt32LittleEndian(Value),
        BsonType.Int64 => BinaryPrimitives.ReadInt64LittleEndian(Value),
        _ => throw Wrong("a number"),
    };

    /// <summary>A Boolean.</summary>
    public bool AsBoolean() => Type == BsonType.Boolean ? Value[0] != 0 : throw Wrong("a Boolean");

    /// <summary>The bytes of a string, symbol or JavaScript, UTF-8, without length and NUL.</summary>
    public ReadOnlySpan<byte> AsUtf8() => Type is BsonType.String or BsonType.Symbol or BsonType.JavaScript ? Value[4..^1] : throw Wrong("a string");

    /// <summary>A string, symbol or JavaScript.</summary>
    public string AsString() => Encoding.UTF8.GetString(AsUtf8());

    /// <summary>The bytes of an embedded document or array.</summary>
    public ReadOnlySpan<byte> AsDocument() => Type is BsonType.Document or BsonType.Array ? Value : throw Wrong("a document");

    /// <summary>A timestamp.</summary>
    public BsonTimestamp AsTimestamp() => Type == BsonType.Timestamp ? BsonTimestamp.FromValue(BinaryPrimitives.ReadUInt64LittleEndian(Value)) : throw Wrong("a timestamp");

    /// <summary>Milliseconds since 1970 of a date.</summary>
    public long AsDateTime() => Type == BsonType.DateTime ? BinaryPrimitives.ReadInt64LittleEndian(Value) : throw Wrong("a date");

    /// <summary>The bytes and the subtype of a binary. Subtype 2 keeps its inner length.</summary>
    public ReadOnlySpan<byte> AsBinary(out byte subtype)
    {
        if (Type != BsonType.Binary)
            throw Wrong("binary");
        subtype = Value[4];
        return Value[5..];
    }

    private BsonException Wrong(string wanted) => new($"The field '{NameText}' is {Type}, not {wanted}.");
}
