using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace BotCore.Backup.Protocols.MongoDb.Bson;

/// <summary>Reads the objects that stand for a type: {"$oid": ...} and so on. An object whose first name is one of them must be one, or the text is refused. Stateless.</summary>
internal static class ExtendedJsonWrapper
{
    /// <summary>At an opening brace: appends the value and stands at the closing brace; false, without moving, where it is an ordinary document.</summary>
    public static bool TryRead(ref Utf8JsonReader json, BsonBuilder builder, string name)
    {
        var ahead = json;
        if (!ahead.Read() || ahead.TokenType != JsonTokenType.PropertyName)
            return false;
        var key = ahead.GetString()!;
        if (key.Length < 2 || key[0] != '$' || !Read(ref ahead, builder, name, key))
            return false;
        json = ahead;
        return true;
    }

    // Stands at the key; the keys that are not here are ordinary names, such as query operators.
    private static bool Read(ref Utf8JsonReader json, BsonBuilder builder, string name, string key)
    {
        switch (key)
        {
            case "$numberInt":
                builder.Append(name, (int)Whole(ref json, key, int.MinValue, int.MaxValue));
                break;
            case "$numberLong":
                builder.Append(name, Whole(ref json, key, long.MinValue, long.MaxValue));
                break;
            case "$numberDouble":
                builder.Append(name, ExtendedJsonNumber.TryParse(Text(ref json, key), out var number) ? number : throw Bad(key));
                break;
            case "$numberDecimal":
                Span<byte> value = stackalloc byte[16];
                builder.AppendRaw(BsonType.Decimal128, name, ExtendedJsonDecimal.TryParse(Text(ref json, key), value) ? value : throw Bad(key));
                break;
            case "$oid":
                builder.AppendRaw(BsonType.ObjectId, name, ObjectId(ref json));
                break;
            case "$date":
                builder.AppendDateTime(name, Date(ref json));
                break;
            case "$timestamp":
                builder.Append(name, Timestamp(ref json));
                break;
            case "$symbol":
                builder.AppendRaw(BsonType.Symbol, name, Prefixed(Text(ref json, key)));
                break;
            case "$undefined":
                Expect(ExtendedJsonReader.Next(ref json) == JsonTokenType.True, key);
                builder.AppendRaw(BsonType.Undefined, name, []);
                break;
            case "$minKey" or "$maxKey":
                Expect(ExtendedJsonReader.Next(ref json) == JsonTokenType.Number && json.TryGetInt32(out var one) && one == 1, key);
                builder.AppendRaw(key is "$minKey" ? BsonType.MinKey : BsonType.MaxKey, name, []);
                break;
            case "$binary":
                return Binary(ref json, builder, name);
            case "$uuid":
                Expect(Guid.TryParseExact(Text(ref json, key), "D", out var uuid), key);
                builder.AppendBinary(name, uuid.ToByteArray(bigEndian: true), 4);
                break;
            case "$regularExpression":
                RegularExpression(ref json, builder, name);
                break;
            case "$dbPointer":
                DbPointer(ref json, builder, name);
                break;
            case "$code" or "$scope":
                Code(ref json, builder, name, key);
                return true;
            default:
                return false;
        }

        End(ref json, key);
        return true;
    }

    private static long Date(ref Utf8JsonReader json)
    {
        const string Key = "$date";
        switch (ExtendedJsonReader.Next(ref json))
        {
            case JsonTokenType.Number when json.TryGetInt64(out var milliseconds):
                return milliseconds;
            case JsonTokenType.String:
                const DateTimeStyles Style = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
                return DateTimeOffset.TryParse(json.GetString(), CultureInfo.InvariantCulture, Style, out var time) ? time.ToUnixTimeMilliseconds() : throw Bad(Key);
            case JsonTokenType.StartObject:
                Named(ref json, "$numberLong", Key);
                var value = Whole(ref json, Key, long.MinValue, long.MaxValue);
                End(ref json, Key);
                return value;
            default:
                throw Bad(Key);
        }
    }

    private static BsonTimestamp Timestamp(ref Utf8JsonReader json)
    {
        const string Key = "$timestamp";
        Expect(ExtendedJsonReader.Next(ref json) == JsonTokenType.StartObject, Key);
        uint? seconds = null;
        uint? ordinal = null;
        while (ExtendedJsonReader.Next(ref json) == JsonTokenType.PropertyName)
        {
            var part = json.GetString();
            Expect(ExtendedJsonReader.Next(ref json) == JsonTokenType.Number && json.TryGetUInt32(out _), Key);
            if (part is "t" && seconds is null)
                seconds = json.GetUInt32();
            else if (part is "i" && ordinal is null)
                ordinal = json.GetUInt32();
            else
                throw Bad(Key);
        }

        return seconds is { } t && ordinal is { } i ? new BsonTimestamp(t, i) : throw Bad(Key);
    }

    // {"$binary": {"base64": ..., "subType": "00"}}, or of old {"$binary": ..., "$type": "00"}.
    private static bool Binary(ref Utf8JsonReader json, BsonBuilder builder, string name)
    {
        const string Key = "$binary";
        string? base64 = null;
        string? subtype = null;
        var old = ExtendedJsonReader.Next(ref json) == JsonTokenType.String;
        if (old)
        {
            base64 = json.GetString();
            Named(ref json, "$type", Key);
            subtype = Text(ref json, Key);
        }
        else
        {
            Expect(json.TokenType == JsonTokenType.StartObject, Key);
            while (ExtendedJsonReader.Next(ref json) == JsonTokenType.PropertyName)
            {
                var part = json.GetString();
                var text = Text(ref json, Key);
                if (part is "base64" && base64 is null)
                    base64 = text;
                else if (part is "subType" && subtype is null)
                    subtype = text;
                else
                    throw Bad(Key);
            }
        }

        End(ref json, Key);
        if (base64 is null || !byte.TryParse(subtype, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var type))
            throw Bad(Key);
        builder.AppendBinary(name, Payload(base64, type), type);
        return true;
    }

