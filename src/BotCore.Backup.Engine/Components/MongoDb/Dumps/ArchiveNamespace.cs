namespace BotCore.Backup.Engine.Components.MongoDb.Dumps;

/// <summary>One collection in the head of an archive stream.</summary>
/// <param name="Name">The collection; <see cref="Oplog"/> for the oplog.</param>
/// <param name="Metadata">Text of its metadata file; empty for the oplog.</param>
/// <param name="Size">Bytes of its documents as far as known, for progress bars only; mongodump writes 0.</param>
/// <param name="Type">collection, view or timeseries; empty for the oplog; null where the writer is too old to say.</param>
internal sealed record ArchiveNamespace(DumpNamespace Name, string Metadata, long Size, string? Type)
{
    /// <summary>Under what name its documents run: a time-series collection's are those of its buckets.</summary>
    public DumpNamespace Data => Type is CollectionMetadata.TimeSeries ? Name with { Collection = Dumping.CollectionRules.BucketPrefix + Name.Collection } : Name;

    /// <summary>The first bytes of a stream, as a little-endian number.</summary>
    public const uint Magic = 0x8199_E26D;

    /// <summary>The length that stands where a document would begin, and ends a list.</summary>
    public const int Terminator = -1;

    /// <summary>The only version of the format there is.</summary>
    public const string FormatVersion = "0.1";

    /// <summary>The name of the oplog in a stream.</summary>
    public static readonly DumpNamespace Oplog = new("", "oplog");
}
