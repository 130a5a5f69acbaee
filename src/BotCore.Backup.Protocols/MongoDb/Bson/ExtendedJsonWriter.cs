using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace BotCore.Backup.Protocols.MongoDb.Bson;

/// <summary>Writes validated BSON as canonical Extended JSON v2, as the Go driver does. Not thread-safe.</summary>
internal sealed class ExtendedJsonWriter(IBufferWriter<byte> output)
{
    public void Document(ReadOnlySpan<byte> document)
    {
        Raw("{"u8);
        var reader = new BsonReader(document);
        for (var first = true; reader.Read(); first = false)
        {
            if (!first)
                Raw(","u8);
            Text(reader.Current.Name);
            Raw(":"u8);
            Value(reader.Current.Type, reader.Current.Value);
        }

        Raw("}"u8);
    }

    private void Array(ReadOnlySpan<byte> array)
    {
        Raw("["u8);
        var reader = new BsonReader(array);
        for (var first = true; reader.Read(); first = false)
        {
            if (!first)
                Raw(","u8);
            Value(reader.Current.Type, reader.Current.Value);
        }

        Raw("]"u8);
    }

    private void Value(BsonType type, ReadOnlySpan<byte> value)
    {
        switch (type)
        {
            case BsonType.Double:
                Wrapped("{\"$numberDouble\":\""u8, ExtendedJsonNumber.Text(BinaryPrimitives.ReadDoubleLittleEndian(value)), "\"}"u8);
                break;
            case BsonType.Int32:
                Wrapped("{\"$numberInt\":\""u8, Number(BinaryPrimitives.ReadInt32LittleEndian(value)), "\"}"u8);
                break;
            case BsonType.Int64:
                Wrapped("{\"$numberLong\":\""u8, Number(BinaryPrimitives.ReadInt64LittleEndian(value)), "\"}"u8);
                break;
            case BsonType.Decimal128:
                Wrapped("{\"$numberDecimal\":\""u8, ExtendedJsonDecimal.Format(value), "\"}"u8);
                break;
            case BsonType.DateTime:
                Wrapped("{\"$date\":{\"$numberLong\":\""u8, Number(BinaryPrimitives.ReadInt64LittleEndian(value)), "\"}}"u8);
                break;
            case BsonType.Timestamp:
                var timestamp = BsonTimestamp.FromValue(BinaryPrimitives.ReadUInt64LittleEndian(value));
                Wrapped("{\"$timestamp\":{\"t\":"u8, Number(timestamp.Seconds), ",\"i\":"u8);
                Wrapped([], Number(timestamp.Ordinal), "}}"u8);
                break;
            case BsonType.ObjectId:
                Wrapped("{\"$oid\":\""u8, Convert.ToHexStringLower(value), "\"}"u8);
                break;
            case BsonType.String:
                Text(value[4..^1]);
                break;
            case BsonType.Document:
                Document(value);
                break;
            case BsonType.Array:
                Array(value);
                break;
            case BsonType.Boolean:
                Raw(value[0] != 0 ? "true"u8 : "false"u8);
                break;
            case BsonType.Null:
                Raw("null"u8);
                break;
            default:
                Rare(type, value);
                break;
        }
    }

