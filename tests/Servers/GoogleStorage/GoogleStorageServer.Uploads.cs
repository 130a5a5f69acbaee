using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace BotCore.Backup.TestServers.GoogleStorage;

public sealed partial class GoogleStorageServer
{
    private const int Granule = 256 * 1024;

    private static readonly TimeSpan SessionLifetime = TimeSpan.FromDays(7);

    private static HttpAnswer Gone => new(410);

    private static HttpAnswer Cancelled => new(499);

    /// <summary>Forgets all uploads, as the service does after a week.</summary>
    public void ForgetUploads()
    {
        lock (_gate)
            _sessions.Clear();
    }

    private async Task<HttpAnswer?> UploadAsync(HttpPeer peer, HttpHead head, string bucket, GoogleFault? fault)
    {
        if (await ReadSmallAsync(peer, fault) is not { } body)
            return null;
        lock (_gate)
        {
            if (!_buckets.ContainsKey(bucket))
                return NoBucket;
            return head.Query("uploadType") switch
            {
                "multipart" => Multipart(head, bucket, body, fault),
                "resumable" => StartSession(head, bucket, body),
                _ => Error(400, "badRequest", "Unknown uploadType."),
            };
        }
    }

    // A body that breaks off leaves nothing.
    private async Task<byte[]?> ReadSmallAsync(HttpPeer peer, GoogleFault? fault)
    {
        if (fault?.Kind is not (GoogleFaultKind.DropBody or GoogleFaultKind.StallBody))
            return await peer.ReadBodyAsync(_stop.Token);
        var part = new byte[1024];
        for (var left = fault.Bytes; left > 0;)
            left -= await peer.ReadBodyAsync(part.AsMemory(0, Math.Min(left, part.Length)), _stop.Token);
        if (fault.Kind == GoogleFaultKind.StallBody)
            await StallAsync();
        return null;
    }

    private HttpAnswer Multipart(HttpHead head, string bucket, byte[] body, GoogleFault? fault)
    {
        const string Marker = "boundary=";
        var type = head["Content-Type"] ?? "";
        if (!type.StartsWith("multipart/related", StringComparison.Ordinal) || type.IndexOf(Marker, StringComparison.Ordinal) is < 0)
            return Error(400, "badContent", "Unsupported content with type: " + type);
        var boundary = "--" + type[(type.IndexOf(Marker, StringComparison.Ordinal) + Marker.Length)..].Trim('"', '\'');
        var parts = SplitParts(body, Encoding.ASCII.GetBytes(boundary));
        if (parts.Count != 2)
            return Error(400, "badRequest", "Expected two parts.");
        var resource = (JsonObject)JsonNode.Parse(parts[0])!;
        var name = (string?)resource["name"] ?? head.Query("name");
        if (string.IsNullOrEmpty(name))
            return Error(400, "required", "Required");
        if (!IsMet(bucket, name, head.Query("ifGenerationMatch")))
            return NotMet;
        var blob = NewBlob();
        blob.Append(parts[1]);
        if ((string?)resource["crc32c"] is { } expected && !string.Equals(expected, blob.Crc32C, StringComparison.Ordinal))
            return Mismatch(expected, blob.Crc32C);
        return Json(200, Finish(bucket, name, resource, blob, fault).ToJson(Fields(head.Query("fields"))));
    }

    private static HttpAnswer Mismatch(string expected, string actual) => Error(400, "invalid", $"Provided CRC32C \"{expected}\" doesn't match calculated CRC32C \"{actual}\".");

    private static List<byte[]> SplitParts(byte[] body, byte[] boundary)
    {
        var parts = new List<byte[]>();
        var at = body.AsSpan().IndexOf(boundary);
        while (at >= 0)
        {
            at += boundary.Length;
            if (body.AsSpan(at).StartsWith("--"u8))
                break;
            var content = at + body.AsSpan(at).IndexOf("\r\n\r\n"u8) + 4;
            var end = content + body.AsSpan(content).IndexOf([.. "\r\n"u8, .. boundary]);
            parts.Add(body[content..end]);
            at = end + 2;
        }

        return parts;
    }

