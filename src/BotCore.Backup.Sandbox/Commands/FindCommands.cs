using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Queries;
using BotCore.Backup.Sandbox.Sessions;
using BotCore.Backup.Sandbox.Storage;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Commands;

/// <summary>find, getMore and killCursors.</summary>
internal static class FindCommands
{
    private static readonly TimeSpan DefaultAwait = TimeSpan.FromSeconds(1);

    public static IEnumerable<CommandSpec> All =>
    [
        new("find", Access.Read, Locking.Shared, Find, "filter", "projection", "sort", "skip", "limit", "batchSize", "hint", "singleBatch", "noCursorTimeout", "tailable", "awaitData", "oplogReplay", "allowDiskUse", "allowPartialResults", "returnKey", "showRecordId", "collation") { InTransactions = true },
        new("getMore", Access.LoggedIn, Locking.Own, GetMore, "collection", "batchSize", "term", "lastKnownCommittedOpTime") { InTransactions = true },
        new("killCursors", Access.LoggedIn, Locking.Own, KillCursors, "cursors"),
    ];

    /// <summary>Sends the first batch and keeps the cursor where there is more. The caller holds the lock for readers.</summary>
    public static void Open(CommandContext context, ServerCursor cursor, int? batchSize, bool single = false)
    {
        cursor.BatchSize = batchSize is > 0 ? batchSize : null;
        Batch.Append(context.Reply, "firstBatch", cursor, single ? batchSize ?? int.MaxValue : batchSize ?? Batch.First, ended => Keep(context, cursor, ended || single));
    }

    public static int? BatchSize(RawBson command) => command.FindInt64("batchSize"u8) switch
    {
        null => null,
        < 0 => throw new ServerException(ServerException.BadValue, "BatchSize value must be non-negative"),
        { } size => (int)Math.Min(size, int.MaxValue),
    };

    private static long Keep(CommandContext context, ServerCursor cursor, bool ended)
    {
        if (ended)
        {
            cursor.Dispose();
            return 0;
        }

        context.Server.Cursors.Keep(cursor);
        if (context.MayExhaust)
            context.Streaming = cursor;
        return cursor.Id;
    }

    private static void Find(CommandContext context)
    {
        var command = context.Command;
        var collection = context.Find();
        Refuse(command, collection);
        var filter = Filter.Parse(command.FindDocument("filter"u8) ?? RawBson.Empty);
        var projection = Projection.Parse(command.FindDocument("projection"u8));
        if (command.IsTrue("tailable"u8))
        {
            OpenTailable(context, filter, projection);
            return;
        }

        var limit = command.FindInt64("limit"u8) ?? 0;
        var cursor = new ServerCursor(context.Target.ToString(), collection, Documents(context, collection, filter).Skip((int)(command.FindInt64("skip"u8) ?? 0)).Take(limit == 0 ? int.MaxValue : (int)Math.Abs(limit)))
        {
            Owner = context.Client.User,
            Projection = projection,
        };
        Open(context, cursor, BatchSize(command), command.IsTrue("singleBatch"u8) || limit < 0);
    }

    private static IEnumerable<ReadOnlyMemory<byte>> Documents(CommandContext context, StoredCollection? collection, Filter filter)
    {
        var transaction = context.Transaction is { IsTransaction: true } tag ? context.Server.Transactions.Need(tag) : null;
        if (collection is null)
            return [];
        var sort = SortOrder.Parse(context.Command.FindDocument("sort"u8)) ?? NaturalHint(context.Command);
        if (collection.IsView)
        {
            var viewed = Pipeline.Source(context.Server.Store, collection).Where(filter.Matches);
            return sort is { Natural: 0 } ? sort.Sort(viewed) : viewed;
        }

        if (transaction is not null)
        {
            var seen = transaction.Find(collection, filter).Select(document => document.Bytes);
            return sort is { Natural: 0 } ? sort.Sort(seen) : seen;
        }

        var documents = Scan.Documents(collection, filter, sort);
        return Limit(context, collection) is { } limit ? documents.Where(document => limit(document)) : documents;
    }

    private static void OpenTailable(CommandContext context, Filter filter, Projection? projection)
    {
        if (context.Find() is not { IsCapped: true } collection)
            throw new ServerException(ServerException.BadValue, $"error processing query: ns={context.Target} tailable cursor requested on non capped collection");
        var cursor = new ServerCursor(collection, filter, Limit(context, collection)) { Owner = context.Client.User, Projection = projection, Awaits = context.Command.IsTrue("awaitData"u8) };
        Open(context, cursor, BatchSize(context.Command));
    }

    // Majority readers of the oplog do not see what the majority has not.
    private static Predicate<ReadOnlyMemory<byte>>? Limit(CommandContext context, StoredCollection collection)
    {
        var level = context.Command.FindDocument("readConcern"u8)?.FindString("level"u8) ?? "local";
        if (level is not ("local" or "majority" or "available" or "snapshot"))
            throw new ServerException(ServerException.NotImplemented, $"The sandbox does not know readConcern '{level}'.");
        var server = context.Server;
        return level is "majority" && !collection.HasIds && server.Oplog.IsOn ? entry => Scan.TimestampOf(entry) <= server.Majority : null;
    }

