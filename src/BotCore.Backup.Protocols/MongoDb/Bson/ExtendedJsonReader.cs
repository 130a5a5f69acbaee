using System.Globalization;
using System.Text.Json;

namespace BotCore.Backup.Protocols.MongoDb.Bson;

/// <summary>Reads Extended JSON v2 and its older forms into BSON. Strict JSON: no comments, no trailing commas. Stateless.</summary>
internal static class ExtendedJsonReader
{
    // A wrapper is at most three levels of JSON for one of BSON.
    private static readonly JsonReaderOptions Options = new() { MaxDepth = BsonValidator.DeepestNesting + 4 };

    public static RawBson Read(ReadOnlySpan<byte> utf8)
    {
        try
        {
            var json = new Utf8JsonReader(utf8, Options);
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
                throw new BsonException("The JSON text is not an object.");
            var builder = new BsonBuilder(Math.Max(64, utf8.Length));
            Fields(ref json, builder);
            if (json.Read())
                throw new BsonException("Something follows the JSON object.");
            var document = builder.ToBson();
            BsonValidator.Validate(document.Span);
            return document;
        }
        catch (JsonException e)
        {
            throw new BsonException(string.Create(CultureInfo.InvariantCulture, $"The text is not valid JSON, line {e.LineNumber + 1}, byte {e.BytePositionInLine}."), e);
        }
        catch (InvalidOperationException e)
        {
            // The reader's word for text that is not UTF-8, or half of a surrogate pair.
            throw new BsonException("A string of the JSON text is not Unicode.", e);
        }
    }

    // From behind the brace to the closing one.
    private static void Fields(ref Utf8JsonReader json, BsonBuilder builder)
    {
        while (Next(ref json) == JsonTokenType.PropertyName)
        {
            var name = Name(ref json);
            Next(ref json);
            Value(ref json, builder, name);
        }
    }

    private static void Value(ref Utf8JsonReader json, BsonBuilder builder, string name)
    {
        switch (json.TokenType)
        {
            case JsonTokenType.StartObject:
                if (ExtendedJsonWrapper.TryRead(ref json, builder, name))
                    break;
                builder.BeginDocument(name);
                Fields(ref json, builder);
                builder.End();
                break;
            case JsonTokenType.StartArray:
                builder.BeginArray(name);
                for (var i = 0; Next(ref json) != JsonTokenType.EndArray; i++)
                    Value(ref json, builder, i.ToString(CultureInfo.InvariantCulture));
                builder.End();
                break;
            case JsonTokenType.String:
                builder.Append(name, json.GetString());
                break;
            case JsonTokenType.Number:
                Number(ref json, builder, name);
                break;
            case JsonTokenType.True or JsonTokenType.False:
                builder.Append(name, json.GetBoolean());
                break;
            case JsonTokenType.Null:
                builder.AppendNull(name);
                break;
            default:
                throw new BsonException("The JSON text ends early.");
        }
    }

    // Relaxed form: a whole number takes the least type that holds it, all others are doubles.
    private static void Number(ref Utf8JsonReader json, BsonBuilder builder, string name)
    {
        if (json.ValueSpan.IndexOfAny("eE."u8) < 0)
        {
            if (json.TryGetInt32(out var small))
            {
                builder.Append(name, small);
                return;
            }

            if (json.TryGetInt64(out var large))
            {
                builder.Append(name, large);
                return;
            }
        }

        if (!json.TryGetDouble(out var number) || !double.IsFinite(number))
            throw new BsonException($"The field '{name}' is a number that no type holds.");
        builder.Append(name, number);
    }

    internal static RawBson Document(ref Utf8JsonReader json)
    {
        var builder = new BsonBuilder();
        Fields(ref json, builder);
        return builder.ToBson();
    }

    internal static JsonTokenType Next(ref Utf8JsonReader json) => json.Read() ? json.TokenType : throw new BsonException("The JSON text ends early.");

    internal static string Name(ref Utf8JsonReader json)
    {
        var name = json.GetString()!;
        return name.Contains('\0', StringComparison.Ordinal) ? throw new BsonException("A field's name holds a NUL, which BSON cannot hold.") : name;
    }
}
