using System.Security.Cryptography;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Damage;

/// <summary>The oplog that a server has now, as far as a majority has it. One thread.</summary>
internal sealed class LiveOplog(MongoTarget target, CancellationToken token) : IDisposable
{
    private readonly MongoClient _client = target.Connect(requirePrimary: false, token);

    /// <summary>Throws where the server keeps no oplog, so that an empty one is not taken for a quiet one.</summary>
    /// <exception cref="BackupException">OplogUnavailable.</exception>
    public void DemandOplog()
    {
        if (_client.Server.IsStandalone)
        {
            throw new BackupException(
                FailureKind.OplogUnavailable,
                $"{target.Name} is a standalone server, which keeps no oplog: what happened there since the last backup is not known.",
                "Make it a replica set of one: replSetName in mongod.conf, restart, then rs.initiate() in mongosh; then make a full backup.",
                target.Name);
        }

        if (_client.Server.IsSharded)
        {
            throw new BackupException(
                FailureKind.OplogUnavailable, $"{target.Name} is a router of a sharded cluster, which keeps no oplog.", "Ask each shard's replica set.", target.Name);
        }
    }

    /// <summary>Whether the last entry that the store has of a history is still there, byte for byte.</summary>
    public bool Holds(BotBackup tip) => target.Guard("reading the oplog", () =>
    {
        var at = OplogTimeline.EndOf(tip);
        using var cursor = Open(at, limit: 1);
        return Step(cursor) && TimeOf(cursor.Current) == at && string.Equals(Convert.ToHexStringLower(SHA256.HashData(cursor.Current)), tip.Oplog!.EndSha256, StringComparison.OrdinalIgnoreCase);
    });

    /// <summary>Gives every entry from <paramref name="from"/> on, that one included where it is there.</summary>
    public void Read(BsonTimestamp from, OplogEntries.Take take) => target.Guard("reading the oplog", () =>
    {
        using var cursor = Open(from, limit: 0);
        while (Step(cursor))
            take(cursor.Current);
    });

    public void Dispose() => _client.Dispose();

    private bool Step(MongoCursor cursor)
    {
        while (true)
        {
            token.ThrowIfCancellationRequested();
            switch (cursor.Next())
            {
                case CursorStep.Document:
                    return true;
                case CursorStep.End:
                    return false;
                default:
                    continue;
            }
        }
    }

    private static BsonTimestamp TimeOf(ReadOnlySpan<byte> entry) => RawBson.TryFind(entry, "ts"u8, out var ts) && ts.Type == BsonType.Timestamp ? ts.AsTimestamp() : default;

    private MongoCursor Open(BsonTimestamp from, int limit)
    {
        var find = new BsonBuilder().Append("find", "oplog.rs").BeginDocument("filter").BeginDocument("ts").Append("$gte", from).End().End();
        if (limit > 0)
            find.Append("limit", limit).Append("singleBatch", value: true);
        find.BeginDocument("readConcern").Append("level", "majority").End();
        return _client.Open("local", find, new CursorOptions(), token);
    }
}
