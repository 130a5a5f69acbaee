using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace BotCore.Backup.Protocols.GoogleStorage.Credentials;

/// <summary>A JSON web token signed with RS256 (RFC 7519, RFC 7515), as the token endpoint asks for one.</summary>
internal static class SignedJwt
{
    // The endpoint takes an hour at most.
    private const int Lifetime = 3600;

    /// <summary>States that <paramref name="issuer"/> asks <paramref name="audience"/> for <paramref name="scope"/>.</summary>
    public static string Make(RSA key, string? keyId, string issuer, string scope, string audience, DateTimeOffset now)
    {
        var issued = now.ToUnixTimeSeconds();
        var header = Json(writer =>
        {
            writer.WriteString("alg", "RS256");
            writer.WriteString("typ", "JWT");
            if (keyId is not null)
                writer.WriteString("kid", keyId);
        });
        var claims = Json(writer =>
        {
            writer.WriteString("iss", issuer);
            writer.WriteString("scope", scope);
            writer.WriteString("aud", audience);
            writer.WriteNumber("iat", issued);
            writer.WriteNumber("exp", issued + Lifetime);
        });
        var signed = $"{Base64Url.EncodeToString(header)}.{Base64Url.EncodeToString(claims)}";
        var signature = key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return $"{signed}.{Base64Url.EncodeToString(signature)}";
    }

    private static byte[] Json(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        return buffer.ToArray();
    }
}
