using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Replay;

/// <summary>What a replay did.</summary>
/// <param name="Entries">Entries read, up to the bound.</param>
/// <param name="Inserts">Inserts applied, those of transactions too.</param>
/// <param name="Updates">Updates applied.</param>
/// <param name="Deletes">Deletes applied.</param>
/// <param name="Commands">Commands applied or taken into the index catalogue.</param>
/// <param name="Transactions">Transactions applied.</param>
/// <param name="Aborted">Transactions that the source had aborted.</param>
/// <param name="Unfinished">Transactions that did not end within the slice; not applied.</param>
/// <param name="MissingDocuments">Updates of documents that were deleted later; each delete was seen.</param>
/// <param name="NotWanted">Operations of namespaces that are not part of the restore, or of collections that were dropped before the dump.</param>
/// <param name="Skipped">Entries without effect, by kind.</param>
/// <param name="First">Time of the first entry.</param>
/// <param name="Last">Time of the last entry applied.</param>
public sealed record ReplayResult(
    long Entries,
    long Inserts,
    long Updates,
    long Deletes,
    long Commands,
    long Transactions,
    long Aborted,
    IReadOnlyList<UnfinishedTransaction> Unfinished,
    long MissingDocuments,
    long NotWanted,
    IReadOnlyDictionary<OplogKind, long> Skipped,
    BsonTimestamp? First,
    BsonTimestamp? Last);
