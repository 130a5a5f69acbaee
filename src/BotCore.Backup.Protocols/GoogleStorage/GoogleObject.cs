using System.Collections.ObjectModel;
using System.Globalization;
using System.Text.Json;

namespace BotCore.Backup.Protocols.GoogleStorage;

/// <summary>One version of an object, as the service describes it.</summary>
/// <param name="Name">Its name in the bucket.</param>
/// <param name="Size">Bytes.</param>
public sealed record GoogleObject(string Name, long Size)
{
    /// <summary>Which version it is: a number that every write changes. 0 where it was not asked for.</summary>
    public long Generation { get; init; }

    /// <summary>The CRC-32C of its bytes, as <see cref="GoogleStorage.Crc32C.ToString"/> writes it; null where it was not asked for.</summary>
    public string? Crc32C { get; init; }

    /// <summary>When it was last written, by the server's clock.</summary>
    public DateTimeOffset? Updated { get; init; }

    /// <summary>The server's clock when it answered.</summary>
    public DateTimeOffset? Answered { get; init; }

    /// <summary>What its writer noted beside it.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = ReadOnlyDictionary<string, string>.Empty;

    /// <summary>Reads an object resource. Throws <see cref="JsonException"/> where it is none.</summary>
    internal static GoogleObject Parse(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object || Text(json, "name") is not { } name)
            throw new JsonException("An object without a name.");
        return new GoogleObject(name, Number(json, "size") ?? throw new JsonException("An object without a size."))
        {
            Generation = Number(json, "generation") ?? 0,
            Crc32C = Text(json, "crc32c"),
            Updated = Text(json, "updated") is { } updated
                ? DateTimeOffset.TryParse(updated, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : throw new JsonException("A time that is none.")
                : null,
            Metadata = ParseMetadata(json),
        };
    }

    private static Dictionary<string, string> ParseMetadata(JsonElement json)
    {
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        if (!json.TryGetProperty("metadata", out var map) || map.ValueKind != JsonValueKind.Object)
            return metadata;
        foreach (var one in map.EnumerateObject())
        {
            if (one.Value.ValueKind == JsonValueKind.String)
                metadata[one.Name] = one.Value.GetString()!;
        }

        return metadata;
    }

    private static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    // 64-bit numbers are strings in this API, since JavaScript has none.
    private static long? Number(JsonElement json, string name)
    {
        if (!json.TryGetProperty(name, out var value))
            return null;
        var text = value.ValueKind == JsonValueKind.String ? value.GetString() : value.GetRawText();
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw new JsonException($"'{name}' is no number.");
    }
}

/// <summary>A part of a listing.</summary>
/// <param name="Objects">In the order of the UTF-8 bytes of their names.</param>
/// <param name="NextPage">What the next part is asked for with; null at the end.</param>
public sealed record GoogleObjectPage(IReadOnlyList<GoogleObject> Objects, string? NextPage)
{
    /// <summary>Reads the answer to a listing. Throws <see cref="JsonException"/> where it is none.</summary>
    internal static GoogleObjectPage Parse(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
            throw new JsonException("A listing that is no object.");
        var objects = new List<GoogleObject>();
        if (json.TryGetProperty("items", out var items))
        {
            if (items.ValueKind != JsonValueKind.Array)
                throw new JsonException("A listing without an array.");
            foreach (var item in items.EnumerateArray())
                objects.Add(GoogleObject.Parse(item));
        }

        return new GoogleObjectPage(objects, json.TryGetProperty("nextPageToken", out var next) && next.ValueKind == JsonValueKind.String ? next.GetString() : null);
    }
}
