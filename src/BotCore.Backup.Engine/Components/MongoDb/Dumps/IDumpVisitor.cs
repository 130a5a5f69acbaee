namespace BotCore.Backup.Engine.Components.MongoDb.Dumps;

/// <summary>
/// Takes what a dump holds, as it is read. Calls never overlap, but may come from different threads, one after the other. A span is valid during the call only.
/// Every document was validated before; all metadata of a database comes before its documents, the oplog comes last. Namespaces may interleave.
/// An exception ends the reading and comes out of the reader unchanged.
/// </summary>
internal interface IDumpVisitor
{
    /// <summary>What wrote the dump, where it says so.</summary>
    void Versions(DumpVersions versions);

    /// <summary>A collection or view; at most once for each, and not at all where the dump has none.</summary>
    void Metadata(DumpNamespace collection, CollectionMetadata metadata);

    /// <summary>One document.</summary>
    void Document(DumpNamespace collection, ReadOnlySpan<byte> bson);

    /// <summary>All documents of a collection were given; once for each that the dump has documents of, even none. May come for a view, too.</summary>
    void End(DumpNamespace collection);

    /// <summary>One entry of the oplog slice, in its order.</summary>
    void Oplog(ReadOnlySpan<byte> entry);

    /// <summary>A file that is no part of the dump format; it was not read.</summary>
    void Other(string path);
}
