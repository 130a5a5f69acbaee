using BotCore.Backup.Engine.Stores.Leases;
using BotCore.Backup.Protocols.GoogleStorage;

namespace BotCore.Backup.Engine.Stores.Gcs;

/// <summary>Where a <see cref="GcsStore"/> is and how it is reached. Immutable.</summary>
public sealed record GcsOptions
{
    /// <summary>The bucket, or <c>bucket/prefix</c>; <c>gs://</c> may stand before it.</summary>
    public required string Bucket { get; init; }

    /// <summary>What all keys stand below in the bucket; after the prefix in <see cref="Bucket"/>, if any.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>A service account's key file or a login of gcloud; null to look where Google's tools look.</summary>
    public string? CredentialsFile { get; init; }

    /// <summary>A server other than Google's; null for Google's. One of plain http is asked without credentials where no file is named.</summary>
    public Uri? Endpoint { get; init; }

    /// <summary>How long nothing may move before a connection counts as lost.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a metadata server may take to answer.</summary>
    public TimeSpan MetadataTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Bytes that a writer holds in memory and sends at once; a multiple of 256 KiB, which it is rounded up to.</summary>
    public int ChunkSize { get; init; } = 8 << 20;

    /// <summary>Objects in one part of a listing.</summary>
    public int PageSize { get; init; } = 1000;

    /// <summary>How often what passes by itself is tried again.</summary>
    public StoreRetry Retry { get; init; } = new();

    /// <summary>How long a lease lives.</summary>
    public LeaseTimes Leases { get; init; } = new();

    /// <summary>Leases beat and tokens are renewed by it.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Reads the environment, where credentials are looked for.</summary>
    public Func<string, string?> Variable { get; init; } = Environment.GetEnvironmentVariable;

    /// <summary>The bucket alone, and the prefix without slashes around it.</summary>
    internal (string Bucket, string Prefix) Split()
    {
        const string Scheme = "gs://";
        var whole = Bucket.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? Bucket[Scheme.Length..] : Bucket;
        var parts = whole.Split('/', 2);
        var prefixes = new[] { parts.Length > 1 ? parts[1] : "", Prefix }.Select(prefix => prefix.Trim('/')).Where(prefix => prefix.Length > 0);
        return (parts[0], string.Join('/', prefixes));
    }

    /// <summary>The same for the client.</summary>
    internal GoogleStorageOptions ToClient() => new()
    {
        Endpoint = Endpoint ?? GoogleStorageOptions.GoogleEndpoint,
        CredentialsFile = CredentialsFile,
        Timeout = Timeout,
        MetadataTimeout = MetadataTimeout,
        Clock = Clock,
        Variable = Variable,
    };
}
