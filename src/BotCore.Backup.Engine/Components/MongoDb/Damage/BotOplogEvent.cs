using System.Globalization;

namespace BotCore.Backup.Engine.Components.MongoDb.Damage;

/// <summary>What an event in an oplog did.</summary>
public enum OplogEventKind
{
    /// <summary>Never found.</summary>
    Unknown = 0,

    /// <summary>A collection, view or database was dropped, or replaced by a rename onto its name.</summary>
    Drop,

    /// <summary>Many documents of one collection were deleted in a row.</summary>
    MassDelete,

    /// <summary>Many documents of one collection were changed in a row.</summary>
    MassUpdate,

    /// <summary>A collection was made, renamed or changed, or its indexes were.</summary>
    Schema,
}

/// <summary>
/// Something in an oplog that may have been damage, and the last moment before it. Found by Find-BotOplogEvent; Restore-BotBackup -Before and Restore-BotDocument take it. Immutable.
/// </summary>
public sealed record BotOplogEvent
{
    /// <summary>What it did.</summary>
    public required OplogEventKind Kind { get; init; }

    /// <summary><c>database.collection</c>; the database alone where all of it was dropped.</summary>
    public required string Namespace { get; init; }

    /// <summary>The command, in the server's words: <c>drop</c>, <c>dropDatabase</c>, <c>renameCollection</c>, <c>delete</c>, <c>update</c>, <c>collMod</c>.</summary>
    public required string Command { get; init; }

    /// <summary>Its first entry, <c>seconds:ordinal</c>.</summary>
    public required string First { get; init; }

    /// <summary>Its last entry, <c>seconds:ordinal</c>.</summary>
    public required string Last { get; init; }

    /// <summary>The entry before <see cref="First"/>: the last moment without it. Null where it is the first that is stored.</summary>
    public required string? LastGood { get; init; }

    /// <summary>When it began, UTC.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>Documents that it concerns, each counted once; of a drop what the server wrote down; 1 for a definition, and where nobody counted.</summary>
    public required long Count { get; init; }

    /// <summary>Whether <see cref="Count"/> is an estimate (good to about 1 %), as it is beyond what is counted one by one.</summary>
    public bool IsEstimate { get; init; }

    /// <summary>
    /// Whether a mass of deletes or updates came as retryable single statements of a driver, whose entries carry <c>lsid</c> and <c>txnNumber</c>. <c>deleteMany</c> and
    /// <c>updateMany</c> cannot be retried and carry neither, so what an application wrote alongside is told from them. What a transaction wrote carries neither inside of it, and counts
    /// as not retryable.
    /// </summary>
    public bool IsRetryable { get; init; }

    /// <summary>Operations a second, from the first to the last; null where it is a single one.</summary>
    public double? Rate { get; init; }

    /// <summary>The history of the server that it was found in; null where it was found in a live oplog that hangs together with no stored history.</summary>
    public string? Timeline { get; init; }

    /// <summary>The archive that holds its first entry; null for the live oplog.</summary>
    public string? Location { get; init; }

    /// <summary>For people.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Command} of {Namespace} at {First} ({Time:u}), {Count:N0}");
}
