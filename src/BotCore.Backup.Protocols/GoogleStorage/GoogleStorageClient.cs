using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace BotCore.Backup.Protocols.GoogleStorage;

/// <summary>
/// The JSON API of Google Cloud Storage, version 1 (cloud.google.com/storage/docs/json_api), as far as backups need it. Calls block; each is one request (and one for a token where one is due), and none is tried again:
/// that is for the caller, who knows what may be done twice. Failures are <see cref="GoogleStorageException"/>. Thread-safe.
/// </summary>
public sealed class GoogleStorageClient : IDisposable
{
    private const string ObjectFields = "name,size,generation,crc32c,updated,metadata";
    private const int MostOfListing = 64 << 20;

    private readonly GoogleConnection _connection;

    /// <summary>Does not connect yet, and reads no credentials yet.</summary>
    public GoogleStorageClient(GoogleStorageOptions options) => _connection = new GoogleConnection(options);

    /// <summary>The facts of an object. Throws NotFound or BucketNotFound.</summary>
    public GoogleObject Get(string bucket, string name, CancellationToken token)
    {
        using var response = _connection.Send(_ => new HttpRequestMessage(HttpMethod.Get, ObjectUri(bucket, name, "?fields=" + ObjectFields)), token);
        return Answer(response, $"the question for '{name}'", GoogleObject.Parse, token) with { Answered = response.Headers.Date };
    }

    /// <summary>A part of the objects whose names begin with <paramref name="prefix"/>.</summary>
    /// <param name="bucket">The bucket.</param>
    /// <param name="prefix">Empty for all.</param>
    /// <param name="page">What the part before gave; null for the first.</param>
    /// <param name="most">Objects in a part; the server may give fewer.</param>
    /// <param name="token">Cancels.</param>
    public GoogleObjectPage List(string bucket, string prefix, string? page, int most, CancellationToken token)
    {
        var query = string.Create(CultureInfo.InvariantCulture, $"?fields=nextPageToken,items(name,size)&maxResults={most}&prefix={Uri.EscapeDataString(prefix)}")
            + (page is null ? "" : "&pageToken=" + Uri.EscapeDataString(page));
        using var response = _connection.Send(_ => new HttpRequestMessage(HttpMethod.Get, BucketUri("storage", bucket, query)), token);
        return Answer(response, "the listing", GoogleObjectPage.Parse, token);
    }