    private void Rare(BsonType type, ReadOnlySpan<byte> value)
    {
        switch (type)
        {
            case BsonType.Binary:
                Binary(value[4], value[5..]);
                break;
            case BsonType.RegularExpression:
                var pattern = value.IndexOf((byte)0);
                Raw("{\"$regularExpression\":{\"pattern\":"u8);
                Text(value[..pattern]);
                Raw(",\"options\":"u8);
                Text(value[(pattern + 1)..^1]);
                Raw("}}"u8);
                break;
            case BsonType.JavaScript:
                Raw("{\"$code\":"u8);
                Text(value[4..^1]);
                Raw("}"u8);
                break;
            case BsonType.JavaScriptWithScope:
                var code = BinaryPrimitives.ReadInt32LittleEndian(value[4..]);
                Raw("{\"$code\":"u8);
                Text(value.Slice(8, code - 1));
                Raw(",\"$scope\":"u8);
                Document(value[(8 + code)..]);
                Raw("}"u8);
                break;
            case BsonType.Symbol:
                Raw("{\"$symbol\":"u8);
                Text(value[4..^1]);
                Raw("}"u8);
                break;
            case BsonType.DbPointer:
                Raw("{\"$dbPointer\":{\"$ref\":"u8);
                Text(value[4..^13]);
                Wrapped(",\"$id\":{\"$oid\":\""u8, Convert.ToHexStringLower(value[^12..]), "\"}}}"u8);
                break;
            case BsonType.Undefined:
                Raw("{\"$undefined\":true}"u8);
                break;
            case BsonType.MinKey:
                Raw("{\"$minKey\":1}"u8);
                break;
            case BsonType.MaxKey:
                Raw("{\"$maxKey\":1}"u8);
                break;
            default:
                throw new BsonException($"There is no type 0x{(byte)type:X2}.");
        }
    }

    private void Binary(byte subtype, ReadOnlySpan<byte> bytes)
    {
        // The old subtype holds its length once more; JSON shows what is behind it.
        if (subtype == 2)
        {
            if (bytes.Length < 4 || BinaryPrimitives.ReadInt32LittleEndian(bytes) != bytes.Length - 4)
                throw new BsonException("Binary data of subtype 2 has an inner length that does not fit, which JSON cannot show.");
            bytes = bytes[4..];
        }

        Raw("{\"$binary\":{\"base64\":\""u8);
        var text = output.GetSpan(Base64.GetMaxEncodedToUtf8Length(bytes.Length));
        Base64.EncodeToUtf8(bytes, text, out _, out var written);
        output.Advance(written);
        Wrapped("\",\"subType\":\""u8, subtype.ToString("x2", CultureInfo.InvariantCulture), "\"}}"u8);
    }

    private void Text(ReadOnlySpan<byte> utf8)
    {
        Raw("\""u8);
        while (!utf8.IsEmpty)
        {
            var plain = PlainLength(utf8);
            Raw(utf8[..plain]);
            utf8 = utf8[plain..];
            if (utf8.IsEmpty)
                break;
            // Not well-formed, or one that is escaped: the driver writes U+FFFD for each bad byte, and escapes the line separators of JavaScript.
            var status = Rune.DecodeFromUtf8(utf8, out var rune, out var length);
            if (status != OperationStatus.Done)
                (rune, length) = (Rune.ReplacementChar, 1);
            Escape(rune);
            utf8 = utf8[length..];
        }

        Raw("\""u8);
    }

    private static int PlainLength(ReadOnlySpan<byte> utf8)
    {
        var at = 0;
        while (at < utf8.Length)
        {
            var value = utf8[at];
            if (value < 0x80)
            {
                if (value is < 0x20 or (byte)'"' or (byte)'\\')
                    break;
                at++;
                continue;
            }

            if (Rune.DecodeFromUtf8(utf8[at..], out var rune, out var length) != OperationStatus.Done || rune.Value is 0x2028 or 0x2029)
                break;
            at += length;
        }

        return at;
    }

    private void Escape(Rune rune)
    {
        switch (rune.Value)
        {
            case '"':
                Raw("\\\""u8);
                break;
            case '\\':
                Raw("\\\\"u8);
                break;
            case '\n':
                Raw("\\n"u8);
                break;
            case '\r':
                Raw("\\r"u8);
                break;
            case '\t':
                Raw("\\t"u8);
                break;
            case '\b':
                Raw("\\b"u8);
                break;
            case '\f':
                Raw("\\f"u8);
                break;
            default:
                Wrapped("\\u"u8, rune.Value.ToString("x4", CultureInfo.InvariantCulture), []);
                break;
        }
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private void Wrapped(ReadOnlySpan<byte> before, string ascii, ReadOnlySpan<byte> after)
    {
        Raw(before);
        var span = output.GetSpan(ascii.Length);
        output.Advance(Encoding.ASCII.GetBytes(ascii, span));
        Raw(after);
    }

    private void Raw(ReadOnlySpan<byte> bytes) => output.Write(bytes);
}