    private HttpAnswer StartSession(HttpHead head, string bucket, byte[] body)
    {
        var resource = body.Length == 0 ? [] : (JsonObject)JsonNode.Parse(body)!;
        var name = (string?)resource["name"] ?? head.Query("name");
        if (string.IsNullOrEmpty(name))
            return Error(400, "required", "Required");
        if (!IsMet(bucket, name, head.Query("ifGenerationMatch")))
            return NotMet;
        var id = Guid.NewGuid().ToString("N");
        _sessions[id] = new UploadSession(bucket, name, resource, head.Query("ifGenerationMatch"), NewBlob(), Clock.GetUtcNow()) { Fields = head.Query("fields") };
        var scheme = _certificate is null ? "http" : "https";
        return new HttpAnswer(200)
            .With("Location", $"{scheme}://{head["Host"]}/upload/storage/v1/b/{Uri.EscapeDataString(bucket)}/o?uploadType=resumable&upload_id={id}")
            .With("X-GUploader-UploadID", id);
    }

    private async Task<HttpAnswer?> SessionAsync(HttpPeer peer, HttpHead head, GoogleFault? fault)
    {
        var id = head.Query("upload_id")!;
        UploadSession? session;
        lock (_gate)
        {
            if (fault?.Kind == GoogleFaultKind.ForgetSession)
                _sessions.Remove(id);
            session = _sessions.GetValueOrDefault(id);
        }

        if (session is null || session.IsCancelled || Clock.GetUtcNow() - session.Began > SessionLifetime)
        {
            await peer.ReadBodyAsync(_stop.Token);
            return session is null ? new HttpAnswer(404) : session.IsCancelled ? Cancelled : Gone;
        }

        if (head.Method is "DELETE")
        {
            lock (_gate)
                session.IsCancelled = session.Done is null;
            return Cancelled;
        }

        return head.Method is "PUT" && ContentRange.TryParse(head["Content-Range"], out var range)
            ? await PutAsync(peer, head, session, range, fault)
            : Error(400, "badRequest", "A session takes PUT with Content-Range.");
    }

    private async Task<HttpAnswer?> PutAsync(HttpPeer peer, HttpHead head, UploadSession session, ContentRange range, GoogleFault? fault)
    {
        if (range.Count > 0 && Refuse(session, range, head) is { } refusal)
        {
            await peer.ReadBodyAsync(_stop.Token);
            return refusal;
        }

        if (!await PersistAsync(peer, session, range, fault))
            return null;
        lock (_gate)
        {
            if (session.Done is { } done)
                return Json(200, done.ToJson(Fields(session.Fields)));
            session.Total ??= range.Total;
            if (session.Total is { } total && range.Total is { } said && said != total)
                return Error(400, "badRequest", "The total length changed.");
            if (range.Total is null || session.Blob.Length < range.Total)
                return Incomplete(session);
            if (!IsMet(session.Bucket, session.Name, session.IfGeneration))
                return NotMet;
            if (head["x-goog-hash"] is { } hash && hash.StartsWith("crc32c=", StringComparison.Ordinal) && !string.Equals(hash["crc32c=".Length..], session.Blob.Crc32C, StringComparison.Ordinal))
                return Mismatch(hash["crc32c=".Length..], session.Blob.Crc32C);
            session.Done = Finish(session.Bucket, session.Name, session.Resource, session.Blob, fault);
            return Json(200, session.Done.ToJson(Fields(session.Fields)));
        }
    }

    private static HttpAnswer Incomplete(UploadSession session)
    {
        var answer = new HttpAnswer(308);
        return session.Blob.Length == 0 ? answer : answer.With("Range", string.Create(CultureInfo.InvariantCulture, $"bytes=0-{session.Blob.Length - 1}"));
    }

