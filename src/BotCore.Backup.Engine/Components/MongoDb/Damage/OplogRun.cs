using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Damage;

/// <summary>Where an entry stands.</summary>
/// <param name="At">Its time.</param>
/// <param name="Before">The entry before it, null where it is the first that is known.</param>
/// <param name="Location">The archive that it is in; null for the live oplog.</param>
/// <param name="Timeline">The history that it belongs to; null for a live oplog that hangs together with none.</param>
internal readonly record struct OplogPlace(BsonTimestamp At, BsonTimestamp? Before, string? Location, string? Timeline);

/// <summary>Deletes or updates of one collection that follow one another. One thread.</summary>
internal sealed class OplogRun(OplogEventKind kind, string ns, bool isRetryable, OplogPlace first)
{
    public OplogEventKind Kind => kind;

    public string Namespace => ns;

    public bool IsRetryable => isRetryable;

    public OplogPlace First => first;

    public BsonTimestamp Last { get; private set; } = first.At;

    public long Operations { get; private set; }

    /// <summary>Its documents.</summary>
    public DistinctCount Documents { get; } = new();

    /// <summary>Takes one operation; true where its document is one more that is kept.</summary>
    public bool Add(UInt128 id, BsonTimestamp at)
    {
        Last = at;
        Operations++;
        return Documents.Add(id);
    }

    public BotOplogEvent ToEvent() => OplogEventFinder.NewEvent(kind, ns, kind == OplogEventKind.MassDelete ? "delete" : "update", first, Last, Documents.Count) with
    {
        IsRetryable = isRetryable,
        IsEstimate = Documents.IsEstimate,
        // An oplog counts in whole seconds: what begins and ends in the same one took about that long.
        Rate = Operations < 2 ? null : Operations / Math.Max(1.0, (double)Last.Seconds - first.At.Seconds + 1),
    };
}
