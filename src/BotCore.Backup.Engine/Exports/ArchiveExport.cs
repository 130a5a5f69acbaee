using BotCore.Backup.Engine.Components.MongoDb.Dumps;

namespace BotCore.Backup.Engine.Exports;

/// <summary>Passes a dump on to an archive stream, whose head is written already.</summary>
/// <param name="writer">The stream.</param>
/// <param name="all">All that its head lists, the oplog among it: what has no documents ends too, and before the oplog begins.</param>
internal sealed class ArchiveExport(ArchiveStreamWriter writer, IReadOnlyCollection<DumpNamespace> all) : IDumpVisitor
{
    private readonly HashSet<DumpNamespace> _ended = [];
    private bool _oplogBegan;

    public void Versions(DumpVersions versions)
    {
        // The head has them.
    }

    public void Metadata(DumpNamespace collection, CollectionMetadata metadata)
    {
        // The head has it.
    }

    public void Document(DumpNamespace collection, ReadOnlySpan<byte> bson) => writer.Document(collection, bson);

    public void End(DumpNamespace collection)
    {
        if (_ended.Add(collection))
            writer.End(collection);
    }

    public void Oplog(ReadOnlySpan<byte> entry)
    {
        if (!_oplogBegan)
            EndOthers();
        _oplogBegan = true;
        writer.Document(ArchiveNamespace.Oplog, entry);
    }

    public void Other(string path)
    {
        // No part of the dump.
    }

    /// <summary>Ends what is left.</summary>
    public void Complete()
    {
        EndOthers();
        if (all.Contains(ArchiveNamespace.Oplog))
            writer.End(ArchiveNamespace.Oplog);
        writer.Complete();
    }

    private void EndOthers()
    {
        foreach (var name in all.Where(name => name != ArchiveNamespace.Oplog))
            End(name);
    }
}
