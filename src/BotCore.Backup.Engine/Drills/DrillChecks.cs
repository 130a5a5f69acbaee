using System.Globalization;
using System.Text.Json;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Drills;

/// <summary>
/// One question of the admin's own to what was brought back: documents of a collection, a file, or a page. Immutable.
/// </summary>
internal sealed record DrillCheck
{
    public required string Name { get; init; }

    /// <summary><c>database.collection</c>; null for another kind of check.</summary>
    public string? Collection { get; init; }

    /// <summary>What of it is asked for, Extended JSON.</summary>
    public RawBson Filter { get; init; }

    /// <summary>Documents that there must be at least and at most.</summary>
    public long Minimum { get; init; } = 1;

    public long? Maximum { get; init; }

    /// <summary>A field of the first document, and what it must be, as JSON.</summary>
    public string? Field { get; init; }

    public string? Expected { get; init; }

    /// <summary>A file of the configuration, relative to PROJECT_ROOT.</summary>
    public string? File { get; init; }

    /// <summary>A page that must answer 200.</summary>
    public Uri? Page { get; init; }

    /// <summary>A text that the file or the page must hold.</summary>
    public string? Contains { get; init; }
}

/// <summary>
/// DRILL_CHECKS: a file with a JSON array of checks, such as <c>[{"name": "trades", "collection": "bot.trades", "filter": {"side": "buy"}, "minimum": 1000}, {"name": "ports", "file": "config/app.json", "contains": "8080"},
/// {"name": "site", "url": "http://localhost:8080/health"}]</c>.
/// </summary>
internal static class DrillChecks
{
    private const long LongestFile = 1 << 20;
    private const int MostDocuments = 1_000_000;

    private static readonly TimeSpan PageLimit = TimeSpan.FromSeconds(30);

