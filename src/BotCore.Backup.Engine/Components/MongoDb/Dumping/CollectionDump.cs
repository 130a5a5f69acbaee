using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumping;

/// <summary>A collection that was read: its metadata, and its documents where it has any of its own.</summary>
/// <param name="Info">What it is.</param>
/// <param name="Metadata">What its metadata file says.</param>
/// <param name="Content">The documents, as an entry to be; null for a view.</param>
/// <param name="Set">Count and hash of them.</param>
internal sealed record DumpedCollection(CollectionInfo Info, CollectionMetadata Metadata, Func<ArchiveEntry, SourceItem>? Content, DocumentSet? Set);

/// <summary>
/// One attempt to read one collection, by several legs at once. A leg that fails makes the whole attempt void, since what it has read cannot be taken out of the spool
/// again; the next attempt begins with a new one. Its state is guarded by the crew's lock.
/// </summary>
internal sealed class CollectionDump(CollectionInfo info, string spillFolder) : IDisposable
{
    public CollectionInfo Info { get; } = info;

    /// <summary>What its metadata file will say; its indexes are those of the attempt.</summary>
    public CollectionMetadata? Metadata { get; set; }

    /// <summary>Where its documents are read: another name than its own once it was renamed.</summary>
    public required DumpNamespace ReadFrom { get; set; }

    public PackedSpool Spool { get; private set; } = new(spillFolder);

    public DocumentSetHash Set { get; private set; } = new();

    /// <summary>Legs of this attempt.</summary>
    public int Legs { get; set; }

    /// <summary>Legs that are still being read, or wait to be.</summary>
    public int OpenLegs { get; set; }

    public int Attempt { get; private set; } = 1;

    /// <summary>Why the attempt is void; null while it is not.</summary>
    public Exception? Failed { get; set; }

    /// <summary>The documents where all of them fit into one block; null otherwise.</summary>
    public byte[]? Small { get; set; }

    /// <summary>Begins anew.</summary>
    public void Restart()
    {
        Spool.Dispose();
        Spool = new PackedSpool(spillFolder);
        Set = new DocumentSetHash();
        Small = null;
        Failed = null;
        Attempt++;
    }

    public DumpedCollection Finish()
    {
        var set = new DocumentSet(Set.Count, Set.ToString());
        if (Small is { } small)
        {
            Spool.Dispose();
            return new DumpedCollection(Info, Metadata!, entry => new BufferedEntry(entry, small, set), set);
        }

        var spool = Spool;
        return new DumpedCollection(Info, Metadata!, entry => spool.ToEntry(entry, set), set);
    }

    public void Dispose() => Spool.Dispose();
}

/// <summary>A part of a collection that one thread reads: those documents that <paramref name="Filter"/> finds.</summary>
internal sealed record CollectionLeg(CollectionDump Dump, RawBson Filter);