    /// <summary>Reads an object from <paramref name="offset"/> to its end; nothing where the offset is at or behind its end.</summary>
    /// <param name="bucket">The bucket.</param>
    /// <param name="name">The object.</param>
    /// <param name="offset">The first byte.</param>
    /// <param name="generation">Which version; null for what stands there.</param>
    /// <param name="token">Cancels, the reading too.</param>
    public GoogleDownload Download(string bucket, string name, long offset, long? generation, CancellationToken token)
    {
        var query = "?alt=media" + (generation is { } version ? string.Create(CultureInfo.InvariantCulture, $"&generation={version}") : "");
        var response = _connection.Send(_ =>
        {
            var request = new HttpRequestMessage(HttpMethod.Get, ObjectUri(bucket, name, query));
            // Else objects that somebody stored as gzip come unpacked, of another length than the one that is listed.
            request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("gzip"));
            if (offset > 0)
                request.Headers.Range = new RangeHeaderValue(offset, null);
            return request;
        }, token);
        try
        {
            if (response.IsSuccessStatusCode)
            {
                Demand(response, offset);
                return new GoogleDownload(_connection, response, Generation(response), token);
            }

            var refusal = _connection.Refusal(response, $"the request for '{name}'", token);
            response.Dispose();
            return refusal.Error == GoogleStorageError.RangeNotSatisfiable && offset > 0 ? new GoogleDownload(_connection, null, 0, token) : throw refusal;
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    /// <summary>Writes a small object in one request.</summary>
    /// <param name="bucket">The bucket.</param>
    /// <param name="name">The object.</param>
    /// <param name="content">All of it.</param>
    /// <param name="metadata">Kept beside it.</param>
    /// <param name="ifGeneration">The version that must stand there; 0 for none at all.</param>
    /// <param name="token">Cancels.</param>
    public GoogleObject Upload(string bucket, string name, ReadOnlyMemory<byte> content, IReadOnlyDictionary<string, string> metadata, long ifGeneration, CancellationToken token)
    {
        var sum = default(Crc32C);
        sum.Append(content.Span);
        var boundary = RandomNumberGenerator.GetHexString(40, lowercase: true);
        var head = Encoding.UTF8.GetBytes($"--{boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{Describe(name, metadata, sum.ToString())}\r\n--{boundary}\r\nContent-Type: application/octet-stream\r\n\r\n");
        var tail = Encoding.ASCII.GetBytes($"\r\n--{boundary}--\r\n");
        using var response = _connection.Send(watch =>
        {
            var body = new WatchedContent([head, content, tail], watch);
            body.Headers.TryAddWithoutValidation("Content-Type", $"multipart/related; boundary={boundary}");
            return new HttpRequestMessage(HttpMethod.Post, BucketUri("upload/storage", bucket, UploadQuery("multipart", ifGeneration))) { Content = body };
        }, token);
        return Answer(response, $"the upload of '{name}'", GoogleObject.Parse, token);
    }

    /// <summary>Begins to write an object of any length. Nothing stands under its name until the last part is there.</summary>
    public GoogleUpload StartUpload(string bucket, string name, IReadOnlyDictionary<string, string> metadata, long ifGeneration, CancellationToken token)
    {
        var json = Encoding.UTF8.GetBytes(Describe(name, metadata, null));
        using var response = _connection.Send(watch =>
        {
            var body = new WatchedContent([json], watch);
            body.Headers.TryAddWithoutValidation("Content-Type", "application/json; charset=UTF-8");
            var request = new HttpRequestMessage(HttpMethod.Post, BucketUri("upload/storage", bucket, UploadQuery("resumable", ifGeneration))) { Content = body };
            request.Headers.TryAddWithoutValidation("X-Upload-Content-Type", "application/octet-stream");
            return request;
        }, token);
        if (!response.IsSuccessStatusCode)
            throw _connection.Refusal(response, $"the begin of the upload of '{name}'", token);
        // Only its path is believed: the token goes to the server that is configured, and to no other.
        return response.Headers.Location is { } session && Uri.TryCreate(_connection.Endpoint, session, out var whole)
            ? new GoogleUpload(_connection, new Uri(_connection.Endpoint, whole.PathAndQuery), name)
            : throw new GoogleStorageException(GoogleStorageError.Protocol, "The server began an upload and gave no address for it.");
    }

    /// <summary>Removes an object. False where there is none. Throws PreconditionFailed where it is in another version than <paramref name="ifGeneration"/>.</summary>
    public bool Delete(string bucket, string name, long? ifGeneration, CancellationToken token)
    {
        var query = ifGeneration is { } version ? string.Create(CultureInfo.InvariantCulture, $"?ifGenerationMatch={version}") : "";
        using var response = _connection.Send(_ => new HttpRequestMessage(HttpMethod.Delete, ObjectUri(bucket, name, query)), token);
        if (response.IsSuccessStatusCode)
            return true;
        var refusal = _connection.Refusal(response, $"the removal of '{name}'", token);
        return refusal.Error == GoogleStorageError.NotFound ? false : throw refusal;
    }

    /// <inheritdoc/>
    public void Dispose() => _connection.Dispose();

    private T Answer<T>(HttpResponseMessage response, string what, Func<JsonElement, T> parse, CancellationToken token) => Answer(_connection, response, what, parse, token);

    /// <summary>Reads an answer that must be good and of the form that <paramref name="parse"/> reads.</summary>
    internal static T Answer<T>(GoogleConnection connection, HttpResponseMessage response, string what, Func<JsonElement, T> parse, CancellationToken token)
    {
        if (!response.IsSuccessStatusCode)
            throw connection.Refusal(response, what, token);
        var body = connection.ReadBody(response, token, MostOfListing);
        try
        {
            using var json = JsonDocument.Parse(body);
            return parse(json.RootElement);
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            throw new GoogleStorageException(GoogleStorageError.Protocol, $"The answer of {connection.Endpoint.Host} to {what} is not what the API describes: {ErrorBody.Redact(malformed.Message)}", malformed);
        }
    }

    private void Demand(HttpResponseMessage response, long offset)
    {
        var start = response.Content.Headers.TryGetValues("Content-Range", out var ranges) ? ContentRanges.ParseStart(ranges.FirstOrDefault()) : null;
        if (offset > 0 && (response.StatusCode != HttpStatusCode.PartialContent || start != offset))
            throw new GoogleStorageException(GoogleStorageError.Protocol, $"{_connection.Endpoint.Host} was asked for an object from byte {offset} on and gave another part of it.");
    }

    private static long Generation(HttpResponseMessage response) =>
        response.Headers.TryGetValues("x-goog-generation", out var values) && long.TryParse(values.FirstOrDefault(), NumberStyles.None, CultureInfo.InvariantCulture, out var generation) ? generation : 0;

    private static string Describe(string name, IReadOnlyDictionary<string, string> metadata, string? crc32C)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("name", name);
            writer.WriteString("contentType", "application/octet-stream");
            if (crc32C is not null)
                writer.WriteString("crc32c", crc32C);
            writer.WriteStartObject("metadata");
            foreach (var (key, value) in metadata)
                writer.WriteString(key, value);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static string UploadQuery(string type, long ifGeneration) =>
        string.Create(CultureInfo.InvariantCulture, $"?uploadType={type}&ifGenerationMatch={ifGeneration}&fields={ObjectFields}");

    private Uri BucketUri(string api, string bucket, string query) => new(_connection.Endpoint, $"/{api}/v1/b/{Uri.EscapeDataString(bucket)}/o{query}");

    private Uri ObjectUri(string bucket, string name, string query) => BucketUri("storage", bucket, $"/{Uri.EscapeDataString(name)}{query}");
}