    /// <summary>Throws ConfigurationInvalid for a file that is not there or says something that is no check.</summary>
    public static IReadOnlyList<DrillCheck> Read(string path)
    {
        try
        {
            if (new FileInfo(path).Length > LongestFile)
                throw new JsonException("it is too long");
            using var document = JsonDocument.Parse(System.IO.File.ReadAllBytes(path), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            return [.. document.RootElement.EnumerateArray().Select(Parse)];
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException or FormatException or BsonException or KeyNotFoundException)
        {
            throw new BackupException(FailureKind.ConfigurationInvalid, $"DRILL_CHECKS {path} cannot be used: {wrong.Message}", "Write a JSON array of checks; docs/operations.md has examples.", path, wrong);
        }
    }

    /// <summary>Asks a collection. What is not as it should be throws Suspect.</summary>
    public static string AskCollection(DrillCheck check, MongoClient client, string database, string collection, CancellationToken token)
    {
        var limit = check.Maximum is { } most ? most + 1 : Math.Max(check.Minimum, 1);
        var command = new BsonBuilder().Append("find", collection).Append("filter", check.Filter).Append("limit", Math.Min(limit, MostDocuments));
        long count = 0;
        RawBson? first = null;
        using (var cursor = client.Open(database, command, new CursorOptions(), token))
        {
            while (cursor.Next() == CursorStep.Document)
            {
                count++;
                first ??= new RawBson(cursor.Current.ToArray());
            }
        }

        if (count < check.Minimum || count > check.Maximum)
            throw Wrong(check, string.Create(CultureInfo.InvariantCulture, $"{check.Collection} has {(count > check.Maximum ? "more than " : "only ")}{Math.Min(count, check.Maximum ?? count)} such documents, and there should be {check.Minimum}{(check.Maximum is { } top ? $" to {top}" : " at least")}"));
        if (check.Field is { } field && check.Expected is { } expected)
        {
            var found = first is { } document && document.TryFind(System.Text.Encoding.UTF8.GetBytes(field), out var element) ? Json(element) : "nothing";
            if (!string.Equals(found, expected, StringComparison.Ordinal))
                throw Wrong(check, $"{field} of {check.Collection} is {found}, and should be {expected}");
        }

        return string.Create(CultureInfo.InvariantCulture, $"{check.Name}: {check.Collection} has what it should.");
    }

    /// <summary>Looks into a file below <paramref name="root"/>.</summary>
    public static string AskFile(DrillCheck check, string root)
    {
        var path = Path.GetFullPath(Path.Combine(root, check.File!));
        if (!path.StartsWith(Path.TrimEndingDirectorySeparator(root) + Path.DirectorySeparatorChar, StringComparison.Ordinal) || !System.IO.File.Exists(path))
            throw Wrong(check, $"{check.File} was not brought back");
        if (check.Contains is { } text && !System.IO.File.ReadAllText(path).Contains(text, StringComparison.Ordinal))
            throw Wrong(check, $"{check.File} does not hold what it should");
        return $"{check.Name}: {check.File} is there{(check.Contains is null ? "" : " and holds what it should")}.";
    }

    /// <summary>Asks a page.</summary>
    public static string AskPage(DrillCheck check, CancellationToken token)
    {
        using var client = new HttpClient { Timeout = PageLimit };
        try
        {
            using var answer = client.GetAsync(check.Page, token).GetAwaiter().GetResult();
            if (!answer.IsSuccessStatusCode)
                throw Wrong(check, string.Create(CultureInfo.InvariantCulture, $"{check.Page!.GetLeftPart(UriPartial.Path)} answered {(int)answer.StatusCode}"));
            if (check.Contains is { } text && !answer.Content.ReadAsStringAsync(token).GetAwaiter().GetResult().Contains(text, StringComparison.Ordinal))
                throw Wrong(check, $"{check.Page!.GetLeftPart(UriPartial.Path)} does not say what it should");
            return $"{check.Name}: {check.Page!.GetLeftPart(UriPartial.Path)} answers as it should.";
        }
        catch (Exception wrong) when (wrong is HttpRequestException || (wrong is OperationCanceledException && !token.IsCancellationRequested))
        {
            throw Wrong(check, $"{check.Page!.GetLeftPart(UriPartial.Path)} does not answer");
        }
    }

    private static DrillCheck Parse(JsonElement element)
    {
        string? Text(string name) => element.TryGetProperty(name, out var value) ? value.GetString() : null;
        long? Number(string name) => element.TryGetProperty(name, out var value) ? value.GetInt64() : null;
        var strange = element.EnumerateObject().Select(property => property.Name).Except(["name", "collection", "filter", "minimum", "maximum", "field", "equals", "file", "url", "contains"], StringComparer.Ordinal).FirstOrDefault();
        if (strange is not null)
            throw new JsonException($"'{strange}' is no part of a check");
        var check = new DrillCheck
        {
            Name = Text("name") ?? throw new JsonException("a check has no name"),
            Collection = Text("collection"),
            Filter = element.TryGetProperty("filter", out var filter) ? ExtendedJson.Read(filter.GetRawText()) : RawBson.Empty,
            Minimum = Number("minimum") ?? 1,
            Maximum = Number("maximum"),
            Field = Text("field"),
            Expected = element.TryGetProperty("equals", out var equals) ? equals.GetRawText() : null,
            File = Text("file"),
            Page = Text("url") is { } url ? new Uri(url, UriKind.Absolute) : null,
            Contains = Text("contains"),
        };
        if (new object?[] { check.Collection, check.File, check.Page }.Count(kind => kind is not null) != 1)
            throw new JsonException($"check '{check.Name}' must name one of collection, file and url");
        if (check.Collection is { } name && name.IndexOf('.', StringComparison.Ordinal) is var dot && (dot <= 0 || dot == name.Length - 1))
            throw new JsonException($"check '{check.Name}' must name its collection as database.collection");
        if (check.Page is { Scheme: not ("http" or "https") })
            throw new JsonException($"check '{check.Name}' must have a URL of http or https");
        return check;
    }

    // Numbers are compared by what they say, not by how wide they are stored.
    private static string Json(BsonElement element)
    {
        var text = ExtendedJson.ToText(new BsonBuilder().Append("v", element).ToBson());
        using var document = JsonDocument.Parse(text);
        var value = document.RootElement.GetProperty("v");
        return value.ValueKind == JsonValueKind.Object && value.EnumerateObject().ToList() is [{ Name: "$numberInt" or "$numberLong" or "$numberDouble" } number] ? number.Value.GetString()! : value.GetRawText();
    }

    private static BackupException Wrong(DrillCheck check, string what) => new(FailureKind.Suspect, $"The check '{check.Name}' failed: {what}.", "See whether the backup is not what it should be, or the check.", check.Name);
}
