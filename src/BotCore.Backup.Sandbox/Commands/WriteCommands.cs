using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Queries;
using BotCore.Backup.Sandbox.Storage;
using BotCore.Backup.Sandbox.Updates;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Commands;

/// <summary>insert, update and delete.</summary>
internal static class WriteCommands
{
    private const int MaxBatch = 100_000;

    public static IEnumerable<CommandSpec> All =>
    [
        new("insert", Access.Write, Locking.Exclusive, Insert, "documents", "ordered", "bypassDocumentValidation") { InTransactions = true },
        new("update", Access.Write, Locking.Exclusive, Update, "updates", "ordered", "bypassDocumentValidation") { InTransactions = true },
        new("delete", Access.Write, Locking.Exclusive, Delete, "deletes", "ordered") { InTransactions = true },
    ];

    public static StoredCollection Writable(CommandContext context, bool demand)
    {
        var collection = demand ? context.Server.Catalog.Demand(context.Target) : context.Find();
        if (collection is { IsTimeSeries: true })
            throw new ServerException(ServerException.NotImplemented, $"The sandbox does not bucket measurements: write to system.buckets.{collection.Namespace.Collection}.");
        if (collection is { IsView: true })
            throw new ServerException(ServerException.CommandNotSupportedOnView, $"Namespace {context.Target} is a view, not a collection");
        return collection!;
    }

    public static bool IsOrdered(CommandContext context) => !context.Command.TryFind("ordered"u8, out var ordered) || ordered.IsTruthy;

    public static void CheckValid(CommandContext context, StoredCollection collection, RawBson document)
    {
        if (collection.Validator is { } validator && !context.Command.IsTrue("bypassDocumentValidation"u8) && !validator.Matches(document.Memory))
            throw new ServerException(ServerException.DocumentValidationFailure, "Document failed validation");
    }

    private static void Insert(CommandContext context)
    {
        var server = context.Server;
        var documents = context.Documents("documents");
        var collection = Writable(context, demand: true);
        var writes = Writes(context);
        var errors = new WriteErrors(IsOrdered(context));
        var now = Now(server);
        var (index, inserted) = (0, 0);
        server.Store.Demand(0);
        foreach (var document in documents)
        {
            if (index == MaxBatch)
                throw new ServerException(ServerException.BadValue, "Write batch sizes must be between 1 and 100000.");
            var statement = index;
            var goOn = errors.Try(index++, () =>
            {
                var prepared = IncomingDocument.Prepare(document, now);
                CheckValid(context, collection, prepared);
                writes.Insert(collection, prepared, statement);
                inserted++;
            });
            if (!goOn)
                break;
        }

        context.Reply.Append("n", inserted);
        errors.AppendTo(context.Reply);
    }

    private static void Update(CommandContext context)
    {
        var server = context.Server;
        var writes = Writes(context);
        var errors = new WriteErrors(IsOrdered(context));
        var (index, matched, modified) = (0, 0, 0);
        var upserted = new List<(int Index, RawBson Id)>();
        server.Store.Demand(0);
        foreach (var statement in context.Documents("updates"))
        {
            var place = index++;
            var goOn = errors.Try(place, () =>
            {
                Check(statement, "q", "u", "upsert", "multi", "hint", "c", "collation");
                var collection = Writable(context, statement.IsTrue("upsert"u8));
                var (found, changed, made) = collection is null ? (0, 0, null) : UpdateOne(context, writes, collection, statement, place);
                matched += found;
                modified += changed;
                if (made is { } id)
                    upserted.Add((place, id));
            });
            if (!goOn)
                break;
        }

        context.Reply.Append("n", matched + upserted.Count).Append("nModified", modified);
        AppendUpserted(context.Reply, upserted);
        errors.AppendTo(context.Reply);
    }

