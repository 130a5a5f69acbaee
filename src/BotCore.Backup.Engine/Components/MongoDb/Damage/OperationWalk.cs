using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Damage;

/// <summary>
/// The operations of an oplog one by one, at the time from which they can be seen: those of a transaction at its commit, those of an aborted one never. One thread.
/// </summary>
/// <param name="spillFolder">Where transactions wait that do not fit into memory.</param>
/// <param name="visit">Gets each operation, with bytes valid during the call.</param>
internal sealed class OperationWalk(string spillFolder, OperationWalk.Visit visit) : IDisposable
{
    private const long TransactionBudget = 32 << 20;

    private readonly TransactionBuffer _transactions = new(TransactionBudget, spillFolder);
    private readonly List<BsonTimestamp> _headless = [];

    /// <summary>Gets an operation.</summary>
    /// <param name="operation">The operation; of an <c>applyOps</c>, one inside of it.</param>
    /// <param name="at">When it could be seen.</param>
    /// <param name="written">The time of the entry that holds it: of a transaction earlier than its commit, or the same.</param>
    public delegate void Visit(in OplogEntry operation, BsonTimestamp at, BsonTimestamp written);

    /// <summary>Commits whose transaction began before the first entry: what they did is not known.</summary>
    public IReadOnlyList<BsonTimestamp> Headless => _headless;

    /// <summary>Takes the next entry.</summary>
    public void Add(in OplogEntry entry)
    {
        var at = entry.Timestamp;
        switch (entry.Kind)
        {
            case OplogKind.Transaction or OplogKind.CommitTransaction or OplogKind.AbortTransaction:
                TakeTransaction(entry, at);
                break;
            case OplogKind.ApplyOps:
                VisitAll(entry.Object, at, at);
                break;
            default:
                visit(entry, at, at);
                break;
        }
    }

    public void Dispose() => _transactions.Dispose();

    private void TakeTransaction(in OplogEntry entry, BsonTimestamp at)
    {
        try
        {
            _transactions.Take(entry, raw =>
            {
                var part = OplogEntry.Parse(raw);
                VisitAll(part.Object, at, part.Timestamp);
            });
        }
        catch (BackupException headless) when (headless.Failure.Kind == FailureKind.ChainBroken)
        {
            _headless.Add(at);
        }
    }

    private void VisitAll(ReadOnlySpan<byte> command, BsonTimestamp at, BsonTimestamp written)
    {
        foreach (var inner in new InnerOperations(command))
        {
            var operation = OplogEntry.ParseInner(inner);
            if (operation.Kind is OplogKind.ApplyOps or OplogKind.Transaction)
                VisitAll(operation.Object, at, written);
            else
                visit(operation, at, written);
        }
    }
}
