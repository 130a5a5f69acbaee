using Amazon.S3.Model;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Stores.Leases;
using BotCore.Backup.Engine.Stores.S3;

namespace BotCore.Backup.Adapters.AmazonS3;

/// <summary>
/// A bucket of Amazon S3, or of a server that speaks its protocol, by way of Amazon's SDK. In a bucket that keeps versions <see cref="Delete"/> leaves the bytes behind a marker: a rule of the bucket has to expire them.
/// Thread-safe.
/// </summary>
internal sealed class S3Store : IStore, IObjectLock, IDisposable
{
    private readonly S3Connection _connection;
    private readonly S3Conditions _conditions;
    private readonly S3ObjectLock _lock;

    public S3Store(S3StoreOptions options, StoreRetry retry)
    {
        _connection = new S3Connection(options, retry);
        _conditions = new S3Conditions(_connection);
        _lock = new S3ObjectLock(_connection);
    }

    public string Name => "s3";

    public string Location => _connection.Keys.Location;

    public long? FreeSpace => null;

    public IEnumerable<StoredObject> List(string prefix, CancellationToken token) => S3Listing.Objects(_connection, prefix, token);

    public StoredObject? Find(string key, CancellationToken token) =>
        _connection.Head(key, token) is { } there ? new StoredObject(key, there.ContentLength) { RunId = ObjectFacts.RunOf(there) } : null;

    public Stream OpenRead(string key, long offset, CancellationToken token)
    {
        // All pieces must be of the same object.
        string? tag = null;
        return new ResumingStream(at => Open(key, at, ref tag, token), offset, _connection.Retry, token);
    }

    public StoreWriter Create(string key, CancellationToken token, string? runId = null)
    {
        _ = _connection.Keys.Full(key);
        _lock.Demand(token);
        return new S3StoreWriter(_connection, _conditions, key, runId, token);
    }

    public void Delete(string key, CancellationToken token) => Remove(_connection, key, token);

    public IReadOnlyList<string> RemovePartials(string folder, Func<string, bool> isMine, CancellationToken token)
    {
        var lead = folder.Length == 0 ? _connection.Keys.Lead("") : _connection.Keys.Full(folder) + "/";
        var partials = S3Uploads.Below(_connection, lead, token).Where(upload => isMine(_connection.Keys.Relative(upload.Key))).ToList();
        foreach (var partial in partials)
            S3Uploads.Abort(_connection, partial.Key, partial.UploadId, token);
        return [.. partials.Select(partial => _connection.Keys.Relative(partial.Key))];
    }

    public StoreLease AcquireLease(string folder, CancellationToken token)
    {
        var key = $"{S3Keys.Own}{folder}.lease";
        var form = _conditions.Form(token);
        ILockObjects objects = form == ConditionForm.None ? new S3CandidateLocks(_connection, _conditions) : new S3LockObjects(_connection, _conditions, form);
        return LockObjectLease.Acquire(objects, key, Location, token, _connection.Options.Lease);
    }

    public string Locate(string key) => _connection.Keys.Locate(key);

    public ObjectLockProof ProveLock(CancellationToken token) => _lock.Prove(token);

    public void Dispose() => _connection.Dispose();

    /// <summary>Removes an object; one that is not there is no error. With <paramref name="version"/> that version alone, so that no marker stays where the bucket keeps versions.</summary>
    internal static void Remove(S3Connection connection, string key, CancellationToken token, string? version = null)
    {
        var request = new DeleteObjectRequest { BucketName = connection.Options.Bucket, Key = connection.Keys.Full(key), VersionId = version };
        try
        {
            connection.Call(key, (client, waits) => client.DeleteObjectAsync(request, waits.Token), token);
        }
        catch (BackupException denied) when (version is not null && denied.Failure.Kind == FailureKind.AccessDenied)
        {
            // Versions have rights and locks of their own.
            Remove(connection, key, token);
        }
        catch (BackupException none) when (none.Failure.Kind == FailureKind.BackupNotFound)
        {
            // Not every server takes that in silence.
        }
    }

    // The token's type has no other way out of a method that opens again and again.
    private Stream Open(string key, long offset, ref string? tag, CancellationToken token)
    {
        var request = new GetObjectRequest { BucketName = _connection.Options.Bucket, Key = _connection.Keys.Full(key), EtagToMatch = tag };
        // An empty object has no range at all.
        if (offset > 0)
            request.ByteRange = new ByteRange(FormattableString.Invariant($"bytes={offset}-"));
        try
        {
            var answer = _connection.Once(key, (client, waits) => client.GetObjectAsync(request, waits.Token), token);
            tag = answer.ETag;
            return new S3ReadStream(answer, _connection, key, token);
        }
        catch (BackupException changed) when (S3Failures.IsPrecondition(changed))
        {
            throw new BackupException(FailureKind.ChecksumMismatch, $"'{key}' in {Location} was replaced while it was read.", "Find out who wrote to it, and run again.", key, changed);
        }
        catch (BackupException beyond) when (S3Failures.Is(beyond, "InvalidRange") && Find(key, token) is { } there && there.Length == offset)
        {
            return Stream.Null;
        }
    }
}
