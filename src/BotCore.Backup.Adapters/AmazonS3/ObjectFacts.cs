using System.Security.Cryptography;
using Amazon.S3;
using Amazon.S3.Model;
using BotCore.Backup.Engine.Stores.S3;

namespace BotCore.Backup.Adapters.AmazonS3;

/// <summary>What stands beside the bytes of an object: who wrote it, how it is kept, until when.</summary>
internal sealed class ObjectFacts(S3StoreOptions options, string? runId)
{
    /// <summary>The run that wrote it.</summary>
    public const string Run = "botbackup-run";

    // Tells an object of this very writer from another's of the same content: an answer may be lost, and the object be there.
    private const string Writer = "botbackup-writer";

    // Of a large object the lock begins with its first part.
    private static readonly TimeSpan LockSlack = TimeSpan.FromDays(1);

    private readonly string _writer = RandomNumberGenerator.GetHexString(32, lowercase: true);

    public void Put(PutObjectRequest request)
    {
        Put(request.Metadata);
        if (options.StorageClass is { } storageClass)
            request.StorageClass = new S3StorageClass(storageClass);
        if (options.ServerSideEncryption is { } encryption)
            request.ServerSideEncryptionMethod = new ServerSideEncryptionMethod(encryption);
        if (options.KmsKeyId is { } key)
            request.ServerSideEncryptionKeyManagementServiceKeyId = key;
        if (Until is not { } until)
            return;
        request.ObjectLockMode = Mode;
        request.ObjectLockRetainUntilDate = until;
    }

    public void Put(InitiateMultipartUploadRequest request)
    {
        Put(request.Metadata);
        if (options.StorageClass is { } storageClass)
            request.StorageClass = new S3StorageClass(storageClass);
        if (options.ServerSideEncryption is { } encryption)
            request.ServerSideEncryptionMethod = new ServerSideEncryptionMethod(encryption);
        if (options.KmsKeyId is { } key)
            request.ServerSideEncryptionKeyManagementServiceKeyId = key;
        if (Until is not { } until)
            return;
        request.ObjectLockMode = Mode;
        request.ObjectLockRetainUntilDate = until;
    }

    /// <summary>Whether an object of this length was written by this writer.</summary>
    public bool IsMine(GetObjectMetadataResponse there, long length) =>
        there.ContentLength == length && string.Equals(there.Metadata[Writer], _writer, StringComparison.Ordinal);

    /// <summary>Whether it is locked for as long as it must be.</summary>
    public bool IsLocked(GetObjectMetadataResponse there) =>
        options.ObjectLockDays is not { } days || (there.ObjectLockMode == Mode && there.ObjectLockRetainUntilDate?.ToUniversalTime() > DateTime.UtcNow.AddDays(days) - LockSlack);

    /// <summary>The lock by itself; null for none.</summary>
    public ObjectLockRetention? Lock => Until is { } until ? new ObjectLockRetention { Mode = new ObjectLockRetentionMode(Mode.Value), RetainUntilDate = until } : null;

    public static string? RunOf(GetObjectMetadataResponse there) => there.Metadata[Run] is { Length: > 0 } run ? run : null;

    private DateTime? Until => options.ObjectLockDays is { } days ? DateTime.UtcNow.AddDays(days) : null;

    private ObjectLockMode Mode => options.ObjectLockMode == S3LockMode.Governance ? Amazon.S3.ObjectLockMode.Governance : Amazon.S3.ObjectLockMode.Compliance;

    private void Put(MetadataCollection metadata)
    {
        metadata[Writer] = _writer;
        if (runId is not null)
            metadata[Run] = runId;
    }
}
