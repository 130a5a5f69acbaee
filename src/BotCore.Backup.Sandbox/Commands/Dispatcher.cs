using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Protocols.MongoDb.Wire;
using BotCore.Backup.Sandbox.Oplog;
using BotCore.Backup.Sandbox.Storage;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Commands;

/// <summary>Finds the command, checks rights and options, locks, runs, and puts errors into words. What it does not know it refuses.</summary>
internal sealed class Dispatcher(ServerState server)
{
    private static readonly HashSet<string> CommonOptions = new(StringComparer.Ordinal)
    {
        "$db", "$readPreference", "$clusterTime", "lsid", "txnNumber", "autocommit", "startTransaction", "readConcern", "writeConcern", "maxTimeMS", "comment",
        "apiVersion", "apiStrict", "apiDeprecationErrors", "stmtId", "stmtIds", "$audit", "$client", "helloOk",
    };

    private static readonly Dictionary<string, CommandSpec> Specs = CommandSpecs.All.ToDictionary(spec => spec.Name, StringComparer.Ordinal);

    /// <summary>Writes the answer into the context's reply, errors too.</summary>
    public void Run(CommandContext context)
    {
        try
        {
            var spec = Find(context);
            if (spec.Locking == Locking.Own)
                spec.Run(context);
            else if (spec.Locking == Locking.Shared)
                server.Read(() => Unlocked(spec, context));
            else
                server.Write(() => Unlocked(spec, context));
            Finish(context);
        }
        catch (ApplyOpsException e)
        {
            context.Reply.Clear();
            context.Reply.Append("applied", e.Applied + 1).Append("code", e.Code).Append("codeName", ServerException.NameOf(e.Code)).Append("errmsg", e.Message);
            ApplyOps.AppendResults(context.Reply, e.Applied, failed: true);
            context.Reply.Append("ok", 0.0);
        }
        catch (DuplicateKeyException e)
        {
            Fail(context.Reply, ServerException.DuplicateKey, e.Message);
        }
        catch (ServerException e)
        {
            Fail(context.Reply, e.Code, e.Message);
        }
        catch (BsonException e)
        {
            Fail(context.Reply, ServerException.TypeMismatch, e.Message);
        }
    }

    public static void Fail(BsonBuilder reply, int code, string text)
    {
        reply.Clear();
        reply.Append("ok", 0.0).Append("errmsg", text).Append("code", code).Append("codeName", ServerException.NameOf(code));
    }

    /// <summary>The name of the command: that of its first field.</summary>
    public static string NameOf(OpMsg message)
    {
        var reader = message.Body.Read();
        return reader.Read() ? reader.Current.NameText : "";
    }

    private static bool Unlocked(CommandSpec spec, CommandContext context)
    {
        spec.Run(context);
        return true;
    }

    private CommandSpec Find(CommandContext context)
    {
        if (!Specs.TryGetValue(context.Name, out var spec))
            throw new ServerException(ServerException.CommandNotFound, $"no such command: '{context.Name}'");
        server.Logins.Demand(context.Client, spec.Access, context.Database, context.Name);
        var reader = context.Command.Read();
        for (reader.Read(); reader.Read();)
        {
            var name = reader.Current.NameText;
            if (!spec.Options.Contains(name, StringComparer.Ordinal) && !CommonOptions.Contains(name))
                throw new ServerException(40415, $"BSON field '{context.Name}.{name}' is an unknown field.");
        }

        if (context.Transaction is { IsTransaction: true } && !spec.InTransactions)
            throw new ServerException(263, $"Cannot run '{context.Name}' in a multi-document transaction.");
        return spec;
    }

    private void Finish(CommandContext context)
    {
        context.Reply.Append("ok", 1.0);
        if (!server.Oplog.IsOn)
            return;
        var newest = server.Oplog.Newest;
        context.Reply.BeginDocument("$clusterTime").Append("clusterTime", newest).BeginDocument("signature").AppendBinary("hash", new byte[20]).Append("keyId", 0L).End().End();
        context.Reply.Append("operationTime", newest);
    }
}
