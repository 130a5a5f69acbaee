using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumps;

/// <summary>What reading a dump once found in it: every collection with its metadata, count and hash, and what the oplog spans. Memory grows with the collections only.</summary>
internal sealed class DumpSurvey(NamespaceFilter wanted) : IDumpVisitor
{
    private readonly Dictionary<DumpNamespace, CollectionMetadata> _metadata = [];
    private readonly Dictionary<DumpNamespace, DocumentSetHash> _sets = [];

    /// <summary>What wrote it, where it says so.</summary>
    public DumpVersions? From { get; private set; }

    /// <summary>The oplog; null where there is none.</summary>
    public ReplayScan? Scan { get; private set; }

    /// <summary>What the oplog defines beside documents.</summary>
    public SliceDefinitions Slice { get; } = new();

    /// <summary>Every database that the dump or its oplog has something of.</summary>
    public IEnumerable<string> Databases => _metadata.Keys.Concat(_sets.Keys).Concat(Slice.Made).Concat(Slice.Views.Keys).Select(name => name.Database).Distinct(StringComparer.Ordinal);

    /// <summary>Metadata of collections and views; a collection of an old dump may have none.</summary>
    public IReadOnlyDictionary<DumpNamespace, CollectionMetadata> Collections => _metadata;

    /// <summary>The documents of each file of documents.</summary>
    public IReadOnlyDictionary<DumpNamespace, DocumentSetHash> Sets => _sets;

    public long Documents => _sets.Values.Sum(set => set.Count);

    public long Bytes => _sets.Values.Sum(set => set.Bytes);

    public void Versions(DumpVersions versions) => From = versions;

    public void Metadata(DumpNamespace collection, CollectionMetadata metadata)
    {
        // JSON and its BSON copy tell of the same collection; the copy comes last and is the exact one.
        if (wanted.Wants(collection))
            _metadata[collection] = metadata;
    }

    public void Document(DumpNamespace collection, ReadOnlySpan<byte> bson) => SetOf(collection).Add(bson);

    public void End(DumpNamespace collection)
    {
        // A view may end, too, and has no documents.
        if (!_metadata.TryGetValue(collection, out var metadata) || string.Equals(metadata.EffectiveType, CollectionMetadata.Collection, StringComparison.Ordinal))
            SetOf(collection);
    }

    public void Oplog(ReadOnlySpan<byte> entry)
    {
        Scan ??= new ReplayScan(new NamespaceMap(wanted.IsEverything ? null : name => wanted.Wants(Split(name))));
        Scan.Add(entry);
        Slice.Add(entry);
    }

    public void Other(string path)
    {
        // No part of the dump.
    }

    /// <summary>Compares with what the dump itself says of its collections; throws at the first that differs.</summary>
    public void Compare(IDumpSource source)
    {
        foreach (var (name, set) in _sets)
        {
            if (source.Expected(name) is { } expected && (expected.Documents != set.Count || !string.Equals(expected.Hash, set.ToString(), StringComparison.Ordinal)))
            {
                throw new BackupException(
                    FailureKind.ManifestMismatch,
                    $"{name} in {source.Name} has {set.Count} documents with hash {set}, and its index says {expected.Documents} with {expected.Hash}.",
                    "Restore from another copy or an older backup.",
                    source.Name);
            }
        }
    }

    private static DumpNamespace Split(string name) => new(NamespaceMap.DatabaseOf(name), NamespaceMap.CollectionOf(name));

    private DocumentSetHash SetOf(DumpNamespace collection)
    {
        if (!_sets.TryGetValue(collection, out var set))
            _sets.Add(collection, set = new DocumentSetHash());
        return set;
    }
}
