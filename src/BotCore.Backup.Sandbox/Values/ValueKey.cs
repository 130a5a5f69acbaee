using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Sandbox.Values;

/// <summary>
/// A value as a key: two keys are equal where the server takes the values for equal, so 1, 1.0 and NumberLong(1) are one key. Common types share the document's bytes
/// and allocate nothing.
/// </summary>
internal readonly struct ValueKey : IEquatable<ValueKey>
{
    private const byte WholeKind = 10;
    private const byte ExactKind = 11;
    private readonly ReadOnlyMemory<byte> _bytes;
    private readonly long _whole;
    private readonly int _hash;
    private readonly byte _kind;

    private ValueKey(byte kind, long whole, ReadOnlyMemory<byte> bytes)
    {
        _kind = kind;
        _whole = whole;
        _bytes = bytes;
        var hash = new HashCode();
        hash.Add(kind);
        hash.Add(whole);
        hash.AddBytes(bytes.Span);
        _hash = hash.ToHashCode();
    }

    public static ValueKey Of(BsonValue value)
    {
        switch (value.Type)
        {
            case BsonType.Int32:
                return new ValueKey(WholeKind, BinaryPrimitives.ReadInt32LittleEndian(value.Span), default);
            case BsonType.Int64:
                return new ValueKey(WholeKind, BinaryPrimitives.ReadInt64LittleEndian(value.Span), default);
            case BsonType.Double or BsonType.Decimal128:
                return OfNumber(value);
            case BsonType.Document or BsonType.Array or BsonType.JavaScriptWithScope:
                var canonical = new ArrayBufferWriter<byte>();
                WriteCanonical(canonical, value.Type, value.Span);
                return new ValueKey((byte)BsonOrder.Rank(value.Type), 0, canonical.WrittenMemory);
            default:
                return new ValueKey((byte)BsonOrder.Rank(value.Type), 0, value.Bytes);
        }
    }

    public bool Equals(ValueKey other) => _hash == other._hash && _kind == other._kind && _whole == other._whole && _bytes.Span.SequenceEqual(other._bytes.Span);

    public override bool Equals(object? obj) => obj is ValueKey other && Equals(other);

    public override int GetHashCode() => _hash;

    private static ValueKey OfNumber(BsonValue value)
    {
        if (value.Type == BsonType.Double)
        {
            var number = value.AsDouble();
            if (double.IsInteger(number) && Math.Abs(number) < 9.2e18)
                return new ValueKey(WholeKind, (long)number, default);
        }

        var exact = ExactNumber.Read(value.Type, value.Span);
        if (exact is { Class: NumberClass.Finite, Exponent: >= 0 and < 19 })
        {
            var whole = exact.Coefficient * System.Numerics.BigInteger.Pow(10, exact.Exponent);
            if (whole >= long.MinValue && whole <= long.MaxValue)
                return new ValueKey(WholeKind, (long)whole, default);
        }

        return new ValueKey(ExactKind, (int)exact.Class, Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{exact.Coefficient}e{exact.Exponent}")));
    }

    private static void WriteCanonical(ArrayBufferWriter<byte> to, BsonType type, ReadOnlySpan<byte> value)
    {
        to.Write((ReadOnlySpan<byte>)[(byte)BsonOrder.Rank(type)]);
        switch (type)
        {
            case BsonType.Document or BsonType.Array:
                var reader = new BsonReader(value);
                while (reader.Read())
                {
                    to.Write((ReadOnlySpan<byte>)[1]);
                    to.Write(reader.Current.Name);
                    to.Write((ReadOnlySpan<byte>)[0]);
                    WriteCanonical(to, reader.Current.Type, reader.Current.Value);
                }

                to.Write((ReadOnlySpan<byte>)[0]);
                break;
            case BsonType.Int32 or BsonType.Int64 or BsonType.Double or BsonType.Decimal128:
                var exact = ExactNumber.Read(type, value);
                to.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{(int)exact.Class}:{exact.Coefficient}e{exact.Exponent}\0")));
                break;
            default:
                to.Write(value);
                break;
        }
    }
}
