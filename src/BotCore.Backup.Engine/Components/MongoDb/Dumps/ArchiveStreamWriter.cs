using System.Buffers.Binary;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumps;

/// <summary>
/// Writes the stream of <c>mongodump --archive</c>, which mongorestore reads: head, documents of the namespaces in any interleaving, each namespace's end with its CRC,
/// the oplog after all others. Bytes are as mongodump 100.18 writes them. It writes in small pieces: give it a stream with a buffer. Not thread-safe.
/// </summary>
internal sealed class ArchiveStreamWriter
{
    private static readonly byte[] Terminator = [0xFF, 0xFF, 0xFF, 0xFF];

    private readonly Stream _stream;
    private readonly BsonBuilder _builder = new();
    private readonly Dictionary<DumpNamespace, Progress> _namespaces = [];
    private DumpNamespace? _open;

    /// <summary>Writes the head: all namespaces, the oplog among them if there is one. Leaves the stream open at the end.</summary>
    /// <param name="stream">Takes the archive.</param>
    /// <param name="versions">What the dump was made with.</param>
    /// <param name="collections">Every namespace, in any order, each once.</param>
    /// <param name="concurrentCollections">How many namespaces interleave at most; readers prepare for so many.</param>
    public ArchiveStreamWriter(Stream stream, DumpVersions versions, IReadOnlyList<ArchiveNamespace> collections, int concurrentCollections = 4)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(versions);
        ArgumentNullException.ThrowIfNull(collections);
        _stream = stream;
        Span<byte> magic = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(magic, ArchiveNamespace.Magic);
        stream.Write(magic);
        _builder.Clear();
        Write(_builder
            .Append("concurrent_collections", concurrentCollections)
            .Append("version", ArchiveNamespace.FormatVersion)
            .Append("server_version", versions.Server ?? "unknown")
            .Append("tool_version", versions.Tool ?? ""));
        foreach (var collection in collections)
            WriteHead(collection);
        stream.Write(Terminator);
    }

    /// <summary>Writes one document, or oplog entry, of a namespace.</summary>
    public void Document(DumpNamespace collection, ReadOnlySpan<byte> document)
    {
        var progress = Open(collection);
        progress.Crc = Crc64Xz.Append(progress.Crc, document);
        _stream.Write(document);
    }

    /// <summary>Ends a namespace, also one without documents.</summary>
    public void End(DumpNamespace collection)
    {
        var progress = Open(collection);
        CloseSegment();
        WriteSegmentHeader(collection, isEnd: true, progress.Crc);
        _stream.Write(Terminator);
        progress.Ended = true;
    }

    /// <summary>Checks that each namespace was ended, and flushes.</summary>
    public void Complete()
    {
        foreach (var (name, progress) in _namespaces)
        {
            if (!progress.Ended)
                throw new InvalidOperationException($"{name} was not ended.");
        }

        _stream.Flush();
    }

    private Progress Open(DumpNamespace collection)
    {
        if (!_namespaces.TryGetValue(collection, out var progress) || progress.Ended)
            throw new InvalidOperationException($"{collection} is not in the archive's head, or was ended.");
        if (_open == collection)
            return progress;
        if (collection == ArchiveNamespace.Oplog && _namespaces.Any(other => other.Key != collection && !other.Value.Ended))
            throw new InvalidOperationException("The oplog comes after all other namespaces.");
        CloseSegment();
        WriteSegmentHeader(collection, isEnd: false, 0);
        _open = collection;
        return progress;
    }

    private void CloseSegment()
    {
        if (_open is null)
            return;
        _stream.Write(Terminator);
        _open = null;
    }

    private void WriteHead(ArchiveNamespace collection)
    {
        if (!_namespaces.TryAdd(collection.Data, new Progress()))
            throw new ArgumentException($"{collection.Name} stands twice.", nameof(collection));
        _builder.Clear();
        _builder.Append("db", collection.Name.Database).Append("collection", collection.Name.Collection).Append("metadata", collection.Metadata);
        // As Go's driver writes an int: the least type that holds it.
        if (collection.Size <= int.MaxValue)
            _builder.Append("size", (int)collection.Size);
        else
            _builder.Append("size", collection.Size);
        if (collection.Type is not null)
            _builder.Append("type", collection.Type);
        Write(_builder);
    }

    private void WriteSegmentHeader(DumpNamespace collection, bool isEnd, ulong crc)
    {
        _builder.Clear();
        Write(_builder.Append("db", collection.Database).Append("collection", collection.Collection).Append("EOF", isEnd).Append("CRC", unchecked((long)crc)));
    }

    private void Write(BsonBuilder builder) => _stream.Write(builder.Finish().Span);

    private sealed class Progress
    {
        public bool Ended { get; set; }

        public ulong Crc { get; set; }
    }
}
