using System.Security.Cryptography;
using System.Text.Json;

namespace BotCore.Backup.Protocols.GoogleStorage.Credentials;

/// <summary>A service account's key file: the private key signs a statement, which the token endpoint changes for a token (RFC 7523).</summary>
internal sealed class ServiceAccountCredentials : GoogleCredentials
{
    private const string Grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";

    private readonly Uri _tokenUri;
    private readonly string _email;
    private readonly string? _keyId;
    private readonly string _pem;

    public ServiceAccountCredentials(JsonElement json, string path)
    {
        _email = CredentialsFile.Text(json, "client_email", path);
        _tokenUri = CredentialsFile.TokenUri(json, path);
        _keyId = json.TryGetProperty("private_key_id", out var id) ? id.GetString() : null;
        _pem = CredentialsFile.Text(json, "private_key", path);
        try
        {
            // A key that cannot be used is said now, and not at the first upload.
            using var key = RSA.Create();
            key.ImportFromPem(_pem);
            _ = key.SignData([1], HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        }
        catch (Exception unusable) when (unusable is CryptographicException or ArgumentException)
        {
            // The cause stays out: nobody promises that its text holds nothing of the key.
            throw new GoogleStorageException(GoogleStorageError.CredentialsInvalid, $"The private key in {path} cannot be read: it is no RSA key in PEM form.");
        }
    }

    public override string Account => $"service account {_email}";

    public override HttpRequestMessage Ask(DateTimeOffset now)
    {
        using var key = RSA.Create();
        key.ImportFromPem(_pem);
        var assertion = SignedJwt.Make(key, _keyId, _email, Scope, _tokenUri.OriginalString, now);
        return new HttpRequestMessage(HttpMethod.Post, _tokenUri)
        {
            Content = new FormUrlEncodedContent([new("grant_type", Grant), new("assertion", assertion)]),
        };
    }
}
