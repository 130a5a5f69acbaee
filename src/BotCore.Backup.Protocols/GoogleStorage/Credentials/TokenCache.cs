using System.Globalization;
using System.Net;
using System.Text.Json;

namespace BotCore.Backup.Protocols.GoogleStorage.Credentials;

/// <summary>The token of one client: asked for when it is first needed and renewed before it expires, by one thread while the others wait. Thread-safe.</summary>
internal sealed class TokenCache(GoogleStorageOptions options, GoogleConnection connection) : IDisposable
{
    private static readonly TimeSpan MostSkew = TimeSpan.FromMinutes(5);

    private readonly SemaphoreSlim _gate = new(1);
    private readonly TimeProvider _clock = options.Clock;
    private GoogleCredentials? _credentials;
    private AccessToken? _current;
    private bool _isLookedFor;

    /// <summary>The project that pays, where it is another than the bucket's.</summary>
    public string? QuotaProject => _credentials?.QuotaProject;

    /// <summary>A token that is good for a while; null for an emulator that is asked without one.</summary>
    public string? Get(CancellationToken token)
    {
        _gate.Wait(token);
        try
        {
            if (!_isLookedFor)
                (_credentials, _isLookedFor) = (CredentialsFile.Find(options), true);
            if (_credentials is null)
                return null;
            if (_current is null || _clock.GetUtcNow() >= _current.RenewAt)
                _current = Ask(_credentials, token);
            return _current.Value;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>The server did not take <paramref name="value"/>. Whether there may be a better one.</summary>
    public bool Drop(string? value)
    {
        if (value is null)
            return false;
        _gate.Wait();
        if (string.Equals(_current?.Value, value, StringComparison.Ordinal))
            _current = null;
        _gate.Release();
        return true;
    }

    public void Dispose() => _gate.Dispose();

    private AccessToken Ask(GoogleCredentials credentials, CancellationToken token)
    {
        var now = _clock.GetUtcNow();
        using var response = Send(credentials, now, token);
        if (credentials.IsMachine && !IsMetadataServer(response))
            throw Missing($"What answers at {response.RequestMessage?.RequestUri?.Host} is no metadata server of Google's.", null);
        var body = connection.ReadBody(response, token);
        if (!response.IsSuccessStatusCode)
            throw Refused(credentials, response, body, now);
        try
        {
            using var json = JsonDocument.Parse(body);
            var value = json.RootElement.GetProperty("access_token").GetString();
            var seconds = json.RootElement.GetProperty("expires_in").GetInt64();
            if (value is { Length: > 0 } && seconds > 0)
                return AccessToken.Of(value, now, TimeSpan.FromSeconds(Math.Min(seconds, int.MaxValue)));
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            // The cause stays out: its text may quote the answer, and that may hold a token.
        }

        throw new GoogleStorageException(GoogleStorageError.Protocol, $"The answer to the login of the {credentials.Account} holds no token.");
    }

    private HttpResponseMessage Send(GoogleCredentials credentials, DateTimeOffset now, CancellationToken token)
    {
        try
        {
            return connection.SendBare(_ => credentials.Ask(now), credentials.IsMachine ? options.MetadataTimeout : connection.Timeout, credentials.IsMachine, token);
        }
        catch (GoogleStorageException unreachable) when (credentials.IsMachine && unreachable.Error == GoogleStorageError.Unreachable)
        {
            throw Missing("There is no key file, no login of gcloud, and no metadata server of Google's cloud answers.", unreachable);
        }
    }

    private static bool IsMetadataServer(HttpResponseMessage response) =>
        response.Headers.TryGetValues(MachineCredentials.FlavorHeader, out var flavors) && flavors.Contains(MachineCredentials.Flavor, StringComparer.Ordinal);

    private static GoogleStorageException Refused(GoogleCredentials credentials, HttpResponseMessage response, byte[] body, DateTimeOffset now)
    {
        var said = ErrorBody.Parse(body);
        if (credentials.IsMachine && response.StatusCode == HttpStatusCode.NotFound)
            return Missing("The metadata server says that this machine has no service account.", null);
        if (GoogleConnection.IsBusy(response.StatusCode, said.Reason))
            return GoogleConnection.Busy(response, said);
        var skew = response.Headers.Date - now;
        // The words are the endpoint's own; its clock beside ours proves them.
        if (said.Reason is "invalid_grant" && (IsOfTime(said.Message) || skew?.Duration() > MostSkew))
        {
            var far = skew is { } by ? string.Create(CultureInfo.InvariantCulture, $" This clock is {by.Duration().TotalSeconds:0} seconds {(by > TimeSpan.Zero ? "behind" : "ahead of")} the server's.") : "";
            return new GoogleStorageException(GoogleStorageError.ClockSkewed, $"The login of the {credentials.Account} was refused: {said.Message}{far}") { Status = response.StatusCode, Reason = said.Reason };
        }

        return new GoogleStorageException(GoogleStorageError.LoginFailed, $"The login of the {credentials.Account} was refused ({(int)response.StatusCode} {said.Reason}): {said.Message}")
        {
            Status = response.StatusCode,
            Reason = said.Reason,
        };
    }

    private static bool IsOfTime(string message) =>
        message.Contains("short-lived", StringComparison.OrdinalIgnoreCase) || message.Contains("timeframe", StringComparison.OrdinalIgnoreCase)
        || message.Contains("iat", StringComparison.Ordinal) || message.Contains("clock", StringComparison.OrdinalIgnoreCase);

    private static GoogleStorageException Missing(string message, Exception? cause) => new(GoogleStorageError.CredentialsMissing, message, cause);
}
