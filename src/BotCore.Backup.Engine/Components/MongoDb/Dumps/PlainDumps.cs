using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Compression;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumps;

/// <summary>A folder that mongodump wrote, as a source of a restore.</summary>
internal sealed class FolderDump(string folder) : IDumpSource
{
    public string Name => folder;

    public long Size => 0;

    public DocumentSet? Expected(DumpNamespace name) => null;

    public void Prove(IDumpVisitor visitor, NamespaceFilter wanted, Action<long> moved, CancellationToken token) => Read(visitor, wanted.Wants, oplog: true, moved, token);

    public void Read(IDumpVisitor visitor, Func<DumpNamespace, bool> documents, bool oplog, Action<long> moved, CancellationToken token) =>
        new DumpFolderReader(folder).Read(new SelectedDocuments(visitor, documents, oplog, moved), token);
}

/// <summary>A file that <c>mongodump --archive</c> wrote, as a source of a restore; gzip data or not.</summary>
internal sealed class StreamDump(string path) : IDumpSource
{
    public string Name => path;

    public long Size => new FileInfo(path).Length;

    public DocumentSet? Expected(DumpNamespace name) => null;

    /// <summary>Whether a file begins as such an archive does, or as gzip data that holds one.</summary>
    public static bool IsOne(string path)
    {
        try
        {
            using var file = OpenPlain(path);
            Span<byte> magic = stackalloc byte[4];
            return file.ReadAtLeast(magic, 4, throwOnEndOfStream: false) == 4 && BitConverter.ToUInt32(magic) == ArchiveNamespace.Magic;
        }
        catch (Exception unreadable) when (unreadable is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    public void Prove(IDumpVisitor visitor, NamespaceFilter wanted, Action<long> moved, CancellationToken token) => Read(visitor, wanted.Wants, oplog: true, moved, token);

    public void Read(IDumpVisitor visitor, Func<DumpNamespace, bool> documents, bool oplog, Action<long> moved, CancellationToken token)
    {
        using var file = Open(path);
        try
        {
            ArchiveStreamReader.Read(file, path, new SelectedDocuments(visitor, documents, oplog, moved), token);
        }
        catch (InvalidDataException damaged)
        {
            throw DumpCorruption.Of(path, damaged.Message.TrimEnd('.'), damaged);
        }
    }

    private static FileStream Open(string path) => new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1 << 16, FileOptions.SequentialScan);

    private static Stream OpenPlain(string path)
    {
        var file = Open(path);
        Span<byte> head = stackalloc byte[3];
        var read = file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        file.Position = 0;
        return read == 3 && head.SequenceEqual(new byte[] { 0x1F, 0x8B, 0x08 }) ? new GzipReader(file, leaveOpen: false) : file;
    }
}

/// <summary>Lets through the documents of the collections that are asked for, and everything that is not a document.</summary>
internal sealed class SelectedDocuments(IDumpVisitor next, Func<DumpNamespace, bool> documents, bool oplog, Action<long> moved) : IDumpVisitor
{
    private DumpNamespace _last;
    private bool _wanted;
    private long _bytes;

    public void Versions(DumpVersions versions) => next.Versions(versions);

    public void Metadata(DumpNamespace collection, CollectionMetadata metadata) => next.Metadata(collection, metadata);

    public void Document(DumpNamespace collection, ReadOnlySpan<byte> bson)
    {
        _bytes += bson.Length;
        if (!IsWanted(collection))
            return;
        next.Document(collection, bson);
        moved(_bytes);
    }

    public void End(DumpNamespace collection)
    {
        if (IsWanted(collection))
            next.End(collection);
    }

    public void Oplog(ReadOnlySpan<byte> entry)
    {
        if (oplog)
            next.Oplog(entry);
    }

    public void Other(string path) => next.Other(path);

    private bool IsWanted(DumpNamespace collection)
    {
        if (collection != _last)
            (_last, _wanted) = (collection, documents(collection));
        return _wanted;
    }
}
