using System.Text.Json;

namespace BotCore.Backup.Protocols.GoogleStorage.Credentials;

/// <summary>Finds and reads credentials, in the order of Google's own tools ("application default credentials").</summary>
internal static class CredentialsFile
{
    private const string Variable = "GOOGLE_APPLICATION_CREDENTIALS";
    private const string WellKnown = "application_default_credentials.json";
    private const int MaximumLength = 64 * 1024;

    /// <summary>The credentials to ask with; null for an emulator that is asked without any.</summary>
    public static GoogleCredentials? Find(GoogleStorageOptions options)
    {
        if (options.CredentialsFile is { Length: > 0 } named)
            return IsHttps(options.Endpoint) || options.Endpoint.IsLoopback ? Read(named) : throw Readable(options.Endpoint);
        if (!IsHttps(options.Endpoint))
            return null;
        if (options.Variable(Variable) is { Length: > 0 } path)
            return Read(path);
        if (WellKnownFile(options.Variable) is { } file && File.Exists(file))
            return Read(file);
        return options.Variable("NO_GCE_CHECK") is "true" or "True" or "1"
            ? throw new GoogleStorageException(GoogleStorageError.CredentialsMissing, "There is no key file and no login of gcloud, and NO_GCE_CHECK forbids to look for a metadata server.")
            : new MachineCredentials(options.Variable("GCE_METADATA_HOST") is { Length: > 0 } host ? host : MachineCredentials.DefaultHost);
    }

    /// <summary>Reads a file of credentials.</summary>
    public static GoogleCredentials Read(string path)
    {
        try
        {
            using var json = JsonDocument.Parse(ReadBytes(path));
            var type = json.RootElement.ValueKind == JsonValueKind.Object ? Text(json.RootElement, "type", path) : throw Invalid(path, "it is no JSON object");
            return type switch
            {
                "service_account" => new ServiceAccountCredentials(json.RootElement, path),
                "authorized_user" => new UserCredentials(json.RootElement, path),
                _ => throw Invalid(path, $"its type is '{ErrorBody.Redact(type)}', and only service_account and authorized_user are read"),
            };
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            // The cause stays out: its text may quote the file.
            throw Invalid(path, "it is not valid JSON");
        }
    }

    /// <summary>A text that must be there.</summary>
    public static string Text(JsonElement json, string name, string path) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : throw Invalid(path, $"'{name}' is missing in it");

    /// <summary>Where tokens are asked for; Google's own endpoint where the file names none.</summary>
    public static Uri TokenUri(JsonElement json, string path)
    {
        var text = json.TryGetProperty("token_uri", out var value) ? value.GetString() : null;
        if (text is null)
            return new Uri("https://oauth2.googleapis.com/token");
        return Uri.TryCreate(text, UriKind.Absolute, out var uri) && (IsHttps(uri) || (uri.Scheme is "http" && uri.IsLoopback))
            ? uri
            : throw Invalid(path, "its 'token_uri' is no https address");
    }

    private static bool IsHttps(Uri uri) => uri.Scheme is "https";

    private static byte[] ReadBytes(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            var buffer = new byte[MaximumLength + 1];
            var length = file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            return length <= MaximumLength ? buffer[..length] : throw Invalid(path, "it is far too long");
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new GoogleStorageException(GoogleStorageError.CredentialsInvalid, $"The file of credentials {path} cannot be read: {unreadable.Message}", unreadable);
        }
    }

    private static string? WellKnownFile(Func<string, string?> variable)
    {
        if (variable("CLOUDSDK_CONFIG") is { Length: > 0 } folder)
            return Path.Combine(folder, WellKnown);
        if (OperatingSystem.IsWindows())
            return variable("APPDATA") is { Length: > 0 } data ? Path.Combine(data, "gcloud", WellKnown) : null;
        return variable("HOME") is { Length: > 0 } home ? Path.Combine(home, ".config", "gcloud", WellKnown) : null;
    }

    private static GoogleStorageException Invalid(string path, string why) => new(GoogleStorageError.CredentialsInvalid, $"The file of credentials {path} cannot be used: {why}.");

    private static GoogleStorageException Readable(Uri endpoint) => new(
        GoogleStorageError.CredentialsInvalid, $"Credentials are not sent to {endpoint.Host} over plain http, where anybody on the way could read them.");
}
