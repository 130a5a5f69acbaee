using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Verification;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumps;

/// <summary>
/// A dump in a sealed archive: ours, or one of the old scripts'. Of ours only the needed members are read where not everything is asked for. One thread.
/// </summary>
internal sealed class SealedDump(BotBackup backup, ArchiveKeys keys, int threads) : IDumpSource
{
    private readonly Dictionary<(string Database, string Stem), DumpNamespace> _names = [];
    private readonly Dictionary<DumpNamespace, DocumentSet> _expected = [];
    private List<(IndexEntry Entry, DumpFile File)>? _index;
    private string? _root;

    public string Name => backup.Location;

    public long Size => backup.PlainSize?.Bytes ?? 0;

    /// <summary>The checksum that the manifest has of the archive; whoever proves or reads the dump holds the archive against it.</summary>
    public string? Identity => backup.Manifest?.Sha256;

    /// <summary>Whether members can be read one by one.</summary>
    private bool IsSelective => backup.Manifest is { Encryption: not Encryption.Recipients };

    public DocumentSet? Expected(DumpNamespace name) => _expected.GetValueOrDefault(name);

    public void Prove(IDumpVisitor visitor, NamespaceFilter wanted, Action<long> moved, CancellationToken token)
    {
        if (backup.Manifest is { } manifest)
        {
            if (!wanted.IsEverything && IsSelective)
            {
                new ArchiveProver(keys, threads).DemandGenuineIndex(backup, manifest, token);
                ReadIndex(token);
                Select(visitor, wanted.Wants, oplog: true, moved, token);
                return;
            }
        }

        var proof = Verify(visitor, wanted, moved, token);
        if (proof.Outcome != Outcome.Succeeded)
            throw new BackupException(proof.Failure ?? new Failure(FailureKind.ArchiveCorrupt, proof.Message, "Restore from another copy or an older backup.", backup));
    }

    /// <summary>Reads the whole archive and says what is true of it; flaws are in the result.</summary>
    public BotBackupVerification Verify(IDumpVisitor visitor, Action<long> moved, CancellationToken token) => Verify(visitor, NamespaceFilter.Everything, moved, token);

    private BotBackupVerification Verify(IDumpVisitor visitor, NamespaceFilter wanted, Action<long> moved, CancellationToken token)
    {
        if (backup.Manifest is null)
            FindRoot(token);
        using var entries = new DumpEntryVisitor(_root, _names, wanted.Wants, oplog: true, visitor);
        var proof = new ArchiveProver(keys, threads).Prove(backup, Depth.Archive, entries, moved, token);
        if (proof.Outcome == Outcome.Succeeded && backup.Manifest is not null)
            ReadIndex(token);
        return proof;
    }

    public void Read(IDumpVisitor visitor, Func<DumpNamespace, bool> documents, bool oplog, Action<long> moved, CancellationToken token)
    {
        if (_index is not null && IsSelective && _index.Exists(one => IsData(one.File) && !documents(NameOf(one.File, one.Entry.Path))))
        {
            Select(visitor, documents, oplog, moved, token);
            return;
        }

        using var stored = backup.Source.OpenRead(backup.Key, 0, token);
        using var entries = new DumpEntryVisitor(_root, _names, documents, oplog, visitor);
        new Unsealer(backup, keys, threads).Read(stored, entries, moved, token);
    }

    private static bool IsData(DumpFile file) => file.Kind is DumpFileKind.Data or DumpFileKind.UsersRolesVersion;

    private static bool IsMetadata(DumpFile file) => file.Kind is DumpFileKind.Metadata or DumpFileKind.MetadataCopy;

    private DumpNamespace NameOf(DumpFile file, EntryPath path)
    {
        if (_names.TryGetValue((file.Database, file.Stem), out var name))
            return name;
        return file.IsShortened ? throw DumpCorruption.Of(path.ToString(), "its name is shortened, and no metadata tells the whole one") : file.Namespace;
    }