    private static HttpAnswer? Refuse(UploadSession session, ContentRange range, HttpHead head)
    {
        if (head["Content-Length"] is { } length && long.Parse(length, CultureInfo.InvariantCulture) != range.Count)
            return Error(400, "badRequest", "Content-Length and Content-Range do not agree.");
        if (range.First > session.Blob.Length)
            return Error(400, "badRequest", "Bytes before these are missing.");
        return range.Total is null && range.Count % Granule != 0
            ? Error(400, "badRequest", "Invalid request. The number of bytes uploaded is required to be equal or greater than 262144, except for the final request.")
            : null;
    }

    // Whether the body came whole, or as far as the fault lets it. What broke off is kept in whole granules.
    private async Task<bool> PersistAsync(HttpPeer peer, UploadSession session, ContentRange range, GoogleFault? fault)
    {
        var skip = session.Blob.Length - range.First;
        var received = new MemoryStream();
        var part = new byte[64 * 1024];
        var most = fault?.Kind is GoogleFaultKind.DropBody or GoogleFaultKind.StallBody ? fault.Bytes : long.MaxValue;
        var isWhole = false;
        try
        {
            while (received.Length < most)
            {
                var read = await peer.ReadBodyAsync(part.AsMemory(0, (int)Math.Min(part.Length, most - received.Length)), _stop.Token);
                if (read == 0)
                {
                    isWhole = true;
                    break;
                }

                received.Write(part, 0, read);
            }
        }
        catch (Exception broken) when (broken is IOException or System.Net.Sockets.SocketException)
        {
            // Kept below.
        }

        var keeps = isWhole ? received.Length : received.Length / Granule * Granule;
        if (fault?.Kind == GoogleFaultKind.PersistOnly)
            keeps = Math.Min(keeps, fault.Bytes);
        lock (_gate)
        {
            if (range.Count > 0 && keeps > skip && session.Done is null)
                session.Blob.Append(received.GetBuffer().AsSpan((int)skip, (int)(keeps - skip)));
        }

        if (fault?.Kind == GoogleFaultKind.StallBody)
            await StallAsync();
        return isWhole;
    }

    private bool IsMet(string bucket, string name, string? ifGeneration)
    {
        var there = _buckets[bucket].GetValueOrDefault(name);
        return ifGeneration switch
        {
            null => true,
            "0" => there is null,
            _ => there is not null && IsGeneration(there, ifGeneration),
        };
    }

    private StoredObject Finish(string bucket, string name, JsonObject resource, StoredBlob blob, GoogleFault? fault)
    {
        var one = new StoredObject(bucket, name, ++_generation, blob, Clock.GetUtcNow())
        {
            Server = Endpoint,
            Metadata = (JsonObject?)resource["metadata"]?.DeepClone() ?? [],
            ContentType = (string?)resource["contentType"] ?? "application/octet-stream",
        };
        if (fault?.Kind == GoogleFaultKind.WrongChecksum)
            one = one with { Crc32C = "AAAAAA==" };
        Put(one);
        return one;
    }

    private readonly record struct ContentRange(long First, long Count, long? Total)
    {
        public static bool TryParse(string? text, out ContentRange range)
        {
            range = default;
            if (text?.StartsWith("bytes ", StringComparison.Ordinal) != true || text["bytes ".Length..].Split('/') is not [var span, var whole])
                return false;
            long? total = whole is "*" ? null : long.Parse(whole, CultureInfo.InvariantCulture);
            if (span is "*")
            {
                range = new ContentRange(0, 0, total);
                return true;
            }

            var ends = span.Split('-').Select(end => long.Parse(end, CultureInfo.InvariantCulture)).ToArray();
            range = new ContentRange(ends[0], ends[1] - ends[0] + 1, total);
            return range.Count > 0 && (total is null || ends[1] < total);
        }
    }
}
