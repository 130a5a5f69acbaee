using Amazon.S3;
using Amazon.S3.Model;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Stores.S3;

namespace BotCore.Backup.Adapters.AmazonS3;

/// <summary>Whether the bucket locks objects, and whether that lock holds. Thread-safe.</summary>
internal sealed class S3ObjectLock(S3Connection connection)
{
    private const string Probe = S3Keys.Own + "lock-probe";
    private static readonly TimeSpan ProbeTime = TimeSpan.FromMinutes(1);

    private bool _isChecked;

    /// <summary>Throws ConfigurationInvalid where the settings ask for locks and the bucket has none: what is put there could be deleted.</summary>
    public void Demand(CancellationToken token)
    {
        if (connection.Options.ObjectLockDays is null || Volatile.Read(ref _isChecked))
            return;
        if (!IsEnabled(token))
        {
            throw new BackupException(
                FailureKind.ConfigurationInvalid, $"Objects are to be locked for {connection.Options.ObjectLockDays} days, and the bucket '{connection.Options.Bucket}' has no Object Lock.",
                "Make a bucket with Object Lock and versioning, or ask for no lock.", connection.Keys.Location);
        }

        Volatile.Write(ref _isChecked, value: true);
    }

    public ObjectLockProof Prove(CancellationToken token)
    {
        if (connection.Options.ObjectLockDays is null)
            return new ObjectLockProof(ObjectLockState.NotConfigured, "The settings ask for no object lock.");
        Demand(token);
        Sweep(token);
        var version = Put(token);
        var proof = version is null ? new ObjectLockProof(ObjectLockState.Broken, "The bucket keeps no versions, so nothing in it is locked.") : TryDelete(version, token);
        // What is left of it is out of sight; the next probe after its time removes it.
        S3Store.Remove(connection, Probe, token);
        return proof;
    }

    private bool IsEnabled(CancellationToken token)
    {
        try
        {
            var there = connection.Call("", (client, waits) => client.GetObjectLockConfigurationAsync(new GetObjectLockConfigurationRequest { BucketName = connection.Options.Bucket }, waits.Token), token);
            return there.ObjectLockConfiguration?.ObjectLockEnabled == ObjectLockEnabled.Enabled;
        }
        catch (BackupException none) when (S3Failures.Is(none, "ObjectLockConfigurationNotFoundError") || none.Failure.Kind == FailureKind.ServerUnsupported)
        {
            return false;
        }
    }

    private string? Put(CancellationToken token)
    {
        var content = "Locked for a minute, to see whether it can be deleted.\n"u8.ToArray();
        var request = new PutObjectRequest
        {
            BucketName = connection.Options.Bucket,
            Key = connection.Keys.Full(Probe),
            UseChunkEncoding = false,
            DisablePayloadSigning = connection.IsSecure,
#pragma warning disable CA5351 // S3 wants it of every object that is locked.
            MD5Digest = Convert.ToBase64String(System.Security.Cryptography.MD5.HashData(content)),
#pragma warning restore CA5351
            ObjectLockMode = connection.Options.ObjectLockMode == S3LockMode.Governance ? ObjectLockMode.Governance : ObjectLockMode.Compliance,
        };
        var answer = connection.Call(Probe, (client, waits) =>
        {
            request.InputStream = new MemoryStream(content);
            request.ObjectLockRetainUntilDate = connection.ServerNow + ProbeTime;
            return client.PutObjectAsync(request, waits.Token);
        }, token);
        return answer.VersionId is { Length: > 0 } version ? version : null;
    }

    private ObjectLockProof TryDelete(string version, CancellationToken token)
    {
        var asked = new GetObjectMetadataRequest { BucketName = connection.Options.Bucket, Key = connection.Keys.Full(Probe), VersionId = version };
        var there = connection.Call(Probe, (client, waits) => client.GetObjectMetadataAsync(asked, waits.Token), token);
        if (there.ObjectLockMode is null)
            return new ObjectLockProof(ObjectLockState.Broken, "The server took a locked object and says that it has no lock.");
        try
        {
            Delete(version, token);
            return new ObjectLockProof(ObjectLockState.Broken, "The server deleted a locked object.");
        }
        catch (BackupException refused) when (refused.Failure.Kind == FailureKind.AccessDenied)
        {
            return new ObjectLockProof(ObjectLockState.Proven, $"A locked object ({there.ObjectLockMode.Value}) was put into {connection.Keys.Location}, and deleting it was refused.");
        }
    }

    private void Delete(string version, CancellationToken token) => connection.Call(Probe, (client, waits) => client.DeleteObjectAsync(
        new DeleteObjectRequest { BucketName = connection.Options.Bucket, Key = connection.Keys.Full(Probe), VersionId = version }, waits.Token), token);

    // Probes of before whose time is over.
    private void Sweep(CancellationToken token)
    {
        try
        {
            var request = new ListVersionsRequest { BucketName = connection.Options.Bucket, Prefix = connection.Keys.Full(Probe) };
            var page = connection.Call(Probe, (client, waits) => client.ListVersionsAsync(request, waits.Token), token);
            foreach (var old in (page.Versions ?? []).Where(o => o.LastModified?.ToUniversalTime() < connection.ServerNow - (ProbeTime * 2)))
                Delete(old.VersionId, token);
        }
        catch (BackupException)
        {
            // Old probes harm nobody, and listing versions is a right of its own.
        }
    }
}
