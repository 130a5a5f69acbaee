using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores.S3;

namespace BotCore.Backup.Adapters.AmazonS3;

/// <summary>Keys of the store against keys of the bucket.</summary>
internal sealed class S3Keys(S3StoreOptions options)
{
    /// <summary>What is ours alone, and never listed: leases and probes.</summary>
    public const string Own = ".botbackup/";

    private readonly string _lead = options.Prefix.Length == 0 ? "" : options.Prefix + "/";

    public string Location { get; } = options.Prefix.Length == 0 ? $"s3://{options.Bucket}" : $"s3://{options.Bucket}/{options.Prefix}";

    /// <summary>The bucket's key for what keys begin with.</summary>
    public string Lead(string prefix) => _lead + prefix;

    /// <summary>The bucket's key of an object. Throws AccessDenied for one that leads out of the store.</summary>
    public string Full(string key)
    {
        Check(key);
        return _lead + key;
    }

    /// <summary>The store's key of an object of the bucket.</summary>
    public string Relative(string full) => full[_lead.Length..];

    public string Locate(string key)
    {
        if (key.Length == 0)
            return Location;
        Check(key);
        return $"{Location}/{key}";
    }

    // S3 itself knows no folders, but a key that looks like a way out would lead out of a copy on a disk.
    private void Check(string key)
    {
        if (key.Split('/').Any(part => part is "" or "." or ".."))
            throw new BackupException(FailureKind.AccessDenied, $"'{key}' is not inside the store {Location}.", "Use a key without '..'.", key);
    }
}
