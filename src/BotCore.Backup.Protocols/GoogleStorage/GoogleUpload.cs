using System.Net;

namespace BotCore.Backup.Protocols.GoogleStorage;

/// <summary>How far an upload is.</summary>
/// <param name="Persisted">Bytes that the server keeps.</param>
/// <param name="Object">The object, once it is complete.</param>
public sealed record GoogleUploadState(long Persisted, GoogleObject? Object);

/// <summary>
/// A resumable upload (cloud.google.com/storage/docs/resumable-uploads): parts are sent in order, each but the last a multiple of <see cref="Granule"/> bytes, and the server says how much it keeps. Its address is a secret
/// of its own and stays inside. One that is neither completed nor cancelled expires after a week, unseen by anybody. One thread.
/// </summary>
public sealed class GoogleUpload
{
    /// <summary>What parts are a multiple of.</summary>
    public const int Granule = 256 * 1024;

    private const int ClientClosedRequest = 499;
    private const int ResumeIncomplete = 308;

    private readonly GoogleConnection _connection;
    private readonly Uri _session;
    private readonly string _name;

    internal GoogleUpload(GoogleConnection connection, Uri session, string name) => (_connection, _session, _name) = (connection, session, name);

    /// <summary>Sends bytes.</summary>
    /// <param name="part">The bytes; the server may keep only some of them.</param>
    /// <param name="offset">Where they stand in the object.</param>
    /// <param name="total">The length of the object, which makes this its last part; null for any other.</param>
    /// <param name="crc32C">The checksum of the whole object, with its last part: the server then refuses anything else. Null where it is not to be compared.</param>
    /// <param name="token">Cancels.</param>
    public GoogleUploadState Send(ReadOnlyMemory<byte> part, long offset, long? total, string? crc32C, CancellationToken token)
    {
        using var response = _connection.Send(watch =>
        {
            var request = Put(new WatchedContent([part], watch), ContentRanges.Format(offset, part.Length, total));
            if (crc32C is not null)
                request.Headers.TryAddWithoutValidation("x-goog-hash", "crc32c=" + crc32C);
            return request;
        }, token);
        return State(response, token);
    }

    /// <summary>Asks how far the upload is.</summary>
    public GoogleUploadState Query(long? total, CancellationToken token)
    {
        using var response = _connection.Send(watch => Put(new WatchedContent([], watch), ContentRanges.Format(0, 0, total)), token);
        return State(response, token);
    }

    /// <summary>Gives the upload up. One that is over already, in whichever way, is no error.</summary>
    public void Cancel(CancellationToken token)
    {
        using var response = _connection.Send(_ => new HttpRequestMessage(HttpMethod.Delete, _session), token);
        if (!response.IsSuccessStatusCode && !IsGone(response.StatusCode))
            throw _connection.Refusal(response, $"the end of the upload of '{_name}'", token);
    }

    private static bool IsGone(HttpStatusCode status) => status is HttpStatusCode.NotFound or HttpStatusCode.Gone || (int)status == ClientClosedRequest;

    private HttpRequestMessage Put(HttpContent content, string range)
    {
        content.Headers.TryAddWithoutValidation("Content-Range", range);
        return new HttpRequestMessage(HttpMethod.Put, _session) { Content = content };
    }

    private GoogleUploadState State(HttpResponseMessage response, CancellationToken token)
    {
        if ((int)response.StatusCode == ResumeIncomplete)
        {
            var range = response.Headers.TryGetValues("Range", out var values) ? values.FirstOrDefault() : null;
            return ContentRanges.ParsePersisted(range) is { } persisted
                ? new GoogleUploadState(persisted, null)
                : throw new GoogleStorageException(GoogleStorageError.Protocol, $"{_connection.Endpoint.Host} says of an upload how far it is in words that the API does not have.");
        }

        if (IsGone(response.StatusCode))
        {
            var refusal = _connection.Refusal(response, $"a part of '{_name}'", token);
            throw refusal.Error == GoogleStorageError.BucketNotFound
                ? refusal
                : new GoogleStorageException(GoogleStorageError.SessionGone, $"{_connection.Endpoint.Host} no longer knows the upload of '{_name}' ({(int)response.StatusCode}).") { Status = response.StatusCode };
        }

        var whole = GoogleStorageClient.Answer(_connection, response, $"a part of '{_name}'", GoogleObject.Parse, token);
        return new GoogleUploadState(whole.Size, whole);
    }
}
