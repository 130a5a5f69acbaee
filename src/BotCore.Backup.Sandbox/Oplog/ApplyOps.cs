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
    private StoredCollection? _known;
    private byte[] _knownName = [];

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
        var operation = Operation.Read(entry);
        if (operation.Kind is (byte)'n')
            return;
        var o = operation.Object ?? throw new ServerException(ServerException.FailedToParse, "op does not contain required object field 'o'");
        if (operation.Kind is (byte)'c')
        {
            // It may drop or rename what is remembered.
            _known = null;
            new CommandEntry(_server, Namespace.Parse(operation.Name).Database, operation.Uuid, One).Apply(o);
            return;
        }

        var collection = Find(operation);
        switch (operation.Kind)
        {
            case (byte)'i':
                Insert(collection, o);
                break;
            case (byte)'u':
                Update(collection, o, operation.Second ?? throw new ServerException(ServerException.FailedToParse, "an update needs 'o2'"), _upsert || operation.Upsert);
                break;
            case (byte)'d':
                if (Find(collection, o) is { } old)
                    _writes.Delete(collection, old, 0);
                break;
            default:
                throw new ServerException(ServerException.BadValue, $"Unrecognized op type in oplog entry: '{entry.FindString("op"u8)}'");
        }
    }

    private StoredCollection Find(in Operation operation)
    {
        if (operation.Uuid is null && _known is not null && operation.Namespace.SequenceEqual(_knownName))
            return _known;
        var name = operation.Name;
        var found = (operation.Uuid is { } id ? _server.Store.Find(id) : _server.Store.Find(Namespace.Parse(name)))
            ?? throw new ServerException(ServerException.NamespaceNotFound, $"Failed to apply operation due to missing collection: {name}");
        if (operation.Uuid is null)
            (_known, _knownName) = (found, operation.Namespace.ToArray());
        return found;
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

/// <summary>The fields of one operation, read in one go: a replay sends millions. A view over the bytes of the command.</summary>
internal readonly ref struct Operation
{
    private Operation(RawBson entry)
    {
        var reader = entry.Read();
        while (reader.Read())
        {
            var element = reader.Current;
            switch (element.Name)
            {
                case [(byte)'o', (byte)'p'] when element.Type == BsonType.String:
                    // All kinds that there are have one letter.
                    Kind = element.AsUtf8() is [var letter] ? letter : (byte)'?';
                    break;
                case [(byte)'n', (byte)'s'] when element.Type == BsonType.String:
                    Namespace = element.AsUtf8();
                    break;
                case [(byte)'o'] when element.Type is BsonType.Document:
                    Object = new RawBson(BsonValue.Slice(entry.Memory, element.Value));
                    break;
                case [(byte)'o', (byte)'2'] when element.Type is BsonType.Document:
                    Second = new RawBson(BsonValue.Slice(entry.Memory, element.Value));
                    break;
                case [(byte)'u', (byte)'i']:
                    Uuid = OplogLog.ReadUuid(entry, "ui"u8);
                    break;
                case [(byte)'b']:
                    Upsert = element.IsTruthy;
                    break;
                default:
                    break;
            }
        }
    }

    public byte Kind { get; }

    public ReadOnlySpan<byte> Namespace { get; }

    public RawBson? Object { get; }

    public RawBson? Second { get; }

    public Guid? Uuid { get; }

    public bool Upsert { get; }

    public string Name => System.Text.Encoding.UTF8.GetString(Namespace);

    public static Operation Read(RawBson entry)
    {
        var operation = new Operation(entry);
        if (operation.Kind == 0)
            throw new ServerException(ServerException.FailedToParse, "op does not contain required string field 'op'");
        if (operation.Namespace.IsEmpty && operation.Kind != (byte)'n')
            throw new ServerException(ServerException.FailedToParse, "op does not contain required string field 'ns'");
        return operation;
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