    private static (int Matched, int Modified, RawBson? Upserted) UpdateOne(CommandContext context, IDocumentWrites writes, StoredCollection collection, RawBson statement, int place)
    {
        var query = statement.FindDocument("q"u8) ?? RawBson.Empty;
        if (!statement.TryFind("u"u8, out var kind) || kind.Type != BsonType.Document)
            throw new ServerException(ServerException.NotImplemented, "The sandbox does not know updates by pipeline.");
        var update = new UpdateStatement(statement.FindDocument("u"u8)!.Value, Now(context.Server));
        var multi = statement.IsTrue("multi"u8);
        if (multi && update.IsReplacement)
            throw new ServerException(ServerException.FailedToParse, "multi update is not supported for replacement-style update");
        var (matched, modified) = (0, 0);
        foreach (var old in writes.Find(collection, Filter.Parse(query), multi ? int.MaxValue : 1))
        {
            matched++;
            if (!update.TryApply(new RawBson(old.Bytes), out var changed, out var logged))
                continue;
            CheckValid(context, collection, changed);
            writes.Update(collection, old, changed, logged, place);
            modified++;
        }

        if (matched > 0 || !statement.IsTrue("upsert"u8))
            return (matched, modified, null);
        var document = update.Upserted(query);
        CheckValid(context, collection, document);
        writes.Insert(collection, document, place);
        return (0, 0, DirectWrites.IdOf(document.Span));
    }

    private static void AppendUpserted(BsonBuilder reply, List<(int Index, RawBson Id)> upserted)
    {
        if (upserted.Count == 0)
            return;
        reply.BeginArray("upserted");
        for (var i = 0; i < upserted.Count; i++)
        {
            upserted[i].Id.TryFind("_id"u8, out var id);
            reply.BeginDocument(i.ToString(System.Globalization.CultureInfo.InvariantCulture)).Append("index", upserted[i].Index).Append(id).End();
        }

        reply.End();
    }

    private static void Delete(CommandContext context)
    {
        var writes = Writes(context);
        var collection = Writable(context, demand: false);
        var errors = new WriteErrors(IsOrdered(context));
        var (index, deleted) = (0, 0);
        foreach (var statement in context.Documents("deletes"))
        {
            var place = index++;
            var goOn = errors.Try(place, () =>
            {
                Check(statement, "q", "limit", "hint");
                if (collection is null)
                    return;
                var most = statement.FindInt64("limit"u8) switch { 0 => int.MaxValue, 1 => 1, _ => throw new ServerException(ServerException.FailedToParse, "The limit field in delete objects must be 0 or 1.") };
                foreach (var old in writes.Find(collection, Filter.Parse(statement.FindDocument("q"u8) ?? RawBson.Empty), most))
                {
                    writes.Delete(collection, old, place);
                    deleted++;
                }
            });
            if (!goOn)
                break;
        }

        context.Reply.Append("n", deleted);
        errors.AppendTo(context.Reply);
    }

    private static void Check(RawBson statement, params string[] known)
    {
        var reader = statement.Read();
        while (reader.Read())
        {
            if (!known.Contains(reader.Current.NameText, StringComparer.Ordinal))
                throw new ServerException(ServerException.NotImplemented, $"The sandbox does not know the option '{reader.Current.NameText}' of a write.");
            if (reader.Current.NameIs("collation"u8))
                CheckCollation(statement);
        }
    }

    // All comparisons here are byte by byte, which is what the simple collation asks for.
    private static void CheckCollation(RawBson statement)
    {
        if (statement.FindDocument("collation"u8) is not { } collation)
            throw new ServerException(ServerException.TypeMismatch, "BSON field 'update.updates.collation' is the wrong type, expected type 'object'");
        if (collation.FindString("locale"u8) is not "simple")
            throw new ServerException(ServerException.NotImplemented, "The sandbox knows no collation but the simple one.");
    }

    private static OplogClockReading Now(ServerState server) => new(server.Options.Time.GetUtcNow(), server.Clock.Next);

    private static IDocumentWrites Writes(CommandContext context) => context.Server.Transactions.WritesOf(context.Transaction);
}
