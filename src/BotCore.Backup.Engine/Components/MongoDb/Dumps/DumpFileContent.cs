namespace BotCore.Backup.Engine.Components.MongoDb.Dumps;

/// <summary>
/// The content of one file of a dump, pushed in pieces, to a visitor: gunzipped where it is gzip data, cut and validated. For files of which the visitor wants nothing
/// (<see cref="DumpFileKind.Other"/>, <see cref="DumpFileKind.BackupMetadata"/>) there is nothing to push. Threads as <see cref="GzipContent"/> says: one file at a time.
/// </summary>
internal sealed class DumpFileContent : IDisposable
{
    // Thousands of indexes and a long validator stay far below it.
    private const int LongestText = 64 * 1024 * 1024;

    private readonly DumpFile _file;
    private readonly DumpNamespace _collection;
    private readonly string _target;
    private readonly IDumpVisitor _visitor;
    private readonly GzipContent _content;
    private readonly DocumentSplitter? _documents;
    private readonly MemoryStream? _text;

    /// <summary><paramref name="target"/> is the path that errors name. <paramref name="collection"/> is the true one, where the name is shortened.</summary>
    public DumpFileContent(DumpFile file, DumpNamespace collection, string target, IDumpVisitor visitor)
    {
        (_file, _collection, _target, _visitor) = (file, collection, target, visitor);
        switch (file.Kind)
        {
            case DumpFileKind.Data or DumpFileKind.UsersRolesVersion:
                _documents = new DocumentSplitter(target, DocumentSplitter.LongestDocument, document => visitor.Document(collection, document));
                break;
            case DumpFileKind.Oplog:
                _documents = new DocumentSplitter(target, DocumentSplitter.LongestOplogEntry, visitor.Oplog);
                break;
            case DumpFileKind.Metadata or DumpFileKind.MetadataCopy or DumpFileKind.Prelude:
                _text = new MemoryStream();
                break;
            default:
                throw new ArgumentException($"A file of kind {file.Kind} has no content for a visitor.", nameof(file));
        }

        _content = new GzipContent(target, file.IsGzip, _documents is null ? Collect : _documents.Write);
    }

    /// <summary>Takes the next piece.</summary>
    public void Write(ReadOnlySpan<byte> piece) => _content.Write(piece);

    /// <summary>Says that the file ends; returns when the visitor has all of it, <see cref="IDumpVisitor.End"/> included.</summary>
    public void Complete()
    {
        _content.Complete();
        _documents?.Complete();
        switch (_file.Kind)
        {
            case DumpFileKind.Data or DumpFileKind.UsersRolesVersion:
                _visitor.End(_collection);
                break;
            case DumpFileKind.Metadata:
                _visitor.Metadata(_collection, CollectionMetadata.Parse(Text, _target));
                break;
            case DumpFileKind.MetadataCopy:
                _visitor.Metadata(_collection, CollectionMetadata.ParseCopy(Text, _target));
                break;
            case DumpFileKind.Prelude:
                _visitor.Versions(DumpVersions.Parse(Text, _target));
                break;
            default:
                break;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _content.Dispose();
        _text?.Dispose();
    }

    private ReadOnlySpan<byte> Text => _text!.GetBuffer().AsSpan(0, (int)_text.Length);

    private void Collect(ReadOnlySpan<byte> piece)
    {
        if (_text!.Length + piece.Length > LongestText)
            throw DumpCorruption.Of(_target, $"it is longer than {LongestText} bytes, which no metadata is");
        _text.Write(piece);
    }
}
