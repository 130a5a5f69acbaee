namespace BotCore.Backup.Engine.Archives;

/// <summary>The span of the oplog that an archive holds. Both ends are in it. Times are <c>seconds:ordinal</c>.</summary>
/// <param name="Start">Its first entry; nothing between it and <paramref name="End"/> is missing.</param>
/// <param name="End">Its last entry: the moment that a restore gives.</param>
/// <param name="Term">The election term of the last entry; -1 where the server writes none.</param>
/// <param name="EndSha256">SHA-256 of the last entry's bytes as the server had it, which the next increment must begin with.</param>
/// <param name="StartSha256">SHA-256 of the first entry's bytes; the end of the archive before has the same. Null in archives of before increments.</param>
/// <param name="Entries">Entries kept; 0 in archives of before increments.</param>
public sealed record OplogSpan(string Start, string End, long Term, string EndSha256, string? StartSha256 = null, long Entries = 0);

/// <summary>How an archive hangs together with others of the same history of a server.</summary>
/// <param name="Timeline">That history: the id of the full backup that it began with. A new one begins after a gap, a rollback and a restore.</param>
/// <param name="Previous">The id of the backup whose last entry an increment begins with; null for a full.</param>
public sealed record ChainFacts(string Timeline, string? Previous = null);

/// <summary>What a manifest says of a MongoDB dump. Names of collections stand only in the index.</summary>
/// <param name="Server">The server's version.</param>
/// <param name="Consistent">Whether a restore gives the state of one moment, <see cref="OplogSpan.End"/>. Never true of a standalone server.</param>
/// <param name="Collections">Collections, views included.</param>
/// <param name="Documents">Documents in them, before the oplog is applied.</param>
/// <param name="Database">The one database that it holds; null for all.</param>
/// <param name="Oplog">The oplog in it; null where there is none.</param>
public sealed record DumpFacts(string Server, bool Consistent, int Collections, long Documents, string? Database = null, OplogSpan? Oplog = null);
