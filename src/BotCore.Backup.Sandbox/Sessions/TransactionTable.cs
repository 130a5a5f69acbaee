using System.Collections.Concurrent;
using System.Globalization;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Oplog;
using BotCore.Backup.Sandbox.Queries;
using BotCore.Backup.Sandbox.Storage;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Sessions;

/// <summary>
/// The open transactions, by session, and how they end: as one <c>applyOps</c> entry, or as a chain of them by <c>prevOpTime</c> where one is too small. The caller holds the
/// server's lock for writers to end one.
/// </summary>
internal sealed class TransactionTable(ServerState server)
{
    private static readonly Namespace Table = new("config", "transactions");

    private readonly ConcurrentDictionary<string, OpenTransaction> _open = new(StringComparer.Ordinal);

    public IDocumentWrites WritesOf(TransactionTag? tag) => tag is not { IsTransaction: true } ? new DirectWrites(server, tag) : Need(tag);

    /// <summary>The transaction of the tag; begun where the tag says so.</summary>
    public OpenTransaction Need(TransactionTag tag)
    {
        if (tag.Starts)
        {
            if (server.Options.Standalone)
                throw new ServerException(ServerException.IllegalOperation, "Transaction numbers are only allowed on a replica set member or mongos");
            if (_open.TryGetValue(tag.Key, out var other) && other.Prepared is not null)
                throw new ServerException(267, "The session has a prepared transaction.");
            return _open[tag.Key] = new OpenTransaction(tag, server.Oplog.Newest);
        }

        return _open.TryGetValue(tag.Key, out var transaction) && transaction.Tag.Number == tag.Number
            ? transaction
            : throw new ServerException(ServerException.NoSuchTransaction, $"Given transaction number {tag.Number} does not match any in-progress transactions.");
    }

    public void Commit(TransactionTag tag)
    {
        var transaction = Need(tag with { Starts = false });
        try
        {
            if (transaction.Prepared is null)
                transaction.Check();
        }
        catch (Exception e) when (e is ServerException or DuplicateKeyException)
        {
            _open.TryRemove(tag.Key, out _);
            throw;
        }

        _open.TryRemove(tag.Key, out _);
        if (transaction.Prepared is { } prepared)
        {
            var o = new BsonBuilder().Append("commitTransaction", 1).Append("commitTimestamp", prepared).ToBson();
            var ts = server.Oplog.Append(new OplogEntry("c", "admin.$cmd", o) { Tag = transaction.Tag, Previous = prepared });
            Keep(transaction, "committed", ts, null);
        }
        else if (transaction.Operations.Count > 0)
        {
            Keep(transaction, "committed", Write(transaction, prepare: false).Last, null);
        }

        transaction.CarryOut();
    }

    public BsonTimestamp Prepare(TransactionTag tag)
    {
        var transaction = Need(tag with { Starts = false });
        transaction.Check();
        var (first, last) = Write(transaction, prepare: true);
        transaction.Prepared = last;
        Keep(transaction, "prepared", last, first);
        return last;
    }

    public void Abort(TransactionTag tag)
    {
        var transaction = Need(tag with { Starts = false });
        _open.TryRemove(tag.Key, out _);
        if (transaction.Prepared is not { } prepared)
            return;
        var ts = server.Oplog.Append(new OplogEntry("c", "admin.$cmd", new BsonBuilder().Append("abortTransaction", 1).ToBson()) { Tag = transaction.Tag, Previous = prepared });
        Keep(transaction, "aborted", ts, null);
    }

    private (BsonTimestamp First, BsonTimestamp Last) Write(OpenTransaction transaction, bool prepare)
    {
        var chunks = Split(transaction.Operations);
        BsonTimestamp first = default;
        BsonTimestamp previous = default;
        for (var i = 0; i < chunks.Count; i++)
        {
            var o = new BsonBuilder(1024).BeginArray("applyOps");
            for (var place = 0; place < chunks[i].Count; place++)
                o.Append(place.ToString(CultureInfo.InvariantCulture), chunks[i][place]);
            o.End();
            var last = i == chunks.Count - 1;
            if (!last)
                o.Append("partialTxn", value: true);
            if (last && prepare)
                o.Append("prepare", value: true);
            if (last && chunks.Count > 1)
                o.Append("count", (long)transaction.Operations.Count);
            previous = server.Oplog.Append(new OplogEntry("c", "admin.$cmd", o.ToBson()) { Tag = transaction.Tag, Previous = previous });
            if (i == 0)
                first = previous;
        }

        return (first, previous);
    }

    private List<List<RawBson>> Split(IReadOnlyList<RawBson> operations)
    {
        var chunks = new List<List<RawBson>> { new() };
        var bytes = 0L;
        foreach (var operation in operations)
        {
            if (chunks[^1].Count > 0 && bytes + operation.Length > server.Options.TransactionEntryBytes)
            {
                chunks.Add([]);
                bytes = 0;
            }

            chunks[^1].Add(operation);
            bytes += operation.Length;
        }

        return chunks;
    }

    // The row is not replicated: every server makes its own from the oplog.
    private void Keep(OpenTransaction transaction, string state, BsonTimestamp last, BsonTimestamp? start)
    {
        var row = new BsonBuilder(256).Append("_id", transaction.Tag.Session).Append("txnNum", transaction.Tag.Number);
        OplogLog.AppendOpTime(row, "lastWriteOpTime", last, server.Oplog.Term);
        row.AppendDateTime("lastWriteDate", server.Clock.Milliseconds);
        if (start is { } from)
            OplogLog.AppendOpTime(row, "startOpTime", from, server.Oplog.Term);
        var document = row.Append("state", state).ToBson();
        var table = server.Catalog.Demand(Table);
        var writes = new DirectWrites(server);
        var filter = Filter.Parse(new BsonBuilder().Append("_id", transaction.Tag.Session).ToBson());
        if (writes.Find(table, filter, 1) is [var old])
            writes.Update(table, old, document, document, 0);
        else
            writes.Insert(table, document, 0);
    }
}
