using System.Runtime.InteropServices;
using System.Text;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Compression;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumps;

/// <summary>
/// Reads what <c>mongodump --archive</c> wrote, with or without --gzip (then the whole stream is gzip data). Checks the CRC of every namespace, and that each namespace
/// of the head came to its end. Delivers on the caller's thread. Not thread-safe. Source: mongodb/mongo-tools, common/archive.
/// </summary>
internal sealed class ArchiveStreamReader
{
    private readonly string _target;
    private readonly IDumpVisitor _visitor;
    private readonly ArchiveBlocks _blocks;
    private readonly Dictionary<DumpNamespace, Progress> _namespaces = [];
    private readonly CancellationToken _token;

    private ArchiveStreamReader(Stream stream, string target, IDumpVisitor visitor, CancellationToken token)
    {
        _target = target;
        _visitor = visitor;
        _blocks = new ArchiveBlocks(stream, target);
        _token = token;
    }

    /// <summary>Reads the stream to its end and leaves it open. <paramref name="target"/> is named in errors.</summary>
    public static void Read(Stream stream, string target, IDumpVisitor visitor, CancellationToken token)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(visitor);
        var head = new byte[2];
        var length = stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        var whole = new PassingStream(stream, head.AsMemory(0, length));
        if (head is not [0x1F, 0x8B])
        {
            new ArchiveStreamReader(whole, target, visitor, token).ReadAll();
            return;
        }

        using var gzip = new GzipReader(whole, leaveOpen: true);
        new ArchiveStreamReader(gzip, target, visitor, token).ReadAll();
    }

    private void ReadAll()
    {
        if (_blocks.ReadMagic() != ArchiveNamespace.Magic)
            throw DumpCorruption.Of(_target, "it does not begin as mongodump --archive begins");
        ReadHeader();
        var collections = ReadCollections();
        foreach (var collection in collections)
        {
            if (collection.Metadata.Length == 0)
                continue;
            var metadata = CollectionMetadata.Parse(Encoding.UTF8.GetBytes(collection.Metadata), $"{_target}, {collection.Name}");
            // Old tools write nothing more of a view.
            _namespaces[collection.Name].MayBeAbsent = metadata.EffectiveType is CollectionMetadata.View or CollectionMetadata.TimeSeries;
            // The documents of a time-series collection run under the name of its buckets, which the head does not list.
            if (metadata.EffectiveType is CollectionMetadata.TimeSeries)
                _namespaces.TryAdd((collection with { Type = CollectionMetadata.TimeSeries }).Data, new Progress());
            _visitor.Metadata(collection.Name, metadata);
        }

        while (!_blocks.AtEnd())
            ReadSegment();

        foreach (var (name, progress) in _namespaces)
        {
            if (!progress.Ended && (progress.Started || !progress.MayBeAbsent))
                throw DumpCorruption.At(_target, _blocks.Offset, $"it is cut off: {name} has no end");
        }
    }

    private void ReadHeader()
    {
        var at = _blocks.Offset;
        if (!_blocks.Next(DocumentSplitter.LongestDocument, out var header))
            throw DumpCorruption.At(_target, at, "there is no header");
        var version = Text(header, "version"u8, at);
        if (version is not ArchiveNamespace.FormatVersion)
            throw DumpCorruption.At(_target, at, $"the format's version is {version}, where only {ArchiveNamespace.FormatVersion} is known");
        var server = RawBson.TryFind(header, "server_version"u8, out var element) && element.Type == BsonType.String ? element.AsString() : null;
        var tool = RawBson.TryFind(header, "tool_version"u8, out element) && element.Type == BsonType.String ? element.AsString() : null;
        _visitor.Versions(new DumpVersions(DumpVersions.Known(server), DumpVersions.Known(tool)));
    }

    private List<ArchiveNamespace> ReadCollections()
    {
        var collections = new List<ArchiveNamespace>();
        for (var at = _blocks.Offset; _blocks.Next(DocumentSplitter.LongestDocument, out var document); at = _blocks.Offset)
        {
            _token.ThrowIfCancellationRequested();
            var name = new DumpNamespace(Text(document, "db"u8, at), Text(document, "collection"u8, at));
            var metadata = RawBson.TryFind(document, "metadata"u8, out var element) && element.Type == BsonType.String ? element.AsString() : "";
            var size = RawBson.TryFind(document, "size"u8, out element) && element.IsNumber ? element.AsInt64() : 0;
            var type = RawBson.TryFind(document, "type"u8, out element) && element.Type == BsonType.String ? element.AsString() : null;
            if (!_namespaces.TryAdd(name, new Progress()))
                throw DumpCorruption.At(_target, at, $"{name} stands twice in its head");
            collections.Add(new ArchiveNamespace(name, metadata, size, type));
        }

        return collections;
    }

    private void ReadSegment()
    {
        var at = _blocks.Offset;
        if (!_blocks.Next(DocumentSplitter.LongestDocument, out var header))
            throw DumpCorruption.At(_target, at, "a terminator stands where a namespace should begin");
        var name = new DumpNamespace(Text(header, "db"u8, at), Text(header, "collection"u8, at));
        if (!RawBson.TryFind(header, "EOF"u8, out var end) || end.Type != BsonType.Boolean || !RawBson.TryFind(header, "CRC"u8, out var crc) || crc.Type != BsonType.Int64)
            throw DumpCorruption.At(_target, at, "what should head a run of documents is none");

        // Not every writer lists what it sends, such as users of one database.
        ref var progress = ref CollectionsMarshal.GetValueRefOrAddDefault(_namespaces, name, out _);
        progress ??= new Progress();
        if (progress.Ended)
            throw DumpCorruption.At(_target, at, $"{name} goes on after its end");
        progress.Started = true;
        if (end.AsBoolean())
            End(name, progress, unchecked((ulong)crc.AsInt64()), at);
        else
            ReadDocuments(name, progress);
    }

    private void ReadDocuments(DumpNamespace name, Progress progress)
    {
        var isOplog = name == ArchiveNamespace.Oplog;
        var longest = isOplog ? DocumentSplitter.LongestOplogEntry : DocumentSplitter.LongestDocument;
        while (_blocks.Next(longest, out var document))
        {
            _token.ThrowIfCancellationRequested();
            progress.Crc = Crc64Xz.Append(progress.Crc, document);
            if (isOplog)
                _visitor.Oplog(document);
            else
                _visitor.Document(name, document);
        }
    }

    private void End(DumpNamespace name, Progress progress, ulong crc, long at)
    {
        if (progress.Crc != crc)
            throw DumpCorruption.At(_target, at, $"the checksum of {name} is {crc:x16}, and its documents have {progress.Crc:x16}");
        progress.Ended = true;
        at = _blocks.Offset;
        if (_blocks.Next(DocumentSplitter.LongestDocument, out _))
            throw DumpCorruption.At(_target, at, $"a document follows the end of {name}");
        if (name != ArchiveNamespace.Oplog)
            _visitor.End(name);
    }

    private string Text(ReadOnlySpan<byte> document, ReadOnlySpan<byte> name, long at) =>
        RawBson.TryFind(document, name, out var element) && element.Type == BsonType.String
            ? element.AsString()
            : throw DumpCorruption.At(_target, at, $"a header has no text '{Encoding.UTF8.GetString(name)}'");

    private sealed class Progress
    {
        public bool Started { get; set; }

        public bool Ended { get; set; }

        public bool MayBeAbsent { get; set; }

        public ulong Crc { get; set; }
    }
}
