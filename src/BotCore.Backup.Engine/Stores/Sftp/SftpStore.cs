using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores.Leases;
using BotCore.Backup.Protocols.Sftp;

namespace BotCore.Backup.Engine.Stores.Sftp;

/// <summary>
/// A folder on another machine, reached by SFTP through the installed ssh. It is laid out as a <see cref="FolderStore"/> is, with the same modes and partial names, so either can read what the other wrote.
/// All calls share one connection, made at first need and made anew when it breaks; uploads and downloads go on where it broke. Links are followed to files and not to folders. Thread-safe.
/// </summary>
public sealed class SftpStore : IStore, IDisposable
{
    private readonly SftpSession _session;
    private readonly SftpLockObjects _locks;
    private readonly LeaseTimes? _lease;

    /// <summary>Connects to nothing yet.</summary>
    /// <param name="options">Where it is.</param>
    /// <param name="retry">How often what passes by itself is tried again; null for the usual.</param>
    /// <param name="name">The store's word in settings.</param>
    public SftpStore(SftpStoreOptions options, StoreRetry? retry = null, string name = "sftp")
    {
        _session = new SftpSession(options, retry ?? new StoreRetry());
        _locks = new SftpLockObjects(_session);
        _lease = options.Lease;
        Name = name;
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public string Location => _session.Place.Location;

    /// <inheritdoc/>
    public long? FreeSpace => _session.Run("", client => SftpSession.Disk(client, _session.Place.PathOf(""), CancellationToken.None)?.FreeBytes, CancellationToken.None);

    /// <summary>The process of ssh, while there is one.</summary>
    internal int? ProcessId => _session.ProcessId;

    /// <inheritdoc/>
    public IEnumerable<StoredObject> List(string prefix, CancellationToken token)
    {
        var folder = prefix.LastIndexOf('/') is >= 0 and var slash ? prefix[..slash] : "";
        var found = _session.Run(
            prefix,
            client => new SftpWalk(client, _session.Place, token).Walk(folder, key => key.StartsWith(prefix, StringComparison.Ordinal)).Where(o => !SftpWalk.IsHidden(o.Key)).ToList(),
            token);
        found.Sort((one, other) => string.CompareOrdinal(one.Key, other.Key));
        return found;
    }

    /// <inheritdoc/>
    public StoredObject? Find(string key, CancellationToken token)
    {
        var path = _session.Place.PathOf(key);
        return _session.Run(key, client => client.Stat(path, token) is { IsFolder: false, Size: { } size } ? new StoredObject(key, size) : null, token);
    }

    /// <inheritdoc/>
    public Stream OpenRead(string key, long offset, CancellationToken token)
    {
        var path = _session.Place.PathOf(key);
        long? length = null;
        return new ResumingStream(
            from =>
            {
                var stream = _session.Run(key, client => SftpReadStream.Open(client, path, from, token), token, StoreRetry.None);
                if (length is { } before && before != stream.FileLength)
                {
                    stream.Dispose();
                    throw new BackupException(FailureKind.ChecksumMismatch, $"'{key}' in {Location} was changed while it was read.", "Find out who writes there, and read it again.", key);
                }

                length = stream.FileLength;
                return new SftpObjectStream(stream, key, _session.Place);
            },
            offset,
            _session.Retry,
            token);
    }

    /// <inheritdoc/>
    public StoreWriter Create(string key, CancellationToken token, string? runId = null) => new SftpStoreWriter(_session, key, token);

    /// <inheritdoc/>
    public void Delete(string key, CancellationToken token)
    {
        var path = _session.Place.PathOf(key);
        _session.Run(
            key,
            client =>
            {
                try
                {
                    client.Remove(path, token);
                }
                catch (SftpException failed) when (!failed.IsPassing && client.LStat(path, token) is null or { IsFolder: true })
                {
                    return;
                }

                _session.RemoveEmptyFolders(client, key, token);
            },
            token);
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> RemovePartials(string folder, Func<string, bool> isMine, CancellationToken token)
    {
        var partials = _session.Run(
            folder,
            client => new SftpWalk(client, _session.Place, token).Walk(folder.TrimEnd('/'), _ => true).Select(o => o.Key).Where(key => SftpStoreWriter.KeyOfPartial(key) is { } final && isMine(final)).ToList(),
            token);
        foreach (var partial in partials)
            Delete(partial, token);
        return [.. partials.Select(partial => partial[(partial.LastIndexOf('/') + 1)..])];
    }

    /// <inheritdoc/>
    public StoreLease AcquireLease(string folder, CancellationToken token)
    {
        _session.Place.PathOf(folder);
        return LockObjectLease.Acquire(_locks, $".botbackup/{folder}.lease", Location, token, _lease);
    }

    /// <inheritdoc/>
    public string Locate(string key) => _session.Place.Locate(key);

    /// <summary>Ends the connection, if there is one; the next call makes another.</summary>
    public void Disconnect() => _session.Disconnect();

    /// <summary>Ends the connection. Streams and leases of this store must be disposed of before.</summary>
    public void Dispose() => _session.Dispose();
}
