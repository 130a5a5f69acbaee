using System.Globalization;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Commands;
using BotCore.Backup.Sandbox.Storage;
using BotCore.Backup.Sandbox.Updates;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Oplog;

/// <summary>Carries out oplog entries that a client sends. Each is logged on its own; the first that fails ends the command, and <c>results</c> tells how far it came.</summary>
internal sealed class ApplyOps
{
    private const int UpdateOperationFailed = 218;

    private readonly ServerState _server;
    private readonly DirectWrites _writes;
    private readonly bool _upsert;

    private ApplyOps(ServerState server, bool upsert)
    {
        _server = server;
        _writes = new DirectWrites(server);
        _upsert = upsert;
    }

    public static void Run(CommandContext context)
    {
        var operations = context.Documents("applyOps");
        var upsert = context.Command.TryFind("alwaysUpsert"u8, out var always) ? always.IsTruthy : context.Server.Options.UpsertOnApply;
        var apply = new ApplyOps(context.Server, upsert);
        context.Server.Store.Demand(0);
        var results = 0;
        try
        {
            foreach (var operation in operations)
            {
                apply.One(operation);
                results++;
            }
        }
        catch (Exception e) when (e is ServerException or DuplicateKeyException or BsonException)
        {
            throw new ApplyOpsException(results, e);
        }

        context.Reply.Append("applied", results);
        AppendResults(context.Reply, results, failed: false);
    }

    public static void AppendResults(BsonBuilder reply, int good, bool failed)
    {
        reply.BeginArray("results");
        for (var i = 0; i < good; i++)
            reply.Append(i.ToString(CultureInfo.InvariantCulture), value: true);
        if (failed)
            reply.Append(good.ToString(CultureInfo.InvariantCulture), value: false);
        reply.End();
    }

    private void One(RawBson entry)
    {
        var op = entry.FindString("op"u8) ?? throw new ServerException(ServerException.FailedToParse, "op does not contain required string field 'op'");
        var name = entry.FindString("ns"u8) ?? throw new ServerException(ServerException.FailedToParse, "op does not contain required string field 'ns'");
        if (op is "n")
            return;
        var o = entry.FindDocument("o"u8) ?? throw new ServerException(ServerException.FailedToParse, "op does not contain required object field 'o'");
        var uuid = OplogLog.ReadUuid(entry, "ui"u8);
        var ns = Namespace.Parse(name);
        if (op is "c")
        {
            new CommandEntry(_server, ns.Database, uuid, One).Apply(o);
            return;
        }

        var collection = (uuid is { } id ? _server.Store.Find(id) : _server.Store.Find(ns)) ?? throw new ServerException(ServerException.NamespaceNotFound, $"Failed to apply operation due to missing collection: {name}");
        switch (op)
        {
            case "i":
                Insert(collection, o);
                break;
            case "u":
                Update(collection, o, entry.FindDocument("o2"u8) ?? throw new ServerException(ServerException.FailedToParse, "an update needs 'o2'"), _upsert || entry.IsTrue("b"u8));
                break;
            case "d":
                if (Find(collection, o) is { } old)
                    _writes.Delete(collection, old, 0);
                break;
            default:
                throw new ServerException(ServerException.BadValue, $"Unrecognized op type in oplog entry: '{op}'");
        }
    }

    private void Insert(StoredCollection collection, RawBson document)
    {
        if (Find(collection, document) is not { } old)
            _writes.Insert(collection, document, 0);
        else if (!old.Bytes.Span.SequenceEqual(document.Span))
            _writes.Update(collection, old, document, document, 0);
    }

    private void Update(StoredCollection collection, RawBson update, RawBson target, bool upsert)
    {
        var old = Find(collection, target);
        if (old is null && !upsert)
            throw new ServerException(UpdateOperationFailed, $"Failed to apply update to {collection.Namespace}: there is no document of that _id.");
        var before = old is null ? target : new RawBson(old.Value.Bytes);
        var document = Updated(before, update, old is null);
        if (old is null)
            _writes.Insert(collection, document, 0);
        else
            _writes.Update(collection, old.Value, document, update, 0);
    }

    private RawBson Updated(RawBson before, RawBson update, bool inserting)
    {
        if (update.FindInt64("$v"u8) is 2)
            return DocumentDiff.Apply(before, update.FindDocument("diff"u8) ?? throw new ServerException(4772600, "Expected 'diff' field or an empty document"));
        var reader = update.Read();
        if (reader.Read() && reader.Current.Name is [(byte)'$', ..])
            return ModifierUpdate.Apply(before, update, inserting, _server.Clock.Milliseconds);
        return update;
    }

    private static StoredDocument? Find(StoredCollection collection, RawBson document)
    {
        var id = IdOrder.IdOf(document.Memory);
        if (id.IsMissing)
            throw new ServerException(ServerException.FailedToParse, "An operation has no _id.");
        return collection.TryFind(id, out var number) ? new StoredDocument(number, collection.Records[number]) : null;
    }
}

/// <summary>An operation failed after <paramref name="applied"/> good ones.</summary>
internal sealed class ApplyOpsException(int applied, Exception cause) : Exception(cause.Message, cause)
{
    public int Applied { get; } = applied;

    public int Code => InnerException switch
    {
        ServerException server => server.Code,
        DuplicateKeyException => ServerException.DuplicateKey,
        _ => ServerException.FailedToParse,
    };
}
