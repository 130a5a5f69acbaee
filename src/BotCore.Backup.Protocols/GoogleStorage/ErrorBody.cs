using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace BotCore.Backup.Protocols.GoogleStorage;

/// <summary>What the body of a refused request says. The storage API answers in one form of JSON, the token endpoint in another, and a proxy in between in HTML or not at all.</summary>
/// <param name="Message">For people, on one line, without tokens; empty where there is none.</param>
/// <param name="Reason">One word; null where there is none.</param>
internal sealed partial record ErrorBody(string Message, string? Reason)
{
    private const int LongestMessage = 300;
    private const string Cut = "…";

    /// <summary>The most that is read of a body.</summary>
    public const int MaximumLength = 64 * 1024;

    /// <summary>Reads one; never fails.</summary>
    public static ErrorBody Parse(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            if (json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("error", out var error))
                return error.ValueKind == JsonValueKind.Object ? OfStorage(error) : OfToken(json.RootElement, error);
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            // Not of the API itself. The second is thrown for strings that are no valid Unicode.
        }

        return new ErrorBody(Clean(Encoding.UTF8.GetString(body.Span)), null);
    }

    /// <summary>Takes what may be a secret out of a text that came from elsewhere.</summary>
    public static string Redact(string text) => Secret().Replace(text, Cut);

    private static ErrorBody OfStorage(JsonElement error)
    {
        string? reason = null;
        if (error.TryGetProperty("errors", out var list) && list.ValueKind == JsonValueKind.Array)
        {
            foreach (var one in list.EnumerateArray())
                reason ??= one.ValueKind == JsonValueKind.Object ? Text(one, "reason") : null;
        }

        return new ErrorBody(Clean(Text(error, "message") ?? ""), reason ?? Text(error, "status"));
    }

    private static ErrorBody OfToken(JsonElement root, JsonElement error)
    {
        var reason = error.ValueKind == JsonValueKind.String ? error.GetString() : null;
        return new ErrorBody(Clean(Text(root, "error_description") ?? ""), reason);
    }

    private static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static string Clean(string text)
    {
        var line = Redact(Blank().Replace(Tag().Replace(text, " "), " ").Trim());
        return line.Length <= LongestMessage ? line : line[..LongestMessage] + Cut;
    }

    // Access tokens, JSON web tokens, refresh tokens and the key of an upload session.
    [GeneratedRegex(@"\b(ya29\.|eyJ|1//)[\w\-./]+|(?<=upload_id=)[^&\s""']+", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Secret();

    [GeneratedRegex(@"[\s\p{C}]+", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Blank();

    [GeneratedRegex("<[^<>]*>", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Tag();
}
