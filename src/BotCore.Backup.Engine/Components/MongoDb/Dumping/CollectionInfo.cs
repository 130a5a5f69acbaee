using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumping;

/// <summary>What listCollections says of one collection, view or time-series collection.</summary>
/// <param name="Namespace">Its name.</param>
/// <param name="Type">collection, view or timeseries.</param>
/// <param name="Options">As the server has them.</param>
/// <param name="Uuid">32 hex digits; null for views.</param>
internal sealed record CollectionInfo(DumpNamespace Namespace, string Type, RawBson Options, string? Uuid)
{
    public bool IsView => string.Equals(Type, "view", StringComparison.Ordinal);

    public bool IsTimeSeries => string.Equals(Type, "timeseries", StringComparison.Ordinal);

    public bool IsCapped => Options.IsTrue("capped"u8);

    /// <summary>Where its documents are; null where it has none of its own.</summary>
    public DumpNamespace? Data => IsView ? null : IsTimeSeries ? Namespace with { Collection = CollectionRules.BucketPrefix + Namespace.Collection } : Namespace;
}
