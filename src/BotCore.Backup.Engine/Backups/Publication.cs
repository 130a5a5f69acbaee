using System.Text;
using System.Text.Json;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Stores.Leases;

namespace BotCore.Backup.Engine.Backups;

/// <summary>
/// Puts one backup into one store in the order that makes every moment safe to die in: intent; archive; index; checksum; all of it read back; manifest;
/// intent removed. Until the manifest stands, the intent hides what is there, and the next run removes it. One thread.
/// </summary>
internal sealed class Publication : IDisposable
{
    private const int MostCollisions = 1000;

    private readonly IStore _store;
    private readonly StoreLease _lease;
    private readonly string _runId;
    private readonly CancellationToken _token;
    private bool _published;

    private Publication(IStore store, StoreLease lease, ArchiveName name, string runId, CancellationToken token)
    {
        _store = store;
        _lease = lease;
        _runId = runId;
        _token = token;
        Name = name;
        Archive = store.Create(Key, token, runId);
        try
        {
            Index = store.Create(BackupFiles.Index(Key), token, runId);
        }
        catch
        {
            Archive.Dispose();
            throw;
        }
    }

    /// <summary>The name that was free.</summary>
    public ArchiveName Name { get; }

    /// <summary>The archive's key.</summary>
    public string Key => Name.Key;

    /// <summary>Where the archive's bytes go.</summary>
    public StoreWriter Archive { get; }

    /// <summary>Where the index's bytes go.</summary>
    public StoreWriter Index { get; }

    /// <summary>Takes the first free name and leaves the intent under it. The caller holds <paramref name="lease"/>, which is that of its folder.</summary>
    public static Publication Begin(IStore store, StoreLease lease, Func<int, ArchiveName> name, string runId, CancellationToken token)
    {
        for (var attempt = 1; attempt < MostCollisions; attempt++)
        {
            var candidate = name(attempt);
            if (IsFree(store, candidate.Key, token))
                return BeginAs(store, lease, candidate, runId, token);
        }

        throw new BackupException(FailureKind.StoreFull, $"A thousand archives of this second stand in {store.Location} already.", "Run again in a second.", store.Location);
    }

    /// <summary>Leaves the intent under a name that <see cref="IsFree"/>.</summary>
    public static Publication BeginAs(IStore store, StoreLease lease, ArchiveName name, string runId, CancellationToken token)
    {
        LeaveIntent(store, name.Key, runId, token);
        try
        {
            return new Publication(store, lease, name, runId, token);
        }
        catch
        {
            store.Delete(BackupFiles.Intent(name.Key), CancellationToken.None);
            throw;
        }
    }

    /// <summary>Whether nothing of a backup stands under <paramref name="key"/>.</summary>
    public static bool IsFree(IStore store, string key, CancellationToken token) =>
        store.Find(key, token) is null && store.Find(BackupFiles.Manifest(key), token) is null && store.Find(BackupFiles.Intent(key), token) is null;

    /// <summary>Says that what stands under <paramref name="archive"/> is being made or removed: it is not listed until the intent is gone.</summary>
    public static void LeaveIntent(IStore store, string archive, string runId, CancellationToken token) => Put(
        store,
        BackupFiles.Intent(archive),
        JsonSerializer.SerializeToUtf8Bytes(new { run = runId, host = Environment.MachineName, process = Environment.ProcessId, began = DateTimeOffset.UtcNow }),
        runId,
        token);

    /// <summary>
    /// Removes what dead runs left of the kind that <paramref name="lease"/> guards; another kind's runs may be at work in the same folder. Only for the holder of that lease, and before it
    /// begins anything. Returns the archives that are gone.
    /// </summary>
    public static IReadOnlyList<string> RemoveLeftovers(IStore store, string folder, string lease, CancellationToken token)
    {
        var removed = new List<string>();
        foreach (var intent in store.List(folder + "/", token).Where(o => o.Key.EndsWith(BackupFiles.IntentSuffix, StringComparison.Ordinal) && IsGuarded(o.Key, lease)).ToList())
        {
            var archive = intent.Key[..^BackupFiles.IntentSuffix.Length];
            // The manifest is the commit: a run that died right after it made a backup, and only its intent is left over.
            if (store.Find(BackupFiles.Manifest(archive), token) is null)
            {
                foreach (var file in BackupFiles.InOrderOfRemoval(store, archive, token))
                    store.Delete(file, token);
                removed.Add(archive);
            }

            store.Delete(intent.Key, token);
        }

        store.RemovePartials(folder, key => IsGuarded(key, lease), token);
        return removed;
    }

