using System.Text.Json;

namespace BotCore.Backup.Protocols.GoogleStorage.Credentials;

/// <summary>What <c>gcloud auth application-default login</c> leaves: a refresh token, which the token endpoint changes for a token.</summary>
internal sealed class UserCredentials : GoogleCredentials
{
    private readonly Uri _tokenUri;
    private readonly string _clientId;
    private readonly string _clientSecret;
    private readonly string _refreshToken;
    private readonly string _path;

    public UserCredentials(JsonElement json, string path)
    {
        _path = path;
        _clientId = CredentialsFile.Text(json, "client_id", path);
        _clientSecret = CredentialsFile.Text(json, "client_secret", path);
        _refreshToken = CredentialsFile.Text(json, "refresh_token", path);
        _tokenUri = CredentialsFile.TokenUri(json, path);
        QuotaProject = json.TryGetProperty("quota_project_id", out var project) && project.ValueKind == JsonValueKind.String ? project.GetString() : null;
    }

    public override string Account => $"user login of gcloud in {_path}";

    public override string? QuotaProject { get; }

    public override HttpRequestMessage Ask(DateTimeOffset now) => new(HttpMethod.Post, _tokenUri)
    {
        Content = new FormUrlEncodedContent([new("grant_type", "refresh_token"), new("client_id", _clientId), new("client_secret", _clientSecret), new("refresh_token", _refreshToken)]),
    };
}
