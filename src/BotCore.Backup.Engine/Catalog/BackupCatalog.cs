using System.Security.Cryptography;
using System.Text.Json;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Retention.Pins;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Verification;

namespace BotCore.Backup.Engine.Catalog;

/// <summary>
/// What exists in a store, read from manifests and names and from nothing else, so it can always be built anew. What an intent names is not listed; an archive
/// with neither manifest nor intent is a foreign one when its name is known, and ManifestMissing when its index shows that it is ours.
/// </summary>
public static class BackupCatalog
{
    // Behind a network a manifest is one answer of a server, for which others need not wait.
    private const int MostAtOnce = 16;

    /// <summary>All backups of <paramref name="store"/> as <see cref="Made"/>, oldest first, then what is wrong as <see cref="Failed"/>.</summary>
    public static IEnumerable<BackupEvent> List(IStore store, CancellationToken token) => List(store, "", token);

    /// <summary>The same of what stands below <paramref name="prefix"/> only.</summary>
    internal static IEnumerable<BackupEvent> List(IStore store, string prefix, CancellationToken token, TimeProvider? clock = null) => List(store, store.List(prefix, token), token, clock);

    /// <summary>The same of <paramref name="listed"/>, which somebody who needs it for more has listed.</summary>
    internal static IEnumerable<BackupEvent> List(IStore store, IEnumerable<StoredObject> listed, CancellationToken token, TimeProvider? clock = null)
    {
        var objects = listed.Where(o => !VerifiedLinks.IsIn(o.Key)).ToDictionary(o => o.Key, StringComparer.Ordinal);
        var proofs = ProofHistory.Gather(objects.Keys);
        var pins = PinName.Gather(objects.Keys);
        var now = (clock ?? TimeProvider.System).GetUtcNow();
        // Most of what there is stands beside something, and is told from an archive by its ending alone.
        var archives = objects.Values.Where(o => !BackupFiles.IsCompanion(o.Key) && ArchiveName.TryParse(o.Key, out _)).ToList();
        var found = archives
            .AsParallel().AsOrdered().WithCancellation(token).WithDegreeOfParallelism(store is FolderStore ? Math.Min(Environment.ProcessorCount, MostAtOnce) : MostAtOnce)
            .Select(archive => Look(store, archive, objects, token))
            .OfType<BackupEvent>()
            .Select(found => found is Made { Item: BotBackup backup } ? new Made(WithPin(WithProofs(backup, proofs, now), pins, token)) : found)
            .ToList();
        var orphans = objects.Keys
            .Where(key => key.EndsWith(BackupFiles.ManifestSuffix, StringComparison.Ordinal))
            .Select(key => key[..^BackupFiles.ManifestSuffix.Length])
            .Where(archive => !objects.ContainsKey(archive) && !objects.ContainsKey(BackupFiles.Intent(archive)))
            .Select(archive => new Failed(new Failure(
                FailureKind.BackupNotFound, $"The manifest of '{archive}' in {store.Location} stands without its archive.", "Copy the archive back from another store, or remove the manifest.", store.Locate(archive))));

        return found.OfType<Made>().OrderBy(made => ((BotBackup)made.Item).Taken).ThenBy(made => ((BotBackup)made.Item).Key, StringComparer.Ordinal)
            .Concat(found.OfType<Failed>().Concat(orphans).Cast<BackupEvent>());
    }

    /// <summary>The backup whose archive is <paramref name="key"/>. An archive of ours without its manifest, or with another's, throws.</summary>
    public static BotBackup Open(IStore store, string key, CancellationToken token)
    {
        var found = Find(store, key, token);
        var proofs = ProofHistory.Gather(store.List(ProofName.PrefixOf(key), token).Select(one => one.Key));
        return WithPin(WithProofs(found, proofs, TimeProvider.System.GetUtcNow()), PinName.Gather(store.List(PinName.PrefixOf(key), token).Select(one => one.Key)), token);
    }

