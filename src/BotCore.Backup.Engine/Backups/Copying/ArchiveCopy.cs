using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Stores.Leases;

namespace BotCore.Backup.Engine.Backups.Copying;

/// <summary>
/// Copies one backup into another store as it is: archive, index, checksum and manifest keep every byte. What is read is compared with the manifest before anything is committed, and what was written is read back. One thread.
/// </summary>
internal sealed class ArchiveCopy(IStore to, Action<BackupEvent> tell)
{
    /// <summary>The backup in the other store, where it stands whole already; null where it must be copied.</summary>
    /// <exception cref="BackupException">DestinationNotEmpty: something else stands under its name.</exception>
    public BotBackup? FindThere(BotBackup backup, CancellationToken token)
    {
        var archive = to.Find(backup.Key, token);
        if (backup.Manifest is null)
        {
            return archive is null ? null
                : archive.Length == backup.Size.Bytes ? BackupCatalog.Open(to, backup.Key, token)
                : throw Taken(backup, "an archive of another length");
        }

        if (to.Find(BackupFiles.Intent(backup.Key), token) is not null)
            return null;
        if (BackupCatalog.ReadManifest(to, backup.Key, token) is not { } manifest)
            return archive is null ? null : throw Taken(backup, "an archive without its manifest");
        if (!manifest.ToJson().AsSpan().SequenceEqual(backup.Manifest.ToJson()))
            throw Taken(backup, "another backup");
        var index = to.Find(BackupFiles.Index(backup.Key), token);
        return archive?.Length == manifest.Size && index?.Length == manifest.IndexSize
            ? BotBackup.Of(manifest, to, backup.Key)
            : throw Taken(backup, "a copy that is not whole");
    }

    /// <summary>Copies <paramref name="backup"/>, where it is not there, and returns what now stands there.</summary>
    public BotBackup Copy(BotBackup backup, string runId, CancellationToken token)
    {
        if (!ArchiveName.TryParse(backup.Key, out var name) || backup.PlainDump is not null || !string.Equals(name.Key, backup.Key, StringComparison.Ordinal))
        {
            throw new BackupException(
                FailureKind.BackupNotFound,
                $"{backup.Location} cannot be copied into a store: its name does not say what it is and where it belongs.",
                "Give it the name and folder of an archive, such as config/config_20251118_030000.tar.gz.gpg.",
                backup.Location);
        }

        using var lease = to.AcquireLease(name.Lease, token);
        foreach (var leftover in Publication.RemoveLeftovers(to, name.Folder.Split('/')[0], name.Lease, token))
            tell(new Warned($"A run that died left '{leftover}' unfinished in {to.Location}; it was removed."));
        // A run that died right behind its manifest, or another one meanwhile, has made it.
        if (FindThere(backup, token) is { } there)
            return there;
        DemandSpace(backup);
        using var progress = new RunProgress($"Copying {name.FileName} to {to.Name}", backup.Size.Bytes, tell);
        return backup.Manifest is { } manifest ? CopyWhole(backup, manifest, name, lease, runId, progress, token) : CopyForeign(backup, name, progress, token);
    }

    /// <summary>Removes what stands under the name of <paramref name="backup"/>, whatever it is.</summary>
    public void Clear(BotBackup backup, string runId, CancellationToken token)
    {
        using var lease = to.AcquireLease(ArchiveName.TryParse(backup.Key, out var name) ? name.Lease : backup.Key.Split('/')[0], token);
        if (to.Find(BackupFiles.Intent(backup.Key), token) is null)
            Publication.LeaveIntent(to, backup.Key, runId, token);
        foreach (var file in BackupFiles.InOrderOfRemoval(to, backup.Key, token))
            to.Delete(file, CancellationToken.None);
        to.Delete(BackupFiles.Intent(backup.Key), CancellationToken.None);
    }

    private BotBackup CopyWhole(BotBackup backup, Manifest manifest, ArchiveName name, StoreLease lease, string runId, RunProgress progress, CancellationToken token)
    {
        using var publication = Publication.BeginAs(to, lease, name, runId, token);
        Pump(backup, backup.Key, publication.Archive, manifest.Size, manifest.Sha256, progress, token);
        Pump(backup, BackupFiles.Index(backup.Key), publication.Index, manifest.IndexSize, manifest.IndexSha256, null, token);
        progress.Move(manifest.Size, () => "reading back");
        publication.Publish(manifest);
        return BotBackup.Of(manifest, to, backup.Key);
    }

    // An archive of the old scripts has nothing that vouches for it: what is read back must be what was read.
    private BotBackup CopyForeign(BotBackup backup, ArchiveName name, RunProgress progress, CancellationToken token)
    {
        using (var archive = to.Create(backup.Key, token))
        {
            using var source = backup.Source.OpenRead(backup.Key, 0, token);
            using var hash = new HashingStream(archive);
            Pump(source, hash, progress, token);
            archive.Commit();
            try
            {
                Publication.ReadBack(to, backup.Key, hash.Count, hash.Hash, token);
                if (to.Find(BackupFiles.Checksum(backup.Key), token) is null)
                    Publication.Put(to, BackupFiles.Checksum(backup.Key), Publication.Checksum(hash.Hash, name), null, token);
            }
            catch
            {
                Withdraw(backup.Key);
                throw;
            }
        }

        return BackupCatalog.Open(to, backup.Key, token);
    }

    private void Withdraw(string key)
    {
        try
        {
            to.Delete(key, CancellationToken.None);
        }
        catch (BackupException)
        {
            tell(new Warned($"'{key}' in {to.Location} was not proven and could not be removed."));
        }
    }

    private static void Pump(BotBackup backup, string key, Stream target, long length, string sha256, RunProgress? progress, CancellationToken token)
    {
        using var source = backup.Source.OpenRead(key, 0, token);
        using var hash = new HashingStream(source);
        Pump(hash, target, progress, token);
        if (hash.Count == length && string.Equals(hash.Hash, sha256, StringComparison.Ordinal))
            return;
        throw new BackupException(
            FailureKind.ChecksumMismatch,
            $"{backup.Source.Locate(key)} is not what its manifest says, so it was not copied: it has {hash.Count} bytes with SHA-256 {hash.Hash}, not {length} with {sha256}.",
            "Copy from another store that has this backup, and look at what damaged this one.",
            backup);
    }

    private static void Pump(Stream from, Stream target, RunProgress? progress, CancellationToken token)
    {
        var buffer = new byte[1 << 20];
        long done = 0;
        int read;
        while ((read = from.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false)) > 0)
        {
            token.ThrowIfCancellationRequested();
            target.Write(buffer.AsSpan(0, read));
            done += read;
            progress?.Move(done, () => "copying");
        }
    }

    private void DemandSpace(BotBackup backup)
    {
        if (to.FreeSpace is { } free && free < backup.Size.Bytes)
        {
            throw new BackupException(
                FailureKind.TooLittleSpace,
                $"{backup.Key} has {backup.Size}, and {to.Location} has {new ByteSize(free)} free.",
                "Free space there; nothing was written.",
                to.Location);
        }
    }

    private BackupException Taken(BotBackup backup, string what) => new(
        FailureKind.DestinationNotEmpty,
        $"{to.Locate(backup.Key)} cannot become a copy of {backup.Location}: {what} stands there.",
        "Look at it with Test-BotBackup -Path or Get-BotBackup -Store; Copy-BotBackup -Force replaces it.",
        to.Locate(backup.Key));
}
