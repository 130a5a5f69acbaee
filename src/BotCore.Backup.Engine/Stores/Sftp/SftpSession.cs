using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.Sftp;

namespace BotCore.Backup.Engine.Stores.Sftp;

/// <summary>
/// The one connection of a store, made at first need, shared by all who use it, and made anew when it broke. What passes by itself is tried again. Thread-safe.
/// </summary>
internal sealed class SftpSession(SftpStoreOptions options, StoreRetry retry) : IDisposable
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private SftpClient? _client;
    private bool _isOver;

    public SftpPlace Place { get; } = new(options);

    public StoreRetry Retry => retry;

    public SftpOptions Server => options.Server;

    /// <summary>The process of ssh, while there is one.</summary>
    public int? ProcessId => _client?.ProcessId;

    /// <summary>The connection. Throws <see cref="SftpException"/> where none can be made.</summary>
    public SftpClient Client(CancellationToken token)
    {
        _gate.Wait(token);
        try
        {
            // No kind that is tried again, and no exception that would end the thread of a timer.
            if (_isOver)
                throw new BackupException(FailureKind.Cancelled, $"The store {Place.Location} was closed.", "Run again.", Place.Location);
            if (_client is { IsBroken: false } there)
                return there;
            _client?.Dispose();
            _client = null;
            return _client = SftpClient.Connect(options.Server, token);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Does what may be done twice, and again where the connection broke meanwhile.</summary>
    public T Run<T>(string key, Func<SftpClient, T> action, CancellationToken token, StoreRetry? other = null)
    {
        try
        {
            return (other ?? retry).Run(
                () =>
                {
                    try
                    {
                        return action(Client(token));
                    }
                    catch (SftpException passing) when (passing.IsPassing)
                    {
                        throw SftpFailures.Of(Place, key, passing);
                    }
                },
                token);
        }
        catch (SftpException wrong)
        {
            throw SftpFailures.Of(Place, key, wrong);
        }
    }

    public void Run(string key, Action<SftpClient> action, CancellationToken token, StoreRetry? other = null) => Run(
        key,
        client =>
        {
            action(client);
            return true;
        },
        token,
        other);

    /// <summary>The file system of a path, or of the first folder above it that is there; null where the server does not say.</summary>
    public static SftpFileSystem? Disk(SftpClient client, string path, CancellationToken token)
    {
        if (!client.Offers("statvfs@openssh.com"))
            return null;
        for (var there = path; there is not null; there = SftpPlace.Above(there))
        {
            if (client.StatVfs(there, token) is { } disk)
                return disk;
        }

        return null;
    }

    /// <summary>The failure of a write, with the file system asked where that tells more.</summary>
    public BackupException WriteFailure(string key, string path, SftpException wrong, CancellationToken token)
    {
        SftpFileSystem? disk = null;
        try
        {
            if (wrong.Error == SftpError.Failed)
                disk = Disk(Client(token), path, token);
        }
        catch (SftpException)
        {
            // The first failure is the one to tell.
        }

        return SftpFailures.OfWrite(Place, key, wrong, disk);
    }

    /// <summary>Makes the folder at <paramref name="path"/> and what is missing above it.</summary>
    public static void MakeFolders(SftpClient client, string path, CancellationToken token)
    {
        if (client.Stat(path, token) is not null)
            return;
        if (SftpPlace.Above(path) is { } above)
            MakeFolders(client, above, token);
        try
        {
            client.MakeFolder(path, 0b111_000_000, token);
        }
        catch (SftpException failed) when (failed.Error == SftpError.Failed && client.Stat(path, token) is { IsFolder: true })
        {
            // Another run was faster.
        }
    }

    /// <summary>Removes the folder of a key, and those above it inside the store, as long as they are empty.</summary>
    public void RemoveEmptyFolders(SftpClient client, string key, CancellationToken token)
    {
        try
        {
            for (var slash = key.LastIndexOf('/'); slash > 0; slash = key.LastIndexOf('/', slash - 1))
                client.RemoveFolder(Place.PathOf(key[..slash]), token);
        }
        catch (SftpException kept) when (!kept.IsPassing)
        {
            // Not empty: in use.
        }
    }

    public void Dispose() => End(isOver: true);

    /// <summary>Ends the connection; the next call makes another.</summary>
    public void Disconnect() => End(isOver: false);

    private void End(bool isOver)
    {
        _gate.Wait();
        try
        {
            _isOver |= isOver;
            _client?.Dispose();
            _client = null;
        }
        finally
        {
            _gate.Release();
        }
    }
}
