using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumps;

/// <summary>
/// Reads a folder that mongodump wrote, with or without --gzip: the <c>--out</c> root, or the folder of one database. Versions first, then database by database the
/// metadata and the documents, the oplog last. A symbolic link in it is refused, since it may lead anywhere. Not thread-safe; see <see cref="IDumpVisitor"/> for threads.
/// </summary>
internal sealed class DumpFolderReader
{
    private readonly string _root;
    private readonly List<Found> _files = [];

    /// <summary>Lists the folder; nothing is read yet.</summary>
    public DumpFolderReader(string folder)
    {
        _root = Path.GetFullPath(folder);
        if (!Directory.Exists(_root))
        {
            throw new BackupException(
                FailureKind.BackupNotFound, $"There is no folder {folder}.", "Name the folder that mongodump wrote: its --out folder, or one of a database in it.", folder);
        }

        List();
    }

    /// <summary>What lies in it, in the order of the reading.</summary>
    public IReadOnlyList<DumpFile> Files => [.. _files.Select(found => found.File)];

    /// <summary>Reads all of it.</summary>
    public void Read(IDumpVisitor visitor, CancellationToken token)
    {
        ArgumentNullException.ThrowIfNull(visitor);
        var names = new Dictionary<(string Database, string Stem), DumpNamespace>();
        var buffer = new byte[512 * 1024];
        foreach (var found in _files)
        {
            token.ThrowIfCancellationRequested();
            switch (found.File.Kind)
            {
                case DumpFileKind.Other or DumpFileKind.BackupMetadata:
                    visitor.Other(found.Path);
                    break;
                case DumpFileKind.Metadata or DumpFileKind.MetadataCopy:
                    names[(found.File.Database, found.File.Stem)] = ReadMetadata(found, visitor, buffer, token);
                    break;
                default:
                    var name = names.TryGetValue((found.File.Database, found.File.Stem), out var known) ? known : TrueName(found, metadata: null);
                    Push(found, name, visitor, buffer, token);
                    break;
            }
        }
    }

    private static DumpNamespace TrueName(Found found, CollectionMetadata? metadata)
    {
        if (!found.File.IsShortened)
            return found.File.Namespace;
        if (metadata?.CollectionName is not { } name)
            throw DumpCorruption.Of(found.Path, "its name is shortened, and no metadata tells the whole one");
        return string.Equals(DumpFileName.Escape(name), found.File.Stem, StringComparison.Ordinal)
            ? new DumpNamespace(found.File.Database, name)
            : throw DumpCorruption.Of(found.Path, "the collection's name in the metadata is not the one that the file's name was made of");
    }

    private DumpNamespace ReadMetadata(Found found, IDumpVisitor visitor, byte[] buffer, CancellationToken token)
    {
        var taker = new MetadataTaker();
        Push(found, found.File.Namespace, taker, buffer, token);
        var metadata = taker.Taken ?? new CollectionMetadata();
        var name = TrueName(found, metadata);
        visitor.Metadata(name, metadata);
        return name;
    }

    private void Push(Found found, DumpNamespace name, IDumpVisitor visitor, byte[] buffer, CancellationToken token)
    {
        using var content = new DumpFileContent(found.File, name, found.Path, visitor);
        using var file = Open(found);
        while (file.Read(buffer) is > 0 and var length)
        {
            token.ThrowIfCancellationRequested();
            content.Write(buffer.AsSpan(0, length));
        }

        content.Complete();
    }

    private FileStream Open(Found found)
    {
        try
        {
            return new FileStream(Path.Combine(_root, found.Path), FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new BackupException(FailureKind.AccessDenied, $"The file {found.Path} of the dump cannot be read.", "Run as a user that may read the folder.", found.Path, e);
        }
    }

    private void List()
    {
        var top = Entries("");
        var folders = top.Where(entry => entry.IsFolder).Select(entry => (entry.Path, Entries: Entries(entry.Path))).ToList();
        var isDatabase = top.Exists(entry => !entry.IsFolder && IsCollection(entry.Path) && entry.Path is not (DumpFileName.Oplog or DumpFileName.Oplog + DumpFileName.GzipSuffix))
            && !folders.Exists(folder => folder.Entries.Exists(entry => !entry.IsFolder && IsCollection(entry.Path)));
        foreach (var (path, isFolder) in top)
        {
            if (!isFolder)
                _files.Add(new Found(isDatabase ? DumpFile.InDatabase(Path.GetFileName(_root), path) : DumpFile.Classify(path), path));
        }

        foreach (var (path, _) in folders.SelectMany(folder => folder.Entries))
            _files.Add(new Found(DumpFile.Classify(path), path));

        // Of JSON and its BSON copy, the copy counts.
        var copies = _files.Where(found => found.File.Kind == DumpFileKind.MetadataCopy).Select(found => (found.File.Database, found.File.Stem)).ToHashSet();
        _files.RemoveAll(found => found.File.Kind == DumpFileKind.Metadata && copies.Contains((found.File.Database, found.File.Stem)));
        _files.Sort(InOrder);
    }

    private static bool IsCollection(string path) => DumpFile.InDatabase("", Path.GetFileName(path)).Kind is not (DumpFileKind.Other or DumpFileKind.Prelude);

    private List<(string Path, bool IsFolder)> Entries(string folder)
    {
        var entries = new List<(string Path, bool IsFolder)>();
        foreach (var entry in new DirectoryInfo(Path.Combine(_root, folder)).EnumerateFileSystemInfos().OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            var path = folder.Length == 0 ? entry.Name : folder + "/" + entry.Name;
            if (entry.LinkTarget is not null)
                throw DumpCorruption.Of(path, "it is a symbolic link, which mongodump never writes and which may lead out of the folder");
            entries.Add((path, entry is DirectoryInfo));
        }

        return entries;
    }

    // Versions, databases (metadata before documents), the oplog, the rest.
    private static int InOrder(Found left, Found right)
    {
        var order = left.Group.CompareTo(right.Group);
        if (order == 0)
            order = string.CompareOrdinal(left.File.Database, right.File.Database);
        if (order == 0)
            order = right.IsMetadata.CompareTo(left.IsMetadata);
        return order != 0 ? order : string.CompareOrdinal(left.Path, right.Path);
    }

    private sealed record Found(DumpFile File, string Path)
    {
        public bool IsMetadata => File.Kind is DumpFileKind.Metadata or DumpFileKind.MetadataCopy;

        public int Group => File.Kind switch
        {
            DumpFileKind.Prelude => 0,
            DumpFileKind.Oplog => 2,
            DumpFileKind.Other or DumpFileKind.BackupMetadata => 3,
            _ => 1,
        };
    }

    private sealed class MetadataTaker : IDumpVisitor
    {
        public CollectionMetadata? Taken { get; private set; }

        public void Versions(DumpVersions versions)
        {
        }

        public void Metadata(DumpNamespace collection, CollectionMetadata metadata) => Taken = metadata;

        public void Document(DumpNamespace collection, ReadOnlySpan<byte> bson)
        {
        }

        public void End(DumpNamespace collection)
        {
        }

        public void Oplog(ReadOnlySpan<byte> entry)
        {
        }

        public void Other(string path)
        {
        }
    }
}
