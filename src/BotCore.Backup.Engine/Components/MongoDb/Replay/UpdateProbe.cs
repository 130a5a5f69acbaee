using System.Globalization;
using System.Security.Cryptography;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Replay;

/// <summary>Finds out, on a collection of its own that it drops again, what a server does with an update whose document is not there.</summary>
internal static class UpdateProbe
{
    /// <summary>Bytes of a command's operations that every server takes.</summary>
    public const int LargestCommand = 16 * 1024 * 1024;

    private const string Database = "__bot_probe";

    /// <summary>Whether the server says nothing, or makes a document, so that it must be asked first.</summary>
    public static bool MustCheck(IReplayTarget target, CancellationToken token)
    {
        var name = "missing_" + RandomNumberGenerator.GetHexString(12, lowercase: true);
        var create = Begin().Append("op", "c").Append("ns", Database + ".$cmd").BeginDocument("o").Append("create", name).End().End().End();
        var created = target.Run("admin", create, token);
        if (!ServerReply.IsOk(created))
        {
            throw new BackupException(
                FailureKind.RestoreFailed,
                $"The server did not let the restore make a collection of its own in the database {Database}: {ServerReply.Reason(created)}",
                "Give the restoring user the role restore, or root, on the admin database: replaying an oplog needs applyOps on every database.",
                Database);
        }

        try
        {
            var update = Begin().Append("op", "u").Append("ns", Database + "." + name).BeginDocument("o").Append("$v", 2).BeginDocument("diff").BeginDocument("u").Append("a", 1).End().End().End()
                .BeginDocument("o2").Append("_id", 1).End().End().End();
            ReplayBatch.AppendOptions(update, atomic: false);
            return BatchSender.FirstFailure(target.Run("admin", update, token), 1) < 0;
        }
        finally
        {
            target.Run(Database, new BsonBuilder().Append("drop", name), token);
            DropWhenEmpty(target, token);
        }
    }

    private static BsonBuilder Begin() => new BsonBuilder().BeginArray("applyOps").BeginDocument(0.ToString(CultureInfo.InvariantCulture));

    // Another restore may be probing at this moment; its collection must stay.
    private static void DropWhenEmpty(IReplayTarget target, CancellationToken token)
    {
        var collections = target.Run(Database, new BsonBuilder().Append("listCollections", 1).Append("nameOnly", true), token);
        if (ServerReply.IsOk(collections) && ServerReply.FirstBatch(collections).Count == 0)
            target.Run(Database, new BsonBuilder().Append("dropDatabase", 1), token);
    }
}
