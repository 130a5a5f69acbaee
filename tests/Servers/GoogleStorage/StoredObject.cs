using System.Globalization;
using System.Text.Json.Nodes;

namespace BotCore.Backup.TestServers.GoogleStorage;

/// <summary>An object of a bucket.</summary>
internal sealed record StoredObject(string Bucket, string Name, long Generation, StoredBlob Blob, DateTimeOffset Written)
{
    public JsonObject Metadata { get; init; } = [];

    public string ContentType { get; init; } = "application/octet-stream";

    /// <summary>What the server says its checksum is.</summary>
    public string Crc32C { get; init; } = Blob.Crc32C;

    /// <summary>The server's address.</summary>
    public Uri? Server { get; init; }

    /// <summary>The object resource, or the fields of it that were asked for.</summary>
    public JsonObject ToJson(IReadOnlySet<string>? fields = null)
    {
        var all = new JsonObject
        {
            ["kind"] = "storage#object",
            ["id"] = $"{Bucket}/{Name}/{Generation}",
            ["name"] = Name,
            ["bucket"] = Bucket,
            ["generation"] = Generation.ToString(CultureInfo.InvariantCulture),
            ["metageneration"] = "1",
            ["contentType"] = ContentType,
            ["timeCreated"] = Time(Written),
            ["updated"] = Time(Written),
            ["storageClass"] = "STANDARD",
            ["size"] = Blob.Length.ToString(CultureInfo.InvariantCulture),
            ["crc32c"] = Crc32C,
            ["etag"] = $"CI{Generation}",
        };
        if (fields?.Contains("md5Hash") != false)
            all["md5Hash"] = Blob.Md5;
        if (Server is not null)
            all["mediaLink"] = new Uri(Server, string.Create(CultureInfo.InvariantCulture, $"/download/storage/v1/b/{Bucket}/o/{Uri.EscapeDataString(Name)}?generation={Generation}&alt=media")).AbsoluteUri;
        if (Metadata.Count > 0)
            all["metadata"] = Metadata.DeepClone();
        foreach (var other in all.Select(pair => pair.Key).Where(name => fields?.Contains(name) == false).ToList())
            all.Remove(other);
        return all;
    }

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}

/// <summary>An upload that is under way.</summary>
internal sealed class UploadSession(string bucket, string name, JsonObject resource, string? ifGeneration, StoredBlob blob, DateTimeOffset began)
{
    public string Bucket => bucket;

    public string Name => name;

    public JsonObject Resource => resource;

    public string? IfGeneration => ifGeneration;

    public StoredBlob Blob => blob;

    public DateTimeOffset Began => began;

    public string? Fields { get; init; }

    public long? Total { get; set; }

    public bool IsCancelled { get; set; }

    public StoredObject? Done { get; set; }
}
