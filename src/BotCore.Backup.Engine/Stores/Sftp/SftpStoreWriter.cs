using System.Security.Cryptography;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.Sftp;

namespace BotCore.Backup.Engine.Stores.Sftp;

/// <summary>
/// A new file of an <see cref="SftpStore"/>, under a temporary name until it is committed. A lost connection is made anew, and what the server had not confirmed is sent again to where it belongs.
/// </summary>
internal sealed class SftpStoreWriter : StoreWriter
{
    private const int MostAttempts = 5;
    private const uint FileMode = 0b110_000_000;
    private static readonly TimeSpan LongestFarewell = TimeSpan.FromSeconds(30);

    private readonly SftpSession _session;
    private readonly string _key;
    private readonly string _final;
    private readonly string _partial;
    private readonly CancellationToken _token;
    private SftpClient _client;
    private SftpHandle _handle;
    private readonly SftpUpload _upload;
    private long _confirmed;
    private int _failures;
    private bool _isAttached = true;
    private bool _isLinked;
    private bool _isUnclear;
    private bool _committed;
    private bool _isOver;

    public SftpStoreWriter(SftpSession session, string key, CancellationToken token)
    {
        (_session, _key, _token) = (session, key, token);
        _final = session.Place.PathOf(key);
        var slash = _final.LastIndexOf('/') + 1;
        _partial = $"{_final[..slash]}.{_final[slash..]}.{RandomNumberGenerator.GetHexString(8, lowercase: true)}{FolderStore.PartialSuffix}";
        try
        {
            (_client, _handle) = Begin();
            _upload = new SftpUpload(_client, _handle);
        }
        catch
        {
            Abandon(null, null);
            throw;
        }
    }

    /// <summary>The key that a half-written file was to have; null where it is none.</summary>
    public static string? KeyOfPartial(string key)
    {
        var slash = key.LastIndexOf('/') + 1;
        var name = key[slash..];
        if (name.Length <= FolderStore.PartialSuffix.Length + 1 || !name.StartsWith('.') || !name.EndsWith(FolderStore.PartialSuffix, StringComparison.Ordinal))
            return null;
        name = name[1..^FolderStore.PartialSuffix.Length];
        return key[..slash] + (name.LastIndexOf('.') is > 0 and var word ? name[..word] : name);
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_isOver, this);
        while (!buffer.IsEmpty)
        {
            if (_upload.IsFull)
                Persist(_upload.Send);
            buffer = buffer[_upload.Fill(buffer)..];
        }