    private static byte[] Payload(string base64, byte subtype)
    {
        // The old subtype holds its length once more.
        var prefix = subtype == 2 ? 4 : 0;
        var bytes = new byte[prefix + base64.Length];
        Expect(Convert.TryFromBase64String(base64, bytes.AsSpan(prefix), out var length), "$binary");
        if (prefix != 0)
            BinaryPrimitives.WriteInt32LittleEndian(bytes, length);
        return bytes[..(prefix + length)];
    }

    private static void RegularExpression(ref Utf8JsonReader json, BsonBuilder builder, string name)
    {
        const string Key = "$regularExpression";
        Expect(ExtendedJsonReader.Next(ref json) == JsonTokenType.StartObject, Key);
        string? pattern = null;
        string? options = null;
        while (ExtendedJsonReader.Next(ref json) == JsonTokenType.PropertyName)
        {
            var part = json.GetString();
            var text = Text(ref json, Key);
            Expect(!text.Contains('\0', StringComparison.Ordinal), Key);
            if (part is "pattern" && pattern is null)
                pattern = text;
            else if (part is "options" && options is null)
                options = text;
            else
                throw Bad(Key);
        }

        Expect(pattern is not null && options is not null, Key);
        builder.AppendRaw(BsonType.RegularExpression, name, Encoding.UTF8.GetBytes(pattern + '\0' + options + '\0'));
    }

    private static void DbPointer(ref Utf8JsonReader json, BsonBuilder builder, string name)
    {
        const string Key = "$dbPointer";
        Expect(ExtendedJsonReader.Next(ref json) == JsonTokenType.StartObject, Key);
        Named(ref json, "$ref", Key);
        var target = Prefixed(Text(ref json, Key));
        Named(ref json, "$id", Key);
        Expect(ExtendedJsonReader.Next(ref json) == JsonTokenType.StartObject, Key);
        Named(ref json, "$oid", Key);
        byte[] value = [.. target, .. ObjectId(ref json)];
        End(ref json, Key);
        End(ref json, Key);
        builder.AppendRaw(BsonType.DbPointer, name, value);
    }

    // {"$code": ...}, {"$code": ..., "$scope": {...}}, or the two the other way round.
    private static void Code(ref Utf8JsonReader json, BsonBuilder builder, string name, string first)
    {
        const string Key = "$code";
        byte[]? code = null;
        RawBson? scope = null;
        var key = first;
        do
        {
            if (key is Key && code is null)
            {
                code = Prefixed(Text(ref json, Key));
            }
            else
            {
                Expect(key is "$scope" && scope is null && ExtendedJsonReader.Next(ref json) == JsonTokenType.StartObject, Key);
                scope = ExtendedJsonReader.Document(ref json);
            }

            key = ExtendedJsonReader.Next(ref json) == JsonTokenType.PropertyName ? json.GetString() : null;
        }
        while (key is not null);

        if (code is null)
            throw Bad(Key);
        if (scope is not { } variables)
        {
            builder.AppendRaw(BsonType.JavaScript, name, code);
            return;
        }

        var value = new byte[4 + code.Length + variables.Length];
        BinaryPrimitives.WriteInt32LittleEndian(value, value.Length);
        code.CopyTo(value, 4);
        variables.Span.CopyTo(value.AsSpan(4 + code.Length));
        builder.AppendRaw(BsonType.JavaScriptWithScope, name, value);
    }

    private static byte[] ObjectId(ref Utf8JsonReader json)
    {
        var text = Text(ref json, "$oid");
        var bytes = new byte[12];
        Expect(text.Length == 24 && Convert.FromHexString(text, bytes, out _, out _) == System.Buffers.OperationStatus.Done, "$oid");
        return bytes;
    }

    private static long Whole(ref Utf8JsonReader json, string key, long least, long most) =>
        long.TryParse(Text(ref json, key), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most ? value : throw Bad(key);

    private static byte[] Prefixed(string text)
    {
        var bytes = new byte[4 + Encoding.UTF8.GetByteCount(text) + 1];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, bytes.Length - 4);
        Encoding.UTF8.GetBytes(text, bytes.AsSpan(4));
        return bytes;
    }

    private static string Text(ref Utf8JsonReader json, string key) => ExtendedJsonReader.Next(ref json) == JsonTokenType.String ? json.GetString()! : throw Bad(key);

    private static void Named(ref Utf8JsonReader json, string wanted, string key) =>
        Expect(ExtendedJsonReader.Next(ref json) == JsonTokenType.PropertyName && json.ValueTextEquals(wanted), key);

    private static void End(ref Utf8JsonReader json, string key) => Expect(ExtendedJsonReader.Next(ref json) == JsonTokenType.EndObject, key);

    private static void Expect(bool holds, string key)
    {
        if (!holds)
            throw Bad(key);
    }

    private static BsonException Bad(string key) => new($"An object that begins with \"{key}\" is not that type of Extended JSON.");
}
