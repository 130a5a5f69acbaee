namespace BotCore.Backup.Engine.Archives;

/// <summary>The span of the oplog that an archive holds. Both ends are in it. Times are <c>seconds:ordinal</c>.</summary>
/// <param name="Start">Its first entry; nothing between it and <paramref name="End"/> is missing.</param>
/// <param name="End">Its last entry: the moment that a restore gives.</param>
/// <param name="Term">The election term of the last entry; -1 where the server writes none.</param>
/// <param name="EndSha256">SHA-256 of the last entry's bytes, which the next increment must begin with.</param>
public sealed record OplogSpan(string Start, string End, long Term, string EndSha256);

/// <summary>What a manifest says of a MongoDB dump. Names of collections stand only in the index.</summary>
/// <param name="Server">The server's version.</param>
/// <param name="Consistent">Whether a restore gives the state of one moment, <see cref="OplogSpan.End"/>. Never true of a standalone server.</param>
/// <param name="Collections">Collections, views included.</param>
/// <param name="Documents">Documents in them, before the oplog is applied.</param>
/// <param name="Database">The one database that it holds; null for all.</param>
/// <param name="Oplog">The oplog in it; null where there is none.</param>
public sealed record DumpFacts(string Server, bool Consistent, int Collections, long Documents, string? Database = null, OplogSpan? Oplog = null);
