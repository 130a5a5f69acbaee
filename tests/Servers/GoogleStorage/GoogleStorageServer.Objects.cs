using System.Globalization;
using System.Text.Json.Nodes;

namespace BotCore.Backup.TestServers.GoogleStorage;

public sealed partial class GoogleStorageServer
{
    private const int MostOfPage = 1000;

    private static HttpAnswer NoBucket => Error(404, "notFound", "The specified bucket does not exist.");

    private static HttpAnswer NotMet => Error(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.");

    private HttpAnswer Bucket(string bucket)
    {
        lock (_gate)
            return _buckets.ContainsKey(bucket) ? Json(200, new JsonObject { ["kind"] = "storage#bucket", ["name"] = bucket, ["id"] = bucket, ["location"] = "US", ["storageClass"] = "STANDARD" }) : NoBucket;
    }

    private HttpAnswer List(HttpHead head, string bucket)
    {
        var prefix = head.Query("prefix") ?? "";
        var after = head.Query("pageToken");
        var delimiter = head.Query("delimiter");
        var most = Math.Min(MostOfPage, head.Query("maxResults") is { } asked ? int.Parse(asked, CultureInfo.InvariantCulture) : MostOfPage);
        lock (_gate)
        {
            if (!_buckets.TryGetValue(bucket, out var objects))
                return NoBucket;
            var items = new JsonArray();
            var prefixes = new SortedSet<string>(StringComparer.Ordinal);
            string? last = null;
            var fields = ListedFields(head.Query("fields"));
            foreach (var (name, one) in objects.Where(pair => pair.Key.StartsWith(prefix, StringComparison.Ordinal) && (after is null || Utf8Order.Instance.Compare(pair.Key, after) > 0)))
            {
                if (items.Count + prefixes.Count == most)
                    return Json(200, Listing(items, prefixes, last));
                if (delimiter is { Length: > 0 } && name.IndexOf(delimiter, prefix.Length, StringComparison.Ordinal) is >= 0 and var cut)
                    prefixes.Add(name[..(cut + delimiter.Length)]);
                else
                    items.Add(one.ToJson(fields));
                last = name;
            }

            return Json(200, Listing(items, prefixes, null));
        }
    }

    private static JsonObject Listing(JsonArray items, SortedSet<string> prefixes, string? next)
    {
        var listing = new JsonObject { ["kind"] = "storage#objects" };
        if (items.Count > 0)
            listing["items"] = items;
        if (prefixes.Count > 0)
            listing["prefixes"] = new JsonArray([.. prefixes.Select(prefix => (JsonNode)prefix)]);
        if (next is not null)
            listing["nextPageToken"] = next;
        return listing;
    }

    // Only the two forms of a mask that a store uses; anything else gives all.
    private static HashSet<string>? ListedFields(string? mask)
    {
        const string Items = "items(";
        if (mask is null || mask.Contains('/', StringComparison.Ordinal) || !mask.Contains(Items, StringComparison.Ordinal))
            return null;
        var at = mask.IndexOf(Items, StringComparison.Ordinal) + Items.Length;
        return [.. mask[at..mask.IndexOf(')', at)].Split(',')];
    }

    private static HashSet<string>? Fields(string? mask) => mask is null || mask.AsSpan().ContainsAny('/', '(', '*') ? null : [.. mask.Split(',')];

    private HttpAnswer Object(HttpHead head, string bucket, string name, GoogleFault? fault)
    {
        lock (_gate)
        {
            if (!_buckets.TryGetValue(bucket, out var objects))
                return NoBucket;
            var there = objects.GetValueOrDefault(name);
            if (there is null || (head.Query("generation") is { } version && !IsGeneration(there, version)))
                return Error(404, "notFound", $"No such object: {bucket}/{name}");
            if (head.Query("ifGenerationMatch") is { } match && !IsGeneration(there, match))
                return NotMet;
            switch (head.Method)
            {
                case "DELETE":
                    objects.Remove(name);
                    return new HttpAnswer(204);
                case "GET" when head.Query("alt") is "media":
                    return Media(head, there, fault);
                case "GET":
                    return Json(200, there.ToJson(Fields(head.Query("fields"))));
                default:
                    return Error(405, "methodNotAllowed", "Method Not Allowed");
            }
        }
    }

    private static bool IsGeneration(StoredObject one, string generation) => string.Equals(one.Generation.ToString(CultureInfo.InvariantCulture), generation, StringComparison.Ordinal);

    private HttpAnswer Media(HttpHead head, StoredObject one, GoogleFault? fault)
    {
        var length = one.Blob.Length;
        long from = 0;
        var to = length - 1;
        var isPart = false;
        if (head["Range"] is { } range && range.StartsWith("bytes=", StringComparison.Ordinal))
        {
            var ends = range["bytes=".Length..].Split('-');
            from = long.Parse(ends[0], CultureInfo.InvariantCulture);
            if (ends[1].Length > 0)
                to = Math.Min(to, long.Parse(ends[1], CultureInfo.InvariantCulture));
            isPart = true;
            if (from >= length)
                return Error(416, "requestedRangeNotSatisfiable", "Request range not satisfiable").With("Content-Range", $"bytes */{length}");
        }

        var answer = new HttpAnswer(isPart ? 206 : 200) { Length = to - from + 1, Write = stream => SendAsync(stream, one.Blob, from, to - from + 1, fault) };
        if (isPart)
            answer.With("Content-Range", $"bytes {from}-{to}/{length}");
        return answer
            .With("Content-Type", one.ContentType)
            .With("x-goog-generation", one.Generation.ToString(CultureInfo.InvariantCulture))
            .With("x-goog-hash", $"crc32c={one.Crc32C},md5={one.Blob.Md5}")
            .With("x-goog-stored-content-encoding", "identity")
            .With("x-goog-stored-content-length", length.ToString(CultureInfo.InvariantCulture))
            .With("Last-Modified", one.Written.ToString("R", CultureInfo.InvariantCulture));
    }

    private async Task SendAsync(Stream stream, StoredBlob blob, long from, long count, GoogleFault? fault)
    {
        var buffer = new byte[64 * 1024];
        var most = fault?.Kind is GoogleFaultKind.Truncate or GoogleFaultKind.StallDownload ? Math.Min(count, fault.Bytes) : count;
        for (long at = 0; at < most;)
        {
            var read = blob.Read(buffer.AsSpan(0, (int)Math.Min(buffer.Length, most - at)), from + at);
            await stream.WriteAsync(buffer.AsMemory(0, read), _stop.Token);
            Interlocked.Add(ref _sent, read);
            at += read;
        }

        await stream.FlushAsync(_stop.Token);
        if (fault?.Kind == GoogleFaultKind.StallDownload)
            await StallAsync();
        if (most < count)
            throw new IOException("The fault that was ordered.");
    }
}
