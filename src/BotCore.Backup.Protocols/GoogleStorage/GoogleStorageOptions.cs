namespace BotCore.Backup.Protocols.GoogleStorage;

/// <summary>How a <see cref="GoogleStorageClient"/> reaches the service. Immutable.</summary>
public sealed record GoogleStorageOptions
{
    /// <summary>Google's own address.</summary>
    public static Uri GoogleEndpoint { get; } = new("https://storage.googleapis.com");

    /// <summary>The server, when it is another than Google's. One of plain http is an emulator: it is asked without credentials unless <see cref="CredentialsFile"/> names some and it is on this machine.</summary>
    public Uri Endpoint { get; init; } = GoogleEndpoint;

    /// <summary>
    /// A service account's key file, or one of gcloud's user credentials. Where there is none it is looked for as Google's tools do: GOOGLE_APPLICATION_CREDENTIALS, gcloud's application default credentials, the metadata server.
    /// </summary>
    public string? CredentialsFile { get; init; }

    /// <summary>How long nothing may move, in either direction, before the connection counts as lost.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a metadata server may take to answer. Where there is none nothing answers at all, so this is what finding that out costs.</summary>
    public TimeSpan MetadataTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Tokens are asked for and renewed by it.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Reads the environment.</summary>
    public Func<string, string?> Variable { get; init; } = Environment.GetEnvironmentVariable;
}
