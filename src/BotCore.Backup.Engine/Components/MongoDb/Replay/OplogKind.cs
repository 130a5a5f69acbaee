namespace BotCore.Backup.Engine.Components.MongoDb.Replay;

/// <summary>What an oplog entry is to a replay: the rows of the table "Replay" in MONGODB.md.</summary>
public enum OplogKind
{
    /// <summary>Nothing that is known: it cannot be replayed, and the plan says so.</summary>
    Unknown = 0,

    /// <summary><c>n</c>: says that time went by.</summary>
    NoOp,

    /// <summary><c>i</c>.</summary>
    Insert,

    /// <summary><c>u</c>.</summary>
    Update,

    /// <summary><c>d</c>.</summary>
    Delete,

    /// <summary><c>applyOps</c> of a session's transaction, or a part of one.</summary>
    Transaction,

    /// <summary><c>applyOps</c> that is to be applied at once.</summary>
    ApplyOps,

    /// <summary><c>commitTransaction</c> of a prepared one.</summary>
    CommitTransaction,

    /// <summary><c>abortTransaction</c>.</summary>
    AbortTransaction,

    /// <summary><c>create</c>.</summary>
    Create,

    /// <summary><c>createIndexes</c>.</summary>
    CreateIndexes,

    /// <summary><c>commitIndexBuild</c>: the index stands from here on.</summary>
    CommitIndexBuild,

    /// <summary><c>dropIndexes</c> and its older names.</summary>
    DropIndexes,

    /// <summary><c>collMod</c>.</summary>
    CollectionChange,

    /// <summary><c>drop</c>.</summary>
    Drop,

    /// <summary><c>dropDatabase</c>.</summary>
    DropDatabase,

    /// <summary><c>renameCollection</c>.</summary>
    Rename,

    /// <summary><c>convertToCapped</c> or <c>emptycapped</c>.</summary>
    CappedChange,

    /// <summary>A command that leaves nothing behind that a restore needs: <c>startIndexBuild</c>, <c>abortIndexBuild</c>, <c>setMultikeyMetadata</c>, <c>dropIdent</c>, <c>dbCheck</c>.</summary>
    SkippedCommand,

    /// <summary><c>ci cd cu km xi xd</c>: the server's own bookkeeping.</summary>
    Ignored,

    /// <summary>A command that is known to be beyond replay, such as <c>importCollection</c>.</summary>
    NotReplayable,
}
