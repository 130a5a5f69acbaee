using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;

namespace BotCore.Backup.TestServers;

/// <summary>Speaks S3 with a server as a stranger to the product: makes what a test needs, and looks at what is really there. One user. Thread-safe.</summary>
public sealed class S3Requests(Uri endpoint, string accessKey, string secret) : IDisposable
{
    private readonly HttpClient _http = new();

    /// <summary>Makes a bucket; with Object Lock where that is wanted.</summary>
    public void MakeBucket(string bucket, bool withLock = false) =>
        Send(HttpMethod.Put, $"/{bucket}", headers: withLock ? [new("x-amz-bucket-object-lock-enabled", "true")] : []);

    /// <summary>Lets a bucket keep versions.</summary>
    public void KeepVersions(string bucket) =>
        Send(HttpMethod.Put, $"/{bucket}?versioning=", Encoding.UTF8.GetBytes("<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Status>Enabled</Status></VersioningConfiguration>"));

    /// <summary>Objects in parts that were begun and not ended: their keys.</summary>
    public IReadOnlyList<string> Uploads(string bucket) => Names(Send(HttpMethod.Get, $"/{bucket}?uploads="), "Upload", "Key");

    /// <summary>The keys of all objects, a thousand at most.</summary>
    public IReadOnlyList<string> Keys(string bucket) => Names(Send(HttpMethod.Get, $"/{bucket}?list-type=2"), "Contents", "Key");

    /// <summary>The ids of all versions of all objects, markers left out.</summary>
    public IReadOnlyList<string> Versions(string bucket) => Names(Send(HttpMethod.Get, $"/{bucket}?versions="), "Version", "VersionId");

    /// <summary>Begins an object in parts, and leaves it.</summary>
    public void BeginUpload(string bucket, string key) => Send(HttpMethod.Post, $"/{bucket}/{key}?uploads=");

    /// <summary>Puts an object.</summary>
    public void Put(string bucket, string key, byte[] content) => Send(HttpMethod.Put, $"/{bucket}/{key}", content);

    /// <summary>An object's bytes.</summary>
    public byte[] Get(string bucket, string key) => Send(HttpMethod.Get, $"/{bucket}/{key}");

    /// <summary>One header of an object.</summary>
    public string? Header(string bucket, string key, string name)
    {
        using var answer = Ask(HttpMethod.Head, $"/{bucket}/{key}", [], []);
        return answer.Headers.TryGetValues(name, out var values) ? values.First() : null;
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private static List<string> Names(byte[] xml, string element, string name) =>
        [.. XDocument.Parse(Encoding.UTF8.GetString(xml)).Descendants().Where(e => string.Equals(e.Name.LocalName, element, StringComparison.Ordinal))
            .Select(e => e.Elements().First(f => string.Equals(f.Name.LocalName, name, StringComparison.Ordinal)).Value)];

    private byte[] Send(HttpMethod method, string target, byte[]? body = null, KeyValuePair<string, string>[]? headers = null)
    {
        using var answer = Ask(method, target, body ?? [], headers ?? []);
        using var stream = answer.Content.ReadAsStream();
        using var content = new MemoryStream();
        stream.CopyTo(content);
        return answer.IsSuccessStatusCode ? content.ToArray() : throw new InvalidOperationException($"{method} {target}: {(int)answer.StatusCode} {Encoding.UTF8.GetString(content.ToArray())}");
    }

    private HttpResponseMessage Ask(HttpMethod method, string target, byte[] body, KeyValuePair<string, string>[] headers)
    {
        var time = SignatureV4.Time(DateTime.UtcNow);
        var payload = SignatureV4.Hex(SHA256.HashData(body));
        KeyValuePair<string, string>[] signed =
        [
            .. headers, new("host", string.Create(CultureInfo.InvariantCulture, $"{endpoint.Host}:{endpoint.Port}")), new("x-amz-content-sha256", payload), new("x-amz-date", time),
        ];
        using var request = new HttpRequestMessage(method, new Uri(endpoint, target));
        if (body.Length > 0)
            request.Content = new ByteArrayContent(body);
        foreach (var (name, value) in signed)
            request.Headers.TryAddWithoutValidation(name, value);
        request.Headers.TryAddWithoutValidation("Authorization", SignatureV4.Sign(method.Method, target, signed, payload, time, accessKey, secret));
        return _http.Send(request);
    }
}
