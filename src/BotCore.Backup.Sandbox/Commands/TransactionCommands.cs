using BotCore.Backup.Sandbox.Oplog;
using BotCore.Backup.Sandbox.Sessions;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Commands;

/// <summary>Transactions and the oplog: commit, abort, prepare, applyOps, notes.</summary>
internal static class TransactionCommands
{
    public static IEnumerable<CommandSpec> All =>
    [
        new("commitTransaction", Access.LoggedIn, Locking.Exclusive, context => context.Server.Transactions.Commit(Tag(context)), "recoveryToken", "commitTimestamp") { InTransactions = true },
        new("abortTransaction", Access.LoggedIn, Locking.Exclusive, context => context.Server.Transactions.Abort(Tag(context)), "recoveryToken") { InTransactions = true },
        new("prepareTransaction", Access.Root, Locking.Exclusive, Prepare) { InTransactions = true },
        new("applyOps", Access.Root, Locking.Exclusive, ApplyOps.Run, "alwaysUpsert", "allowAtomic", "preCondition", "bypassDocumentValidation", "oplogApplicationMode"),
        new("appendOplogNote", Access.Root, Locking.Exclusive, AppendNote, "data", "maxClusterTime"),
    ];

    private static TransactionTag Tag(CommandContext context) =>
        context.Transaction is { IsTransaction: true } tag ? tag : throw new ServerException(ServerException.InvalidOptions, $"{context.Name} must be run within a transaction");

    private static void Prepare(CommandContext context) => context.Reply.Append("prepareTimestamp", context.Server.Transactions.Prepare(Tag(context)));

    private static void AppendNote(CommandContext context)
    {
        if (!context.Server.Oplog.IsOn)
            throw new ServerException(123, "Must have replication set up to run \"appendOplogNote\"");
        var data = context.Command.FindDocument("data"u8) ?? throw new ServerException(40414, "BSON field 'appendOplogNote.data' is missing but a required field");
        context.Server.Oplog.Append(new OplogEntry("n", "", data));
    }
}