    private static BotBackup Find(IStore store, string key, CancellationToken token)
    {
        if (ReadManifest(store, key, token, out var sha256) is { } manifest)
            return BotBackup.Of(manifest, store, key) with { ManifestSha256 = sha256 };
        var archive = store.Find(key, token) ?? throw NotFound(store, key);
        if (archive.RunId is not null || store.Find(BackupFiles.Index(key), token) is not null)
            throw new BackupException(MissingManifest(store, key));
        return ArchiveName.TryParse(key, out var name) ? BotBackup.Foreign(name, archive, store) : Stranger(archive, store);
    }

    /// <summary>
    /// The backup that the file <paramref name="path"/> is: one of <paramref name="store"/> where it lies there, otherwise of the folder it lies in. A folder, and a file of
    /// <c>mongodump --archive</c>, are database dumps.
    /// </summary>
    public static BotBackup OpenFile(IStore store, string path, CancellationToken token)
    {
        path = VerifiedLinks.Follow(store, path);
        if (Directory.Exists(path) || (!ArchiveName.TryParse(Path.GetFileName(path), out _) && StreamDump.IsOne(path)))
            return Dump(path);
        var root = store.Location.TrimEnd('/') + "/";
        if (path.StartsWith(root, StringComparison.Ordinal))
            return Open(store, path[root.Length..], token);
        // A folder named as in a store tells the component that the file name alone does not.
        var folder = Path.GetDirectoryName(path) ?? "/";
        var named = Path.GetFileName(folder) + "/" + Path.GetFileName(path);
        return ArchiveName.TryParse(named, out _) && Path.GetDirectoryName(folder) is { } above
            ? Open(new FolderStore(above, "file"), named, token)
            : Open(new FolderStore(folder, "file"), Path.GetFileName(path), token);
    }

    /// <summary>The backup with that id. Throws BackupNotFound where there is none.</summary>
    public static BotBackup FindById(IStore store, string id, CancellationToken token) =>
        List(store, token).OfType<Made>().Select(made => (BotBackup)made.Item)
            .FirstOrDefault(backup => string.Equals(backup.Id, id, StringComparison.OrdinalIgnoreCase))
        ?? throw new BackupException(FailureKind.BackupNotFound, $"No backup in {store.Location} has the id '{id}'.", "List what there is with Get-BotBackup.", id);

    /// <summary>Reads and checks the manifest beside <paramref name="key"/>; null where there is none.</summary>
    internal static Manifest? ReadManifest(IStore store, string key, CancellationToken token) => ReadManifest(store, key, token, out _);

    private static Manifest? ReadManifest(IStore store, string key, CancellationToken token, out string? sha256)
    {
        sha256 = null;
        var path = BackupFiles.Manifest(key);
        byte[] json;
        try
        {
            json = ReadHead(store, path, token);
        }
        catch (BackupException missing) when (missing.Failure.Kind == FailureKind.BackupNotFound)
        {
            return null;
        }

        try
        {
            var manifest = Manifest.Parse(json);
            sha256 = Convert.ToHexStringLower(SHA256.HashData(json));
            var file = key[(key.LastIndexOf('/') + 1)..];
            return string.Equals(manifest.Archive, file, StringComparison.Ordinal)
                ? manifest
                : throw Mismatch(store, key, $"it is that of '{manifest.Archive}'", cause: null);
        }
        catch (JsonException malformed)
        {
            throw Mismatch(store, key, "it cannot be read", malformed);
        }
    }

    internal static Failure MissingManifest(IStore store, string key) => new(
        FailureKind.ManifestMissing,
        $"'{key}' in {store.Location} has lost its manifest, so it is no backup: nothing vouches for it.",
        "Copy the manifest back from another store; to look into the archive all the same, open it with gpg and tar.",
        store.Locate(key));