    private void ReadIndex(CancellationToken token)
    {
        _index = [];
        using (var index = new Unsealer(backup, keys, threads).OpenIndex(token))
        {
            foreach (var entry in index.Read().OfType<IndexEntry>().Where(entry => entry.IsArchived))
            {
                var path = entry.Path.ToExactString() ?? "";
                _root ??= path.Split('/')[0];
                if (entry.Kind == EntryKind.File)
                    _index.Add((entry, DumpFile.Classify(path, _root)));
            }
        }

        // Names that are too long for a file stand in the metadata only.
        var unknown = _index.Where(one => one.File.IsShortened && !_names.ContainsKey((one.File.Database, one.File.Stem))).Select(one => one.File.Database).ToHashSet(StringComparer.Ordinal);
        var shortened = _index.Where(one => IsMetadata(one.File) && unknown.Contains(one.File.Database)).Select(one => one.Entry).ToList();
        if (shortened.Count > 0 && IsSelective)
            ReadSome(shortened, new DumpSurvey(NamespaceFilter.Everything), _ => { }, token);
        foreach (var (entry, file) in _index)
        {
            if (entry.Set is { } set && IsData(file))
                _expected[NameOf(file, entry.Path)] = set;
        }
    }

    private void Select(IDumpVisitor visitor, Func<DumpNamespace, bool> documents, bool oplog, Action<long> moved, CancellationToken token)
    {
        var wanted = _index!.Where(one => one.File.Kind switch
        {
            DumpFileKind.Prelude => true,
            DumpFileKind.Oplog => oplog,
            _ when IsData(one.File) || IsMetadata(one.File) => documents(NameOf(one.File, one.Entry.Path)),
            _ => false,
        }).Select(one => one.Entry).ToList();
        ReadSome(wanted, visitor, moved, token);
    }

    private void ReadSome(IReadOnlyList<IndexEntry> wanted, IDumpVisitor visitor, Action<long> moved, CancellationToken token)
    {
        using var entries = new DumpEntryVisitor(_root, _names, _ => true, oplog: true, visitor);
        new SelectiveUnsealer(backup, backup.Manifest!, keys).Read(wanted, entries, moved, token);
    }

    // An archive of another tool says neither where its root is nor, in time, what long names stand for: a pass of its own finds out.
    private void FindRoot(CancellationToken token)
    {
        var listing = new Listing();
        using (var stored = backup.Source.OpenRead(backup.Key, 0, token))
            new Unsealer(backup, keys, threads).Read(stored, listing, _ => { }, token);
        _root = DumpFile.FindRoot(listing.Paths);
        if (!listing.Paths.Exists(path => DumpFile.Classify(path, _root).Kind is DumpFileKind.Data or DumpFileKind.Metadata))
        {
            throw new BackupException(
                FailureKind.ArchiveCorrupt, $"'{backup.Location}' holds no dump of MongoDB: there is no .bson and no .metadata.json file in it.", "Choose the archive of a MongoDB backup.", backup);
        }

        if (!listing.Paths.Exists(path => DumpFile.Classify(path, _root).IsShortened))
            return;
        using var again = backup.Source.OpenRead(backup.Key, 0, token);
        using var naming = new DumpEntryVisitor(_root, _names, _ => false, oplog: false, new DumpSurvey(NamespaceFilter.Everything));
        new Unsealer(backup, keys, threads).Read(again, naming, _ => { }, token);
    }

    private sealed class Listing : IEntryVisitor
    {
        public List<string> Paths { get; } = [];

        public bool Begin(ArchiveEntry entry)
        {
            if (entry.Kind == EntryKind.File && entry.Path.ToExactString() is { } path)
                Paths.Add(path);
            return false;
        }

        public void Content(ReadOnlySpan<byte> content)
        {
            // Not wanted.
        }

        public void End(ArchiveEntry entry)
        {
            // Not wanted.
        }

        public void Abandon()
        {
            // Nothing was begun.
        }
    }
}