        if (_upload.IsFull)
            Persist(_upload.Send);
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
        // Durability is Commit's.
    }

    public override void Commit()
    {
        ObjectDisposedException.ThrowIf(_isOver, this);
        Persist(token =>
        {
            _upload.Finish(token);
            if (_client.FStat(_handle, token).Size is var size && size != _upload.Length)
                throw new SftpException(SftpError.Failed, FormattableString.Invariant($"{_upload.Length} bytes were written and the file has {size}."));
            if (_client.Offers("fsync@openssh.com"))
                _client.Fsync(_handle, token);
            _client.Close(_handle, token);
            _isAttached = false;
        });
        _session.Run(_key, Publish, _token);
        _committed = true;
        _session.Run(_key, SyncFolder, _token);
        _isOver = true;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_isOver)
        {
            _isOver = true;
            if (!_committed)
                Abandon(_client, _handle);
        }

        base.Dispose(disposing);
    }

    // Another run may remove the folder as an empty one between its making and the file's.
    private (SftpClient, SftpHandle) Begin()
    {
        // A file of that name can only be our own, of a try whose answer was lost.
        var modes = SftpOpenModes.Write | SftpOpenModes.Create | SftpOpenModes.Exclusive;
        var attempt = 0;
        try
        {
            return _session.Run(
                _key,
                client =>
                {
                    while (true)
                    {
                        try
                        {
                            var handle = client.Open(_partial, modes, FileMode, _token);
                            return (client, handle);
                        }
                        catch (SftpException missing) when (missing.Error == SftpError.NoSuchFile && ++attempt < MostAttempts)
                        {
                            SftpSession.MakeFolders(client, SftpPlace.Above(_partial)!, _token);
                        }
                        catch (SftpException lost) when (lost.IsPassing)
                        {
                            modes &= ~SftpOpenModes.Exclusive;
                            throw;
                        }
                        catch (SftpException failed) when (failed.Error == SftpError.Failed)
                        {
                            throw _session.WriteFailure(_key, _partial, failed, _token);
                        }
                    }
                },
                _token);
        }
        catch (BackupException missing) when (missing.Failure.Kind == FailureKind.BackupNotFound)
        {
            throw new BackupException(
                FailureKind.StoreUnreachable, $"'{_key}' cannot be made in {_session.Place.Location}: its folder is not there, or is removed again and again.", "Check SFTP_DIR, and run again.", _session.Place.Location, missing);
        }
    }

    // Repeats a step until it comes through, over as many connections as that takes. The tries are counted anew with every byte that the server confirms.
    private void Persist(Action<CancellationToken> step)
    {
        while (true)
        {
            _token.ThrowIfCancellationRequested();
            try
            {
                if (!_isAttached)
                    Attach();
                step(_token);
                return;
            }
            catch (SftpException lost) when (lost.IsPassing)
            {
                _isAttached = false;
                if (_upload.Confirmed > _confirmed)
                    (_confirmed, _failures) = (_upload.Confirmed, 0);
                if (++_failures >= _session.Retry.Attempts)
                    throw SftpFailures.Of(_session.Place, _key, lost);
                _session.Retry.Pause(_failures, _token);
            }
            catch (SftpException wrong)
            {
                throw _session.WriteFailure(_key, _partial, wrong, _token);
            }
        }
    }

    private void Attach()
    {
        var client = _session.Client(_token);
        try
        {
            var handle = client.Open(_partial, SftpOpenModes.Write, FileMode, _token);
            _upload.Attach(client, handle, _token);
            (_client, _handle, _isAttached) = (client, handle, true);
        }
        catch (SftpException inconsistent) when (inconsistent.Error is SftpError.NoSuchFile or SftpError.Protocol)
        {
            throw new BackupException(
                FailureKind.StoreUnreachable,
                $"The connection to {_session.Place.Location} was lost, and what was written of '{_key}' before is not there as it was: {inconsistent.Message}",
                "Look at the server's disk and at its log, and run again.",
                _session.Place.Location,
                inconsistent);
        }
    }

    // A second name is given in one step, and only where it is free; then the first one goes. Servers without hard links rename, after a look whether the name is free: that is two steps.
    private void Publish(SftpClient client)
    {
        if (!_isLinked && client.Offers("hardlink@openssh.com"))
            Link(client);
        if (_isLinked)
            RemovePartial(client);
        else
            Rename(client);
        if (client.Stat(_final, _token)?.Size is var size && size != _upload.Length)
            throw new SftpException(SftpError.Failed, FormattableString.Invariant($"{_upload.Length} bytes were written and the file has {size}."));
    }

    private void Link(SftpClient client)
    {
        try
        {
            if (_isUnclear && IsLinked(client))
            {
                _isLinked = true;
                return;
            }

            client.HardLink(_partial, _final, _token);
            _isLinked = true;
        }
        catch (SftpException lost) when (lost.IsPassing)
        {
            // It may have been done, and the answer lost.
            _isUnclear = true;
            throw;
        }
        catch (SftpException refused)
        {
            if (client.LStat(_final, _token) is not null)
                throw Taken(refused);
            // A file system without hard links: the rename below says what else may be wrong.
        }
    }

    // Whether both names are of one file, which version 3 does not say: the time of one is set, and the other is asked.
    private bool IsLinked(SftpClient client)
    {
        if (client.LStat(_final, _token) is not { ModifiedAt: { } now })
            return false;
        var mark = now - 1;
        client.SetStat(_partial, new SftpAttributes { ModifiedAt = mark }, _token);
        return client.LStat(_final, _token)?.ModifiedAt == mark;
    }

    private void Rename(SftpClient client)
    {
        var isThere = client.LStat(_final, _token) is not null;
        // Only this writer knows the partial name: where it is gone and the final one is there, the lost answer was yes.
        if (isThere && _isUnclear && client.LStat(_partial, _token) is null)
            return;
        if (isThere)
            throw Taken(null);
        try
        {
            client.Rename(_partial, _final, _token);
        }
        catch (SftpException lost) when (lost.IsPassing)
        {
            _isUnclear = true;
            throw;
        }
        catch (SftpException refused) when (client.LStat(_final, _token) is not null)
        {
            throw Taken(refused);
        }
        catch (SftpException failed) when (failed.Error == SftpError.Failed)
        {
            throw _session.WriteFailure(_key, _partial, failed, _token);
        }
    }

    private void RemovePartial(SftpClient client)
    {
        try
        {
            client.Remove(_partial, _token);
        }
        catch (SftpException gone) when (gone.Error == SftpError.NoSuchFile)
        {
            // The answer to an earlier try was lost.
        }
    }

    // OpenSSH opens folders like files; a server that does not keeps its own word about names.
    private void SyncFolder(SftpClient client)
    {
        if (!client.Offers("fsync@openssh.com"))
            return;
        try
        {
            var folder = client.Open(SftpPlace.Above(_final)!, SftpOpenModes.Read, 0, _token);
            client.Fsync(folder, _token);
            client.Forget(folder);
        }
        catch (SftpException notOffered) when (!notOffered.IsPassing)
        {
            // As above.
        }
    }

    private BackupException Taken(Exception? cause) =>
        new(FailureKind.AccessDenied, $"'{_key}' is in {_session.Place.Location} already, and nothing is ever overwritten.", "Run again: it takes another name.", _key, cause);

    // Best effort, and not for long: what stays behind is removed by the next run.
    private void Abandon(SftpClient? client, SftpHandle? handle)
    {
        using var limited = new CancellationTokenSource(_session.Server.StallTimeout < LongestFarewell ? _session.Server.StallTimeout : LongestFarewell);
        try
        {
            if (handle is not null)
                client!.Forget(handle);
            _session.Run(
                _key,
                there =>
                {
                    try
                    {
                        there.Remove(_partial, limited.Token);
                    }
                    catch (SftpException gone) when (gone.Error == SftpError.NoSuchFile)
                    {
                        // Never made.
                    }

                    _session.RemoveEmptyFolders(there, _key, limited.Token);
                },
                limited.Token,
                _session.Retry with { Attempts = 2 });
        }
        catch (Exception left) when (left is BackupException or OperationCanceledException)
        {
            // As above.
        }
    }
}
