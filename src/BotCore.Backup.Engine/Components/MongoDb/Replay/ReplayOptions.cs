using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Replay;

/// <summary>How a replay runs.</summary>
public sealed record ReplayOptions
{
    /// <summary>Connections that write at once.</summary>
    public int Lanes { get; init; } = 4;

    /// <summary>The last time that is applied, inclusive; null for all there is.</summary>
    public BsonTimestamp? UpTo { get; init; }

    /// <summary>How far an earlier replay of the same slice onto the same target had come. The slice is given from its beginning again: what was applied is read for what it says of collections, indexes and open transactions only.</summary>
    public ReplayCheckpoint? Resume { get; init; }

    /// <summary>Bytes of one applyOps, at most; one operation may be larger. Servers take 16 MiB.</summary>
    public int BatchBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>Operations of one applyOps, at most.</summary>
    public int BatchOperations { get; init; } = 2000;

    /// <summary>Bytes of open transactions held in memory; more goes to a spill file.</summary>
    public long TransactionBudget { get; init; } = 32 * 1024 * 1024;

    /// <summary>Where the spill file is made.</summary>
    public string SpillFolder { get; init; } = Path.GetTempPath();

    /// <summary>Whether each transaction is applied by one applyOps of its own, where it fits into one, with nothing beside it. Nobody reads a database while it is restored, so it makes no difference to the outcome; it costs a round trip each.</summary>
    public bool AtomicTransactions { get; init; } = true;

    /// <summary>Entries between two calls of <see cref="Checkpoint"/>, at least.</summary>
    public int CheckpointEvery { get; init; } = 1000;

    /// <summary>Time between two calls of <see cref="Checkpoint"/>, at least; those around commands come besides.</summary>
    public TimeSpan CheckpointInterval { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// Called on the thread that pushes entries: now and then, before a command that changes collections is sent, and before anything is sent after it, so that of one command at most
    /// it is not known whether it was done. A caller that wants to resume must keep what it is given before it returns.
    /// </summary>
    public Action<ReplayCheckpoint>? Checkpoint { get; init; }
}

/// <summary>How far a replay has come.</summary>
/// <param name="AppliedTo">Everything up to this time, inclusive, is applied.</param>
/// <param name="Awaited">Documents that an update did not find, and whose delete must still come.</param>
public sealed record ReplayCheckpoint(BsonTimestamp AppliedTo, IReadOnlyList<AwaitedDelete> Awaited)
{
    /// <summary>How many commands of the entry after <see cref="AppliedTo"/> are applied, with all that stands before them in it. An <c>applyOps</c> may hold several.</summary>
    public int Commands { get; init; }
}

/// <summary>A document whose delete must still come.</summary>
/// <param name="Namespace">The source's name of its collection.</param>
/// <param name="Document">A hash of its _id.</param>
/// <param name="Since">Time of the update that did not find it.</param>
public readonly record struct AwaitedDelete(string Namespace, UInt128 Document, BsonTimestamp Since);
