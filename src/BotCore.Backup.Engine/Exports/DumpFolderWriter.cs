using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Outside.Posix;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Engine.Exports;

/// <summary>Writes a dump as a folder that mongorestore takes. Every file is on the disk when <see cref="Complete"/> returns. One thread at a time.</summary>
internal sealed class DumpFolderWriter(string root) : IDumpVisitor, IDisposable
{
    private const int BufferSize = 1 << 18;

    private readonly Dictionary<DumpNamespace, (FileStream File, BufferedStream Content)> _open = [];
    private readonly HashSet<DumpNamespace> _views = [];
    private readonly HashSet<string> _folders = new(StringComparer.Ordinal);

    /// <summary>Makes the folder, and all in it that is not documents.</summary>
    public void Begin(DumpSurvey found)
    {
        PrivateFiles.MakeFolder(root);
        if (found.From is { } versions)
            WriteText(DumpFileName.Prelude, versions.ToJson());
        foreach (var (name, metadata) in found.Collections)
        {
            if (metadata.EffectiveType is CollectionMetadata.View)
                _views.Add(name);
            WriteText(PathOf(name) + DumpFileName.MetadataSuffix, metadata.ToJson());
            if (metadata.NeedsBsonCopy)
                WriteText(PathOf(name) + DumpFileName.MetadataCopySuffix, metadata.ToBson().Span);
        }

        // An oplog without entries is one, too.
        if (found.Scan is not null)
            ContentOf(ArchiveNamespace.Oplog);
    }

    public void Versions(DumpVersions versions)
    {
        // Written before.
    }

    public void Metadata(DumpNamespace collection, CollectionMetadata metadata)
    {
        // Written before.
    }

    public void Document(DumpNamespace collection, ReadOnlySpan<byte> bson) => ContentOf(collection).Write(bson);

    public void End(DumpNamespace collection)
    {
        // A view may end, too, and has no file.
        if (!_views.Contains(collection))
            ContentOf(collection);
        Close(collection);
    }

    public void Oplog(ReadOnlySpan<byte> entry) => ContentOf(ArchiveNamespace.Oplog).Write(entry);

    public void Other(string path)
    {
        // No part of the dump.
    }

    /// <summary>Closes what is open, and waits for the disk.</summary>
    public void Complete()
    {
        foreach (var name in _open.Keys.ToList())
            Close(name);
        foreach (var folder in _folders)
            DurableFile.FsyncDirectory(Path.Combine(root, folder));
        DurableFile.FsyncDirectory(root);
    }

    public void Dispose()
    {
        foreach (var (file, _) in _open.Values)
            file.Dispose();
        _open.Clear();
    }

    private Stream ContentOf(DumpNamespace name)
    {
        if (_open.TryGetValue(name, out var open))
            return open.Content;
        var file = ExportPlace.Create(Path.Combine(root, name == ArchiveNamespace.Oplog ? DumpFileName.Oplog : PathOf(name) + DumpFileName.DataSuffix));
        var content = new BufferedStream(file, BufferSize);
        _open.Add(name, (file, content));
        return content;
    }

    private void Close(DumpNamespace name)
    {
        if (!_open.Remove(name, out var open))
            return;
        using (open.File)
        {
            open.Content.Flush();
            ExportPlace.Close(open.File);
        }
    }

    private void WriteText(string path, ReadOnlySpan<byte> text)
    {
        using var file = ExportPlace.Create(Path.Combine(root, path));
        file.Write(text);
        ExportPlace.Close(file);
    }

    // A name of a database that could lead out of the folder is refused by the server, and so never honest here.
    private string PathOf(DumpNamespace name)
    {
        if (name.Database is "" or "." or ".." || name.Database.AsSpan().IndexOfAny("/\\\0") >= 0)
            throw DumpCorruption.Of(name.ToString(), "its database has a name that no database can have");
        if (_folders.Add(name.Database))
            PrivateFiles.MakeFolder(Path.Combine(root, name.Database));
        // Users of one database keep the dollar in their name, as the stock tools write it.
        var stem = name.Collection.StartsWith("$admin.", StringComparison.Ordinal) ? name.Collection : DumpFileName.Escape(name.Collection);
        return Path.Combine(name.Database, stem);
    }
}
