using System.IO.Enumeration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Outside.Posix;
using BotCore.Backup.Engine.Stores.Leases;

namespace BotCore.Backup.Engine.Stores;

/// <summary>
/// A folder on this machine. Files are made 0600 and folders 0700: archives of configuration hold secrets even where they are not encrypted. An object is
/// written under a temporary name in its folder, its length checked, fsync'ed, renamed without overwriting, and its folder fsync'ed. Thread-safe.
/// </summary>
public sealed class FolderStore : IStore
{
    internal const string PartialSuffix = ".partial";

    // In place of a length.
    private const long IsFolder = -1;
    private const long IsNothing = -2;

    private static readonly EnumerationOptions Everything = new() { AttributesToSkip = default, IgnoreInaccessible = false };

    private readonly string _root;

    /// <summary>Does nothing to the disk yet.</summary>
    /// <param name="root">Full path of the folder; made when the first object is written.</param>
    /// <param name="name">The store's word in settings.</param>
    public FolderStore(string root, string name = "local")
    {
        _root = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(root));
        Name = name;
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public string Location => _root;

    /// <inheritdoc/>
    public long? FreeSpace
    {
        get
        {
            var there = _root;
            while (!Directory.Exists(there) && System.IO.Path.GetDirectoryName(there) is { } parent)
                there = parent;
            return Guard(there, () => DurableFile.FreeSpace(there));
        }
    }

    /// <inheritdoc/>
    public IEnumerable<StoredObject> List(string prefix, CancellationToken token)
    {
        var folder = prefix.LastIndexOf('/') is >= 0 and var slash ? prefix[..slash] : "";
        var objects = new List<StoredObject>();
        Guard(prefix, () => Walk(System.IO.Path.Combine(_root, folder), folder, prefix, objects, token));
        objects.Sort((one, other) => string.CompareOrdinal(one.Key, other.Key));
        return objects;
    }

    /// <inheritdoc/>
    public StoredObject? Find(string key, CancellationToken token)
    {
        var file = new FileInfo(Locate(key));
        return file.Exists ? new StoredObject(key, file.Length) : null;
    }

    /// <inheritdoc/>
    public Stream OpenRead(string key, long offset, CancellationToken token) => Guard(key, () =>
    {
        var stream = new FileStream(Locate(key), new FileStreamOptions { BufferSize = 0, Options = FileOptions.SequentialScan, Share = FileShare.Read | FileShare.Delete });
        stream.Position = offset;
        return stream;
    });

    /// <summary>At most the first <paramref name="most"/> bytes of an object, with as few calls as that takes: a listing reads ten thousand of them.</summary>
    internal byte[] ReadHead(string key, int most) => Guard(key, () =>
    {
        using var file = File.OpenHandle(Locate(key), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var head = new byte[Math.Min(RandomAccess.GetLength(file), most)];
        var length = 0;
        while (length < head.Length && RandomAccess.Read(file, head.AsSpan(length), length) is > 0 and var read)
            length += read;
        return head[..length];
    });

    /// <inheritdoc/>
    public StoreWriter Create(string key, CancellationToken token, string? runId = null) => Guard(key, () => new FolderStoreWriter(_root, key, this));

    /// <inheritdoc/>
    public void Delete(string key, CancellationToken token) => Guard(key, () =>
    {
        var path = Locate(key);
        if (!File.Exists(path))
            return;
        File.Delete(path);
        var folder = System.IO.Path.GetDirectoryName(path)!;
        DurableFile.FsyncDirectory(folder);
        RemoveEmptyFolders(folder);
    });

    /// <inheritdoc/>
    public IReadOnlyList<string> RemovePartials(string folder, Func<string, bool> isMine, CancellationToken token)
    {
        var path = Locate(folder);
        if (!Directory.Exists(path))
            return [];
        return Guard(folder, () =>
        {
            var partials = Directory.GetFiles(path, ".*" + PartialSuffix, SearchOption.AllDirectories).Where(partial => isMine(KeyOfPartial(partial))).ToList();
            foreach (var partial in partials)
                File.Delete(partial);
            return partials.Select(partial => System.IO.Path.GetFileName(partial)).ToArray();
        });
    }

    /// <inheritdoc/>
    public StoreLease AcquireLease(string folder, CancellationToken token) => Guard<StoreLease>(folder, () => FolderLease.Acquire(this, folder));

    /// <inheritdoc/>
    public string Locate(string key)
    {
        var path = System.IO.Path.GetFullPath(System.IO.Path.Combine(_root, key));
        if (!string.Equals(path, _root, StringComparison.Ordinal) && !path.StartsWith(_root.TrimEnd('/') + "/", StringComparison.Ordinal))
            throw new BackupException(FailureKind.AccessDenied, $"'{key}' is not inside the store {_root}.", "Use a key without '..'.", key);
        return path;
    }

    /// <summary>Makes <paramref name="folder"/> and what is missing above it.</summary>
    internal static void MakeFolders(string folder)
    {
        if (Directory.Exists(folder))
            return;
        var parent = System.IO.Path.GetDirectoryName(folder)!;
        MakeFolders(parent);
        PrivateFiles.MakeFolder(folder);
        DurableFile.FsyncDirectory(parent);
    }

    /// <summary>Removes <paramref name="folder"/>, and then those above it inside the store, as long as they are empty: a failed run leaves the store as it was.</summary>
    internal void RemoveEmptyFolders(string folder)
    {
        try
        {
            for (var path = folder; path.Length > _root.Length; path = System.IO.Path.GetDirectoryName(path)!)
                Directory.Delete(path);
        }
        catch (IOException)
        {
            // Not empty: in use.
        }
    }

    /// <summary>Runs an action on the disk and gives what goes wrong its kind.</summary>
    internal T Guard<T>(string key, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            throw ToFailure(key, wrong);
        }
    }

