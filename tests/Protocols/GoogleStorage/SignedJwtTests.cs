using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using BotCore.Backup.Protocols.GoogleStorage.Credentials;
using Xunit;

namespace BotCore.Backup.Protocols.Tests.GoogleStorage;

public sealed class SignedJwtTests
{
    [Fact]
    public void It_says_and_signs_what_the_token_endpoint_asks_for()
    {
        using var key = RSA.Create(2048);
        var parts = SignedJwt.Make(key, "id-1", "me@project", "scope", "https://token", DateTimeOffset.FromUnixTimeSeconds(1_700_000_000)).Split('.');

        Assert.Equal(3, parts.Length);
        Assert.Equal("""{"alg":"RS256","typ":"JWT","kid":"id-1"}""", Encoding.UTF8.GetString(Base64Url.DecodeFromChars(parts[0])));
        using var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(parts[1]));
        Assert.Equal("me@project", claims.RootElement.GetProperty("iss").GetString());
        Assert.Equal("scope", claims.RootElement.GetProperty("scope").GetString());
        Assert.Equal("https://token", claims.RootElement.GetProperty("aud").GetString());
        Assert.Equal(1_700_000_000, claims.RootElement.GetProperty("iat").GetInt64());
        Assert.Equal(1_700_003_600, claims.RootElement.GetProperty("exp").GetInt64());
        Assert.True(key.VerifyData(Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), Base64Url.DecodeFromChars(parts[2]), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
    }

    [Fact]
    public void A_token_hides_itself_and_is_renewed_before_its_end()
    {
        var now = DateTimeOffset.UnixEpoch;
        Assert.Equal(now.AddSeconds(3600 - 225), AccessToken.Of("secret", now, TimeSpan.FromHours(1)).RenewAt);
        Assert.Equal(now.AddSeconds(50), AccessToken.Of("secret", now, TimeSpan.FromSeconds(100)).RenewAt);
        Assert.DoesNotContain("secret", AccessToken.Of("secret", now, TimeSpan.FromHours(1)).ToString(), StringComparison.Ordinal);
    }
}
