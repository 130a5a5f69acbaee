using BotCore.Backup.Engine.Stores.Leases;

namespace BotCore.Backup.Engine.Stores;

/// <summary>One object in a store.</summary>
/// <param name="Key">Its name: relative, slashes, no leading one.</param>
/// <param name="Length">Bytes.</param>
public sealed record StoredObject(string Key, long Length)
{
    /// <summary>
    /// The run that wrote it, where the store keeps such facts beside an object and was asked for this one object; null otherwise. An archive that has one and no manifest is ours, never a foreign one.
    /// </summary>
    public string? RunId { get; init; }
}

/// <summary>
/// A place that holds archives. Calls block; each may come from any thread, and what they return belongs to one thread.
/// Failures are <see cref="Events.BackupException"/> of the kinds StoreUnreachable, StoreFull, AccessDenied, BackupNotFound (a key that is not there) and Locked; of a store behind a network
/// also LoginFailed, CredentialsMissing, BucketMissing, CertificateRejected, HostKeyChanged, ClockSkewed and ToolMissing. What passes by itself (a lost connection, a server that is busy) was tried again before it is thrown.
/// </summary>
public interface IStore
{
    /// <summary>The word in settings and on the pipeline: local, s3, gcs, sftp.</summary>
    string Name { get; }

    /// <summary>Where it is, for people; holds no secret.</summary>
    string Location { get; }

    /// <summary>Bytes that can still be written, or null where nobody can know.</summary>
    long? FreeSpace { get; }

    /// <summary>All whole objects whose key begins with <paramref name="prefix"/>, in ordinal order of their keys.</summary>
    IEnumerable<StoredObject> List(string prefix, CancellationToken token);

    /// <summary>One object, or null where there is none.</summary>
    StoredObject? Find(string key, CancellationToken token);

    /// <summary>Reads an object from <paramref name="offset"/> to its end.</summary>
    Stream OpenRead(string key, long offset, CancellationToken token);

    /// <summary>
    /// Begins a new object, of a length that nobody knows yet. Nothing stands under <paramref name="key"/> until <see cref="StoreWriter.Commit"/>. A store that keeps facts beside an object keeps
    /// <paramref name="runId"/> with it, as <c>botbackup-run</c>.
    /// </summary>
    StoreWriter Create(string key, CancellationToken token, string? runId = null);

    /// <summary>Removes an object; one that is not there is no error.</summary>
    void Delete(string key, CancellationToken token);

    /// <summary>
    /// Removes what dead runs left half-written below <paramref name="folder"/> under keys that <paramref name="isMine"/> says are the caller's, and returns the names. Only for the holder of the
    /// lease that guards those keys.
    /// </summary>
    IReadOnlyList<string> RemovePartials(string folder, Func<string, bool> isMine, CancellationToken token);

    /// <summary>Takes the lease named <paramref name="folder"/>, or throws Locked at once. Disposing gives it back; so does, at once or after a while, the death of the process.</summary>
    StoreLease AcquireLease(string folder, CancellationToken token);

    /// <summary>What a person would open: a path or URI of <paramref name="key"/>, without secrets.</summary>
    string Locate(string key);
}

/// <summary>A new object being written. <see cref="Stream.Write(ReadOnlySpan{byte})"/> until <see cref="Commit"/>; disposing without it leaves nothing behind.</summary>
public abstract class StoreWriter : Stream
{
    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException("A store's writer only writes.");

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException("A store's writer only writes.");
        set => throw new NotSupportedException("A store's writer only writes.");
    }

    /// <summary>
    /// Makes the object durable and gives it its key, all at once. Throws where the key is taken already: nothing is ever overwritten.
    /// </summary>
    public abstract void Commit();

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("A store's writer only writes.");

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException("A store's writer only writes.");

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException("A store's writer only writes.");
}