    internal void Guard(string key, Action action) => Guard(key, () =>
    {
        action();
        return true;
    });

    internal BackupException ToFailure(string key, Exception wrong) => wrong switch
    {
        FileNotFoundException or DirectoryNotFoundException => new(
            FailureKind.BackupNotFound, $"There is no '{key}' in {_root}.", "List what there is with Get-BotBackup.", key, wrong),
        UnauthorizedAccessException => new(
            FailureKind.AccessDenied, $"The system refused access to '{key}' in {_root}.", "Run as the user that owns the backup folder, or correct its mode.", key, wrong),
        IOException { HResult: Errno.ENOSPC or Errno.EDQUOT } => new(
            FailureKind.StoreFull, $"The disk of {_root} is full; '{key}' was not kept.", "Free space there, or point BACKUP_DIR at a larger disk, and run again.", _root, wrong),
        IOException { HResult: Errno.EROFS } => new(
            FailureKind.AccessDenied, $"The disk of {_root} is read-only; '{key}' was not kept.", "Mount it for writing and run again.", _root, wrong),
        _ => new(FailureKind.StoreUnreachable, $"The folder {_root} failed at '{key}': {wrong.Message}", "Look at the disk and at the system's log, and run again.", _root, wrong),
    };

    // The key that a half-written file was to have: its name holds it, between a dot and a random word.
    private string KeyOfPartial(string path)
    {
        var name = System.IO.Path.GetFileName(path)[1..^PartialSuffix.Length];
        if (name.LastIndexOf('.') is > 0 and var word)
            name = name[..word];
        return System.IO.Path.Combine(System.IO.Path.GetRelativePath(_root, System.IO.Path.GetDirectoryName(path)!), name);
    }

    // The prefix picks among what stands in the folder that it leads to; below that everything begins with it. What is not picked is not looked at: a folder has many files, and a few are asked for often.
    private static void Walk(string folder, string key, string prefix, List<StoredObject> found, CancellationToken token)
    {
        try
        {
            if (!Directory.Exists(folder))
                return;
            var above = key.Length == 0 ? "" : key + "/";
            foreach (var (name, length) in new FileSystemEnumerable<(string Name, long Length)>(folder, Look, Everything) { ShouldIncludePredicate = (ref entry) => IsWanted(ref entry, above, prefix) })
            {
                token.ThrowIfCancellationRequested();
                if (length >= 0)
                    found.Add(new StoredObject(above + name, length));
                else if (length == IsFolder)
                    Walk(System.IO.Path.Combine(folder, name), above + name, "", found, token);
            }
        }
        catch (DirectoryNotFoundException)
        {
            // Another run removed it meanwhile, as an empty one.
        }
    }

    private static bool IsWanted(ref FileSystemEntry entry, string above, string prefix) =>
        entry.FileName[0] != '.' && (prefix.Length <= above.Length || entry.FileName.StartsWith(prefix.AsSpan(above.Length), StringComparison.Ordinal));

    private static (string Name, long Length) Look(ref FileSystemEntry entry)
    {
        try
        {
            // A folder's link leads elsewhere, or around in a circle.
            return (entry.FileName.ToString(), !entry.IsDirectory ? entry.Length : entry.Attributes.HasFlag(FileAttributes.ReparsePoint) ? IsNothing : IsFolder);
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            // Another run removed it meanwhile.
            return ("", IsNothing);
        }
    }
}
