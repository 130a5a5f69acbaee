using BotCore.Backup.Engine.Archives;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumps;

/// <summary>The entries of an archive as the dump that they are. One thread.</summary>
/// <param name="root">The folder that the dump lies in; null takes the first part of the first path.</param>
/// <param name="names">True names of collections whose file names are shortened, by database and stem; is added to.</param>
/// <param name="documents">Whose documents are wanted.</param>
/// <param name="oplog">Whether the oplog is.</param>
/// <param name="visitor">Gets it.</param>
internal sealed class DumpEntryVisitor(
    string? root, Dictionary<(string Database, string Stem), DumpNamespace> names, Func<DumpNamespace, bool> documents, bool oplog, IDumpVisitor visitor) : IEntryVisitor, IDisposable
{
    private string? _root = root;
    private DumpFileContent? _content;

    public bool Begin(ArchiveEntry entry)
    {
        var path = entry.Path.ToExactString() ?? throw DumpCorruption.Of(entry.Path.ToString(), "its name is not text, as every name in a dump is");
        _root ??= path.Split('/')[0];
        if (entry.Kind == EntryKind.Directory)
            return false;
        if (entry.Kind != EntryKind.File)
            throw DumpCorruption.Of(path, $"it is a {entry.Kind}, and a dump has files and folders only");
        var file = DumpFile.Classify(path, _root);
        switch (file.Kind)
        {
            case DumpFileKind.Other or DumpFileKind.BackupMetadata:
                visitor.Other(path);
                return false;
            case DumpFileKind.Metadata or DumpFileKind.MetadataCopy:
                _content = new DumpFileContent(file, file.Namespace, path, new Naming(file, path, names, visitor));
                return true;
            case DumpFileKind.Oplog when !oplog:
                return false;
            case DumpFileKind.Data or DumpFileKind.UsersRolesVersion:
                var name = Naming.TrueName(file, path, names);
                if (!documents(name))
                    return false;
                _content = new DumpFileContent(file, name, path, visitor);
                return true;
            default:
                _content = new DumpFileContent(file, file.Namespace, path, visitor);
                return true;
        }
    }

    public void Content(ReadOnlySpan<byte> content) => _content!.Write(content);

    public void End(ArchiveEntry entry)
    {
        _content!.Complete();
        Abandon();
    }

    public void Abandon()
    {
        _content?.Dispose();
        _content = null;
    }

    public void Dispose() => Abandon();

    // Metadata tells a collection's true name, so it is looked at before it goes on.
    private sealed class Naming(DumpFile file, string path, Dictionary<(string Database, string Stem), DumpNamespace> names, IDumpVisitor next) : IDumpVisitor
    {
        public static DumpNamespace TrueName(DumpFile file, string path, Dictionary<(string Database, string Stem), DumpNamespace> names)
        {
            if (names.TryGetValue((file.Database, file.Stem), out var name))
                return name;
            return file.IsShortened ? throw DumpCorruption.Of(path, "its name is shortened, and no metadata tells the whole one") : file.Namespace;
        }

        public void Metadata(DumpNamespace collection, CollectionMetadata metadata)
        {
            var name = collection;
            if (file.IsShortened)
            {
                var whole = metadata.CollectionName ?? (names.TryGetValue((file.Database, file.Stem), out var known) ? known.Collection : null);
                if (whole is null || !string.Equals(DumpFileName.Escape(whole), file.Stem, StringComparison.Ordinal))
                    throw DumpCorruption.Of(path, "its name is shortened, and its content does not tell the whole one");
                name = new DumpNamespace(file.Database, whole);
                names[(file.Database, file.Stem)] = name;
                // The data of a time-series collection has a name of its own, which is shortened otherwise.
                var buckets = Dumping.CollectionRules.BucketPrefix + whole;
                names[(file.Database, DumpFileName.Escape(buckets))] = new DumpNamespace(file.Database, buckets);
            }
            else if (string.Equals(metadata.EffectiveType, CollectionMetadata.TimeSeries, StringComparison.Ordinal))
            {
                var buckets = Dumping.CollectionRules.BucketPrefix + name.Collection;
                names[(file.Database, DumpFileName.Escape(buckets))] = new DumpNamespace(file.Database, buckets);
            }

            next.Metadata(name, metadata);
        }

        public void Versions(DumpVersions versions) => next.Versions(versions);

        public void Document(DumpNamespace collection, ReadOnlySpan<byte> bson) => next.Document(collection, bson);

        public void End(DumpNamespace collection) => next.End(collection);

        public void Oplog(ReadOnlySpan<byte> entry) => next.Oplog(entry);

        public void Other(string other) => next.Other(other);
    }
}
