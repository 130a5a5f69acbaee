using System.Text.Json;
using BotCore.Backup.Protocols.MongoDb.Bson;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Replay;

/// <summary>A fact on the test data of the MongoDB tools, read in place; it is skipped where that is not there.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class MongoToolsFactAttribute : FactAttribute
{
    public MongoToolsFactAttribute()
    {
        if (MongoToolsData.Folder is null)
            Skip = "Needs ../shared/fixtures/mongo-tools beside the project.";
    }
}

internal static class MongoToolsData
{
    public static string? Folder { get; } = Find();

    /// <summary>Named cases: their entries, the collection they are about, and what must be in it afterwards.</summary>
    public static IEnumerable<(string Name, List<RawBson> Entries, string Namespace, List<RawBson>? After)> Cases(string file)
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder!, file)));
        foreach (var test in json.RootElement.EnumerateObject())
        {
            yield return (
                test.Name,
                Documents(test.Value.GetProperty("ops")),
                test.Value.TryGetProperty("ns", out var ns) ? ns.GetString()! : "",
                test.Value.TryGetProperty("postimage", out var after) ? Documents(after) : null);
        }
    }

    /// <summary>The documents of a .bson file.</summary>
    public static List<RawBson> Bson(string file)
    {
        var bytes = File.ReadAllBytes(Path.Combine(Folder!, file));
        var documents = new List<RawBson>();
        for (var at = 0; at < bytes.Length;)
        {
            var length = BitConverter.ToInt32(bytes, at);
            documents.Add(new RawBson(bytes.AsMemory(at, length)));
            at += length;
        }

        return documents;
    }

    private static List<RawBson> Documents(JsonElement array) => [.. array.EnumerateArray().Select(document => ExtendedJson.Read(document.GetRawText()))];

    private static string? Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, "shared", "fixtures", "mongo-tools");
            if (Directory.Exists(candidate))
                return candidate;
        }

        return null;
    }
}
