using BotCore.Backup.Engine.Components.MongoDb.Dumps;

namespace BotCore.Backup.Engine.Components.MongoDb.Restoring;

/// <summary>How one collection or view comes back.</summary>
internal enum RestoreWay
{
    /// <summary>Never set on purpose.</summary>
    Unknown = 0,

    /// <summary>Written under another name, compared, and then swapped in.</summary>
    Staged,

    /// <summary>Dropped and written plainly, last: it cannot be renamed (time-series collections, system.js).</summary>
    Plain,

    /// <summary>A definition without documents.</summary>
    View,
}

/// <summary>One collection or view to restore.</summary>
/// <param name="From">Its name in the dump.</param>
/// <param name="To">Its name at the target.</param>
/// <param name="Way">How.</param>
/// <param name="Metadata">Options and indexes.</param>
/// <param name="Set">The documents that the dump has of it; null for a view.</param>
internal sealed record RestoreItem(DumpNamespace From, DumpNamespace To, RestoreWay Way, CollectionMetadata Metadata, DocumentSetHash? Set)
{
    /// <summary>Where the dump has its documents: of a time-series collection, its buckets.</summary>
    public DumpNamespace Data => IsTimeSeries ? From with { Collection = Dumping.CollectionRules.BucketPrefix + From.Collection } : From;

    /// <summary>Where its documents go in the end.</summary>
    public DumpNamespace DataTarget => IsTimeSeries ? To with { Collection = Dumping.CollectionRules.BucketPrefix + To.Collection } : To;

    public bool IsTimeSeries => string.Equals(Metadata.EffectiveType, CollectionMetadata.TimeSeries, StringComparison.Ordinal);

    public bool IsCapped => Metadata.Options.IsTrue("capped"u8);
}