    private static BackupEvent? Look(IStore store, StoredObject archive, Dictionary<string, StoredObject> objects, CancellationToken token)
    {
        if (objects.ContainsKey(BackupFiles.Intent(archive.Key)))
            return null;
        try
        {
            if (objects.ContainsKey(BackupFiles.Manifest(archive.Key)) && ReadManifest(store, archive.Key, token, out var sha256) is { } manifest)
                return new Made(BotBackup.Of(manifest, store, archive.Key) with { ManifestSha256 = sha256 });
            if (objects.ContainsKey(BackupFiles.Index(archive.Key)))
                return new Failed(MissingManifest(store, archive.Key));
            if (!ArchiveName.TryParse(archive.Key, out var name) || !archive.Key.Contains('/', StringComparison.Ordinal))
                return null;
            // Gone means that another run removed it meanwhile.
            return store.Find(archive.Key, token) is not { } whole ? null
                : whole.RunId is null ? new Made(BotBackup.Foreign(name, archive, store))
                : new Failed(MissingManifest(store, archive.Key));
        }
        catch (BackupException wrong)
        {
            return new Failed(wrong.Failure);
        }
    }

    private static BotBackup WithProofs(BotBackup backup, Dictionary<string, List<ProofName>> proofs, DateTimeOffset now) =>
        proofs.Count > 0 && proofs.TryGetValue(ProofName.PrefixOf(backup.Key), out var names) ? ProofHistory.Of(names, backup.Seal, now).Apply(backup) : backup;

    private static BotBackup WithPin(BotBackup backup, ILookup<string, string> pins, CancellationToken token) =>
        pins.Count > 0 && PinFiles.Read(backup.Source, pins[PinName.PrefixOf(backup.Key)], token) is { } pin ? backup with { Pin = pin } : backup;

    // What mongodump wrote is taken as it is: a folder, or a file of --archive.
    private static BotBackup Dump(string path)
    {
        var size = File.Exists(path)
            ? new FileInfo(path).Length
            : new DirectoryInfo(path).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);
        return new BotBackup
        {
            Id = Path.GetFileName(path),
            Component = Components.Component.MongoDb,
            Name = Path.GetFileName(path),
            Type = Components.BackupType.Full,
            Taken = new DateTimeOffset(File.GetLastWriteTimeUtc(path), TimeSpan.Zero),
            Size = size,
            Store = "file",
            Location = path,
            Key = Path.GetFileName(path),
            Encryption = Encryption.None,
            Proof = Proof.None,
            Source = new FolderStore(Path.GetDirectoryName(path) ?? "/", "file"),
            PlainDump = path,
        };
    }

    private static BotBackup Stranger(StoredObject archive, IStore store) => new()
    {
        Id = archive.Key,
        Component = Components.Component.Unknown,
        Name = archive.Key,
        Type = Components.BackupType.Unknown,
        Taken = default,
        Size = archive.Length,
        Store = store.Name,
        Location = store.Locate(archive.Key),
        Key = archive.Key,
        Encryption = Encryption.Unknown,
        Proof = Proof.None,
        Source = store,
    };

    private static byte[] ReadHead(IStore store, string key, CancellationToken token)
    {
        if (store is FolderStore folder)
            return folder.ReadHead(key, Manifest.MaximumLength + 1);
        using var stream = store.OpenRead(key, 0, token);
        var buffer = new byte[Manifest.MaximumLength + 1];
        return buffer[..stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false)];
    }

    private static BackupException NotFound(IStore store, string key) => new(
        FailureKind.BackupNotFound, $"There is no archive '{key}' in {store.Location}.", "List what there is with Get-BotBackup.", store.Locate(key));

    private static BackupException Mismatch(IStore store, string key, string reason, Exception? cause) => new(
        FailureKind.ManifestMismatch,
        $"The manifest of '{key}' in {store.Location} is not its manifest: {reason}.",
        "Copy the manifest back from another store, or restore an older backup.",
        store.Locate(key),
        cause);
}
