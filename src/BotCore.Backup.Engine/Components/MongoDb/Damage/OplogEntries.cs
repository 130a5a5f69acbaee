using BotCore.Backup.Engine.Components.MongoDb.Dumps;

namespace BotCore.Backup.Engine.Components.MongoDb.Damage;

/// <summary>Takes the oplog of a dump, and nothing else of it.</summary>
internal sealed class OplogEntries(OplogEntries.Take take) : IDumpVisitor
{
    public delegate void Take(ReadOnlySpan<byte> entry);

    /// <summary>Asks for no collection: of an archive of ours only the oplog's members are read then.</summary>
    public static NamespaceFilter NoCollection { get; } = new([], ["*"]);

    public void Versions(DumpVersions versions)
    {
        // Not asked for.
    }

    public void Metadata(DumpNamespace collection, CollectionMetadata metadata)
    {
        // Not asked for.
    }

    public void Document(DumpNamespace collection, ReadOnlySpan<byte> bson)
    {
        // Not asked for.
    }

    public void End(DumpNamespace collection)
    {
        // Not asked for.
    }

    public void Oplog(ReadOnlySpan<byte> entry) => take(entry);

    public void Other(string path)
    {
        // No part of the dump.
    }
}
