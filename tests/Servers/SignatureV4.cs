using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace BotCore.Backup.TestServers;

/// <summary>Amazon's signature of a request, version 4, from its description alone: what the SDK makes is judged by something that is not the SDK.</summary>
public static class SignatureV4
{
    private const string Algorithm = "AWS4-HMAC-SHA256";

    /// <summary>The header Authorization.</summary>
    /// <param name="method">GET and its like.</param>
    /// <param name="target">Path and query, as they stand in the request.</param>
    /// <param name="headers">All headers that are signed, host among them.</param>
    /// <param name="payload">The header x-amz-content-sha256.</param>
    /// <param name="time">The header x-amz-date.</param>
    /// <param name="accessKey">Who.</param>
    /// <param name="secret">The secret of that key.</param>
    /// <param name="region">The region.</param>
    public static string Sign(string method, string target, IEnumerable<KeyValuePair<string, string>> headers, string payload, string time, string accessKey, string secret, string region = "us-east-1")
    {
        var (path, query) = target.Split('?', 2) is [var p, var q] ? (p, q) : (target, "");
        var ordered = headers.Select(h => (Name: h.Key.ToLowerInvariant(), Value: h.Value.Trim())).OrderBy(h => h.Name, StringComparer.Ordinal).ToList();
        var names = string.Join(';', ordered.Select(h => h.Name));
        var parameters = string.Join('&', query.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(one => one.Contains('=', StringComparison.Ordinal) ? one : one + "=").Order(StringComparer.Ordinal));
        var canonical = $"{method}\n{path}\n{parameters}\n{string.Concat(ordered.Select(h => $"{h.Name}:{h.Value}\n"))}\n{names}\n{payload}";
        var scope = $"{time[..8]}/{region}/s3/aws4_request";
        var text = $"{Algorithm}\n{time}\n{scope}\n{Hex(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";
        var key = Encoding.UTF8.GetBytes("AWS4" + secret);
        foreach (var part in new[] { time[..8], region, "s3", "aws4_request", text })
            key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(part));
        return $"{Algorithm} Credential={accessKey}/{scope}, SignedHeaders={names}, Signature={Hex(key)}";
    }

    /// <summary>A time as the signature has it.</summary>
    public static string Time(DateTime utc) => utc.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);

    internal static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
}