    private static SortOrder? NaturalHint(RawBson command) =>
        command.FindDocument("hint"u8) is { } hint && hint.Has("$natural"u8) ? SortOrder.Parse(hint) : null;

    private static void Refuse(RawBson command, StoredCollection? collection)
    {
        foreach (var option in (string[])["returnKey", "showRecordId", "collation"])
        {
            if (command.TryFind(System.Text.Encoding.UTF8.GetBytes(option), out var element) && (element.Type == BsonType.Document || element.IsTruthy))
                throw new ServerException(ServerException.NotImplemented, $"The sandbox does not know find's option '{option}'.");
        }

        if (collection is null || !command.TryFind("hint"u8, out var hint) || command.FindDocument("hint"u8)?.Has("$natural"u8) == true)
            return;
        var wanted = BsonValue.CopyOf(hint);
        var known = collection.Indexes.Exists(index => wanted.Type == BsonType.String ? string.Equals(index.Name, wanted.AsString(), StringComparison.Ordinal) : BsonOrder.Compare(BsonValue.Of(index.Key), wanted) == 0);
        if (!known)
            throw new ServerException(ServerException.BadValue, "error processing query: planner returned error: hint provided does not correspond to an existing index");
    }

    private static void GetMore(CommandContext context)
    {
        var server = context.Server;
        var id = context.Command.FindInt64("getMore"u8) ?? throw new ServerException(ServerException.TypeMismatch, "getMore takes the cursor's id");
        var cursor = server.Cursors.Take(id, context.Client.User);
        var ns = new Namespace(context.Database, context.Command.FindString("collection"u8) ?? "");
        if (!string.Equals(cursor.Namespace, ns.ToString(), StringComparison.Ordinal))
        {
            server.Cursors.Keep(cursor);
            throw new ServerException(ServerException.Unauthorized, $"Requested getMore on namespace '{ns}', but cursor belongs to a different namespace {cursor.Namespace}");
        }

        var most = BatchSize(context.Command) is { } size and > 0 ? size : cursor.BatchSize ?? int.MaxValue;
        var wait = cursor.Awaits ? TimeSpan.FromMilliseconds(context.Command.FindInt64("maxTimeMS"u8) ?? (long)DefaultAwait.TotalMilliseconds) : TimeSpan.Zero;
        Continue(context, cursor, most, wait);
    }

    /// <summary>One more batch of a cursor that is out of the table.</summary>
    public static void Continue(CommandContext context, ServerCursor cursor, int most, TimeSpan wait)
    {
        var server = context.Server;
        var seen = server.Version;
        if (server.Read(() => Next(context, cursor, most, isLast: wait == TimeSpan.Zero)) > 0 || wait == TimeSpan.Zero)
            return;
        var until = Environment.TickCount64 + (long)wait.TotalMilliseconds;
        while (true)
        {
            var left = TimeSpan.FromMilliseconds(Math.Max(0, until - Environment.TickCount64));
            var grown = server.AwaitGrowth(seen, left);
            seen = server.Version;
            if (server.Read(() => Next(context, cursor, most, isLast: !grown)) > 0 || !grown)
                return;
        }
    }

    // A cursor that waits is out of the table: only the answer that is sent puts it back.
    private static int Next(CommandContext context, ServerCursor cursor, int most, bool isLast)
    {
        context.Reply.Clear();
        try
        {
            var ended = false;
            var count = Batch.Append(context.Reply, "nextBatch", cursor, most, end => (ended = end) ? 0 : cursor.Id);
            if (ended)
                cursor.Dispose();
            else if (count > 0 || isLast)
                Keep(context, cursor, ended: false);
            return ended ? int.MaxValue : count;
        }
        catch (Exception)
        {
            cursor.Dispose();
            throw;
        }
    }

    private static void KillCursors(CommandContext context)
    {
        var ids = context.Command.FindDocument("cursors"u8) ?? throw new ServerException(40414, "BSON field 'killCursors.cursors' is missing but a required field");
        var (killed, missing) = (new List<long>(), new List<long>());
        var reader = ids.Read();
        while (reader.Read())
        {
            var id = reader.Current.AsInt64();
            (context.Server.Cursors.Kill(id) ? killed : missing).Add(id);
        }

        Append(context.Reply, "cursorsKilled", killed);
        Append(context.Reply, "cursorsNotFound", missing);
        Append(context.Reply, "cursorsAlive", []);
        Append(context.Reply, "cursorsUnknown", []);
    }

    private static void Append(BsonBuilder reply, string name, List<long> ids)
    {
        reply.BeginArray(name);
        for (var i = 0; i < ids.Count; i++)
            reply.Append(i.ToString(System.Globalization.CultureInfo.InvariantCulture), ids[i]);
        reply.End();
    }
}
