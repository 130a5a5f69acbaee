using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Replay;

/// <summary>A server behind a client. Everything a replay sends may be sent twice, so a lost connection is tried once more.</summary>
internal sealed class MongoReplayTarget(MongoClient client) : IReplayTarget
{
    public RawBson Run(string database, BsonBuilder command, CancellationToken token)
    {
        try
        {
            return client.Run(database, command, token, retry: true);
        }
        catch (MongoException refused) when (refused is { Error: MongoError.CommandFailed or MongoError.Unsupported, Reply: { } reply })
        {
            return reply;
        }
        catch (MongoException denied) when (denied.Error is MongoError.AccessDenied or MongoError.LoginFailed)
        {
            throw new BackupException(
                denied.Error == MongoError.AccessDenied ? FailureKind.AccessDenied : FailureKind.LoginFailed,
                $"The server {client.Server.Address} does not let the restore write: {denied.CodeName ?? denied.Error.ToString()}.",
                "Give the restoring user the role root on the admin database: replaying an oplog needs applyOps on every database.",
                client.Server.Address.ToString(),
                denied);
        }
        catch (MongoException lost)
        {
            throw new BackupException(
                FailureKind.RestoreFailed,
                $"The connection to {client.Server.Address} broke while the oplog was replayed: {lost.Message}",
                "See that the server runs, and run the restore again.",
                client.Server.Address.ToString(),
                lost);
        }
    }
}