    /// <summary>Whether <paramref name="lease"/> guards an archive, or a file beside it.</summary>
    private static bool IsGuarded(string key, string lease)
    {
        var archive = BackupFiles.ArchiveOf(key);
        // The notes of gaps are written by increments; whatever else has no archive's name is its folder's.
        var guarded = ArchiveName.TryParse(archive, out var name) ? name.Lease : OplogGapRecord.IsOne(archive) ? ArchiveName.IncrementLease : key.Split('/')[0];
        return string.Equals(guarded, lease, StringComparison.Ordinal);
    }

    /// <summary>Makes the sealed archive a backup: what was proven, and nothing else, gets a manifest.</summary>
    public void Publish(Manifest manifest)
    {
        var json = manifest.ToJson();
        if (json.Length > Manifest.MaximumLength)
            throw new InvalidOperationException($"The manifest of {Key} has {json.Length} bytes.");
        _token.ThrowIfCancellationRequested();
        Archive.Commit();
        Index.Commit();
        ReadBack(_store, Key, manifest.Size, manifest.Sha256, _token);
        ReadBack(_store, BackupFiles.Index(Key), manifest.IndexSize, manifest.IndexSha256, _token);
        Put(_store, BackupFiles.Checksum(Key), Checksum(manifest.Sha256, Name), _runId, _token);
        _token.ThrowIfCancellationRequested();
        // Another run may have taken over while this one was cut off, and may have removed what it takes for left over.
        _lease.Demand(_token);
        Put(_store, BackupFiles.Manifest(Key), json, _runId, CancellationToken.None);
        _published = true;
        _store.Delete(BackupFiles.Intent(Key), CancellationToken.None);
    }

    public void Dispose()
    {
        Archive.Dispose();
        Index.Dispose();
        if (_published)
            return;
        try
        {
            foreach (var file in BackupFiles.InOrderOfRemoval(Key))
                _store.Delete(file, CancellationToken.None);
            _store.Delete(BackupFiles.Intent(Key), CancellationToken.None);
        }
        catch (BackupException)
        {
            // A store that is away: the intent hides what is left, and the next run removes it. What ended this one is what is to be told.
        }
    }

    /// <summary>The content of the checksum beside an archive, as sha256sum writes it.</summary>
    public static byte[] Checksum(string sha256, ArchiveName name) => Encoding.UTF8.GetBytes($"{sha256}  {name.FileName}\n");

    /// <summary>Writes a small object whole.</summary>
    public static void Put(IStore store, string key, byte[] content, string? runId, CancellationToken token)
    {
        using var writer = store.Create(key, token, runId);
        writer.Write(content);
        writer.Commit();
    }

    /// <summary>Reads an object to its end, and throws ChecksumMismatch where it is not what was written.</summary>
    public static void ReadBack(IStore store, string key, long length, string sha256, CancellationToken token)
    {
        using var stored = store.OpenRead(key, 0, token);
        using var hash = new HashingStream(stored);
        hash.Drain(token);
        if (hash.Count != length || !string.Equals(hash.Hash, sha256, StringComparison.Ordinal))
        {
            throw new BackupException(
                FailureKind.ChecksumMismatch,
                $"What {store.Location} holds of '{key}' is not what was written: {hash.Count} bytes with SHA-256 {hash.Hash}, not {length} with {sha256}.",
                "Check that store and its disk; nothing of this was kept there.",
                store.Location);
        }
    }
}
