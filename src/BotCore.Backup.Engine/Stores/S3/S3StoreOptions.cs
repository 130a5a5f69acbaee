using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores.Leases;

namespace BotCore.Backup.Engine.Stores.S3;

/// <summary>How firm an object lock is.</summary>
public enum S3LockMode
{
    /// <summary>Nobody can end it early, not even the account's owner.</summary>
    Compliance = 0,

    /// <summary>Who has the right s3:BypassGovernanceRetention can.</summary>
    Governance,
}

/// <summary>
/// Where an S3 store is and how it is spoken to. Holds no secret: credentials are found as the AWS tools find them (AWS_ACCESS_KEY_ID and its like, the profile, a web identity, the machine's role).
/// </summary>
public sealed record S3StoreOptions
{
    /// <summary>The bucket's name.</summary>
    public required string Bucket { get; init; }

    /// <summary>What all keys begin with, without slashes at its ends; empty for none.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>The bucket's region; of another server than Amazon's, the region that requests are signed for.</summary>
    public string Region { get; init; } = "us-east-1";

    /// <summary>Another server than Amazon's; null for Amazon.</summary>
    public Uri? Endpoint { get; init; }

    /// <summary>The profile of the shared credentials and configuration files; null for the usual search.</summary>
    public string? Profile { get; init; }

    /// <summary>STANDARD_IA and its like; null for the bucket's own.</summary>
    public string? StorageClass { get; init; }

    /// <summary>AES256 or aws:kms; null for the bucket's own.</summary>
    public string? ServerSideEncryption { get; init; }

    /// <summary>The KMS key for aws:kms; null for the account's own.</summary>
    public string? KmsKeyId { get; init; }

    /// <summary>Days for which no object can be deleted; null for none. The bucket must have Object Lock.</summary>
    public int? ObjectLockDays { get; init; }

    /// <summary>How firm that is.</summary>
    public S3LockMode ObjectLockMode { get; init; }

    /// <summary>Whether the CRC-32C of what is sent goes along; null: to Amazon, and to no other server, since some refuse it. The MD5 always does.</summary>
    public bool? SendsChecksums { get; init; }

    /// <summary>For so long a connection may show no sign of life.</summary>
    public TimeSpan InactivityTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Bytes of an object that wait in memory for their upload, at most.</summary>
    public int PartMemory { get; init; } = 64 << 20;

    /// <summary>Bytes of the first parts of an object; smaller objects go in one piece. Amazon takes 5 MiB at least. Later parts are larger, so that 5 TiB fit.</summary>
    public int FirstPartSize { get; init; } = 16 << 20;

    /// <summary>Parts that are sent at a time.</summary>
    public int Uploads { get; init; } = 3;

    /// <summary>How long a lease lives without a sign of life.</summary>
    public LeaseTimes Lease { get; init; } = new();

    /// <summary>Options for a setting of the form <c>bucket</c>, <c>bucket/prefix</c> or <c>s3://bucket/prefix</c>.</summary>
    public static S3StoreOptions Of(string setting)
    {
        const string scheme = "s3://";
        var place = (setting.StartsWith(scheme, StringComparison.OrdinalIgnoreCase) ? setting[scheme.Length..] : setting).Trim('/');
        var slash = place.IndexOf('/', StringComparison.Ordinal);
        return new S3StoreOptions { Bucket = slash < 0 ? place : place[..slash], Prefix = slash < 0 ? "" : place[(slash + 1)..].Trim('/') };
    }

    /// <summary>Throws ConfigurationInvalid for what cannot be.</summary>
    public void Check()
    {
        if (string.IsNullOrWhiteSpace(Bucket) || Bucket.Contains('/', StringComparison.Ordinal))
            throw Invalid($"'{Bucket}' is no name of a bucket.", "Set S3_BACKUP_BUCKET to the bucket's name, or to bucket/prefix.");
        if (Prefix.Split('/').Any(part => part is "." or "..") || Prefix.StartsWith('/') || Prefix.EndsWith('/'))
            throw Invalid($"'{Prefix}' cannot be what keys begin with.", "Use a prefix without '..' and without slashes at its ends.");
        if (Endpoint is { } endpoint && (!endpoint.IsAbsoluteUri || endpoint.Scheme is not ("http" or "https")))
            throw Invalid($"'{Endpoint}' is no URL of a server.", "Set S3_ENDPOINT to http://host:port or https://host.");
        if (ServerSideEncryption is not (null or "AES256" or "aws:kms"))
            throw Invalid($"'{ServerSideEncryption}' is no encryption of S3.", "Use AES256 or aws:kms.");
        if (KmsKeyId is not null && ServerSideEncryption is not "aws:kms")
            throw Invalid("A KMS key is set, and the encryption is not aws:kms.", "Set the encryption to aws:kms, or name no key.");
        if (ObjectLockDays is <= 0)
            throw Invalid($"{ObjectLockDays} days of object lock protect nothing.", "Set 1 day or more, or none.");
        if (FirstPartSize <= 0 || Uploads <= 0 || PartMemory < FirstPartSize * 2L || InactivityTimeout <= TimeSpan.Zero)
            throw Invalid("Two parts must fit into the memory for parts.", "Raise PartMemory, or lower FirstPartSize.");
    }

    private BackupException Invalid(string message, string advice) => new(FailureKind.ConfigurationInvalid, message, advice, Bucket);
}
