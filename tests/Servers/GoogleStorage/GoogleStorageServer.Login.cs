using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace BotCore.Backup.TestServers.GoogleStorage;

public sealed partial class GoogleStorageServer
{
    private const string ShortLived = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.";

    // Making a key takes long; tests share one, and another that no server knows.
    private static readonly Lazy<RSA> Key = new(() => RSA.Create(2048));
    private static readonly Lazy<RSA> Stranger = new(() => RSA.Create(2048));

    private static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(5);

    private readonly Dictionary<string, RSA> _accounts = new(StringComparer.Ordinal);
    private readonly HashSet<string> _refreshTokens = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DateTimeOffset> _tokens = new(StringComparer.Ordinal);

    /// <summary>How long tokens live.</summary>
    public TimeSpan TokenLifetime { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Whether the machine has a service account.</summary>
    public bool HasMachineAccount { get; set; } = true;

    /// <summary>Tokens that were given out.</summary>
    public IReadOnlyList<string> Tokens
    {
        get
        {
            lock (_gate)
                return [.. _tokens.Keys];
        }
    }

    /// <summary>The address of tokens.</summary>
    public string TokenUri => $"{Endpoint.GetLeftPart(UriPartial.Authority)}/token";

    /// <summary>Makes a service account and the text of its key file. With <paramref name="isWrong"/> the key in it is another than the server's.</summary>
    public string NewKeyFile(string email = "backup@project.iam.gserviceaccount.com", bool isWrong = false)
    {
        lock (_gate)
            _accounts[email] = Key.Value;
        return new JsonObject
        {
            ["type"] = "service_account",
            ["project_id"] = "project",
            ["private_key_id"] = "key-1",
            ["private_key"] = (isWrong ? Stranger : Key).Value.ExportPkcs8PrivateKeyPem(),
            ["client_email"] = email,
            ["token_uri"] = TokenUri,
        }.ToJsonString();
    }

    /// <summary>Makes a user's login and the text of the file that gcloud leaves.</summary>
    public string NewUserFile()
    {
        var refresh = "1//" + Guid.NewGuid().ToString("N");
        lock (_gate)
            _refreshTokens.Add(refresh);
        return new JsonObject { ["type"] = "authorized_user", ["client_id"] = "client", ["client_secret"] = "hush-hush", ["refresh_token"] = refresh, ["token_uri"] = TokenUri }.ToJsonString();
    }

    /// <summary>Makes a token, for a client that brings its own.</summary>
    public string NewToken()
    {
        lock (_gate)
            return Issue();
    }

    /// <summary>Ends all tokens before their time.</summary>
    public void ExpireTokens()
    {
        lock (_gate)
        {
            foreach (var token in _tokens.Keys.ToList())
                _tokens[token] = DateTimeOffset.MinValue;
        }
    }

    /// <summary>Ends all logins.</summary>
    public void RemoveAccounts()
    {
        lock (_gate)
        {
            _accounts.Clear();
            _refreshTokens.Clear();
        }
    }

    private HttpAnswer? Unauthorized(HttpHead head, bool isSession)
    {
        const string Scheme = "Bearer ";
        var login = head["Authorization"];
        if (login is null)
            return RequiresLogin && !isSession ? Error(401, "required", "Anonymous caller does not have storage access.") : null;
        lock (_gate)
        {
            return login.StartsWith(Scheme, StringComparison.Ordinal) && _tokens.TryGetValue(login[Scheme.Length..], out var until) && Clock.GetUtcNow() < until
                ? null
                : Error(401, "authError", "Invalid Credentials");
        }
    }

    private HttpAnswer MetadataServer(HttpHead head)
    {
        if (head["Metadata-Flavor"] is not "Google")
            return new HttpAnswer(403);
        lock (_gate)
        {
            var answer = HasMachineAccount && head.Path.EndsWith("/service-accounts/default/token", StringComparison.Ordinal) ? Token() : new HttpAnswer(404);
            return answer.With("Metadata-Flavor", "Google");
        }
    }

    private HttpAnswer Login(HttpHead head, byte[] body)
    {
        if (head.Method is not "POST" || head["Content-Type"] is not "application/x-www-form-urlencoded")
            return Invalid("invalid_request", "Bad Request");
        var form = Encoding.UTF8.GetString(body).Split('&').Select(pair => pair.Split('=', 2))
            .ToDictionary(pair => pair[0], pair => Uri.UnescapeDataString(pair[1].Replace('+', ' ')), StringComparer.Ordinal);
        lock (_gate)
        {
            return form.GetValueOrDefault("grant_type") switch
            {
                "urn:ietf:params:oauth:grant-type:jwt-bearer" => JudgeAssertion(form.GetValueOrDefault("assertion", "")) is { } why ? Invalid("invalid_grant", why) : Token(),
                "refresh_token" when form.GetValueOrDefault("client_id") is not "client" || form.GetValueOrDefault("client_secret") is not "hush-hush" => Invalid("invalid_client", "Unauthorized", 401),
                "refresh_token" => _refreshTokens.Contains(form.GetValueOrDefault("refresh_token", "")) ? Token() : Invalid("invalid_grant", "Token has been expired or revoked."),
                _ => Invalid("unsupported_grant_type", "Invalid grant_type"),
            };
        }
    }

    // Why an assertion is not taken; null where it is.
    private string? JudgeAssertion(string assertion)
    {
        if (assertion.Split('.') is not [var head, var claims, var signature])
            return "Invalid JWT: Failed to parse.";
        var header = JsonNode.Parse(Base64Url.DecodeFromChars(head))!;
        var claim = JsonNode.Parse(Base64Url.DecodeFromChars(claims))!;
        if ((string?)header["alg"] is not "RS256" || (string?)header["typ"] is not "JWT" || (string?)header["kid"] is not "key-1")
            return "Invalid JWT: Unsupported header.";
        if (!_accounts.TryGetValue((string?)claim["iss"] ?? "", out var key))
            return "Invalid grant: account not found";
        if (!key.VerifyData(Encoding.ASCII.GetBytes($"{head}.{claims}"), Base64Url.DecodeFromChars(signature), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))
            return "Invalid JWT Signature.";
        if (!string.Equals((string?)claim["aud"], TokenUri, StringComparison.Ordinal))
            return "Invalid JWT: Invalid audience.";
        if ((string?)claim["scope"] is not "https://www.googleapis.com/auth/devstorage.read_write")
            return "Invalid OAuth scope or ID token audience provided.";
        var now = Clock.GetUtcNow();
        var issued = DateTimeOffset.FromUnixTimeSeconds((long)claim["iat"]!);
        var expires = DateTimeOffset.FromUnixTimeSeconds((long)claim["exp"]!);
        return issued > now + Tolerance || expires < now - Tolerance || expires - issued > TimeSpan.FromHours(1) || now - issued > TimeSpan.FromHours(1) ? ShortLived : null;
    }

    private HttpAnswer Token() => Json(200, new JsonObject { ["access_token"] = Issue(), ["expires_in"] = (long)TokenLifetime.TotalSeconds, ["token_type"] = "Bearer" });

    private string Issue()
    {
        var token = "ya29." + RandomNumberGenerator.GetHexString(64, lowercase: true);
        _tokens[token] = Clock.GetUtcNow() + TokenLifetime;
        return token;
    }

    private static HttpAnswer Invalid(string error, string description, int status = 400) => Json(status, new JsonObject { ["error"] = error, ["error_description"] = description });
}
