namespace BotCore.Backup.Engine.Archives;

/// <summary>What an increment of files stands on, and what the tree was that it completes.</summary>
/// <param name="Base">The id of the full backup that the chain begins with.</param>
/// <param name="Previous">The id of the backup that it goes on from.</param>
/// <param name="TreeEntries">Entries that a restore of it writes, those of the backups before included.</param>
/// <param name="TreeBytes">Bytes of their content.</param>
/// <param name="Deleted">Paths that were there in the backup before and are not any more; of a folder the folder alone.</param>
public sealed record IncrementFacts(string Base, string Previous, long TreeEntries, long TreeBytes, long Deleted);
