using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb.Bson;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Replay;

public sealed class ReplayTransactionTests : IDisposable
{
    private const string Ns = "bank.accounts";

    private readonly string _folder = Directory.CreateTempSubdirectory("replay-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [MongoToolsFact]
    public void Transactions_of_real_servers_leave_what_they_left_there()
    {
        var cases = 0;
        foreach (var file in (string[])["common/txn/testdata/oplog_entries.json", "mongorestore/testdata/transactions.json"])
        {
            foreach (var (name, entries, ns, after) in MongoToolsData.Cases(file))
            {
                if (after is null)
                    continue;
                foreach (var atomic in (bool[])[true, false])
                {
                    var target = new MemoryTarget();
                    target.Collections.Add(ns, []);
                    var catalogue = new IndexCatalogue();
                    catalogue.Add(ns, null, RawBson.Empty, []);
                    Replay(target, catalogue, entries, new ReplayOptions { AtomicTransactions = atomic });
                    Assert.Equal((name, string.Join(';', after.Select(ExtendedJson.ToText).Order(StringComparer.Ordinal))), (name, string.Join(';', target.Content(ns))));
                }

                cases++;
            }
        }

        Assert.Equal(21, cases);
    }

    [Fact]
    public void A_budget_sends_entries_to_a_spill_file_and_brings_them_back()
    {
        var oplog = new OplogWriter();
        oplog.Transaction(1, Inserts(oplog, 500), each: 7, prepare: true, end: "commitTransaction");
        var (target, catalogue) = Bank();
        using var buffer = new TransactionBuffer(300, _folder);
        var operations = 0;
        foreach (var entry in oplog.Entries)
        {
            buffer.Take(OplogEntry.Parse(entry.Span), part =>
            {
                foreach (var inner in new InnerOperations(OplogEntry.Parse(part).Object))
                    Assert.Equal(operations++, new RawBson(OplogEntry.ParseInner(inner).Object.ToArray()).FindInt64("_id"u8));
            });
        }

        Assert.Equal(500, operations);
        Assert.True(buffer.Spilled > 10_000);
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
        Replay(target, catalogue, oplog.Entries, new ReplayOptions { TransactionBudget = 0, SpillFolder = _folder });
        Assert.Equal(500, target.Content(Ns).Count);
    }

    [Fact]
    public void What_did_not_end_within_the_slice_is_left_out_and_reported()
    {
        var oplog = new OplogWriter();
        var last = oplog.Transaction(1, Inserts(oplog, 4), each: 2, prepare: true);
        oplog.Transaction(2, Inserts(oplog, 3), each: 2, prepare: true, end: "abortTransaction");
        var (target, catalogue) = Bank();
        var result = Replay(target, catalogue, oplog.Entries, new ReplayOptions());
        var unfinished = Assert.Single(result.Unfinished);
        Assert.Equal((last, true), (unfinished.Last, unfinished.IsPrepared));
        Assert.Equal((1, 0), (result.Aborted, result.Transactions));
        Assert.Empty(target.Content(Ns));
    }

    [Fact]
    public void A_transaction_that_began_before_the_slice_breaks_the_chain()
    {
        var oplog = new OplogWriter();
        oplog.Transaction(1, Inserts(oplog, 6), each: 2);
        foreach (var missing in (int[])[0, 1])
        {
            var (target, catalogue) = Bank();
            var entries = oplog.Entries.Where((_, at) => at != missing).ToList();
            var failure = Assert.Throws<BackupException>(() => Replay(target, catalogue, entries, new ReplayOptions())).Failure;
            Assert.Equal(FailureKind.ChainBroken, failure.Kind);
            Assert.Empty(target.Content(Ns));
        }

        var (none, bare) = Bank();
        var commit = new OplogWriter();
        commit.EndTransaction(9, new BsonTimestamp(5, 5), "commitTransaction");
        Assert.Equal(FailureKind.ChainBroken, Assert.Throws<BackupException>(() => Replay(none, bare, commit.Entries, new ReplayOptions())).Failure.Kind);
        var abort = new OplogWriter();
        abort.EndTransaction(9, new BsonTimestamp(5, 5), "abortTransaction");
        Assert.Equal(1, Replay(none, bare, abort.Entries, new ReplayOptions()).Aborted);
    }

    [Fact]
    public void A_transaction_is_one_command_where_it_fits()
    {
        var oplog = new OplogWriter();
        oplog.Transaction(1, Inserts(oplog, 100), each: 9);
        var (target, catalogue) = Bank();
        Replay(target, catalogue, oplog.Entries, new ReplayOptions { BatchOperations = 5 });
        Assert.Equal(["applyOps"], target.Log);
        Assert.Equal(100, target.Content(Ns).Count);
    }

    [MongoToolsFact]
    public void Linked_vectored_inserts_are_no_transaction()
    {
        foreach (var file in (string[])["vectored_insert", "linked_vectored_inserts"])
        {
            var entries = MongoToolsData.Bson($"mongorestore/testdata/oplogs/bson/{file}.bson");
            var target = new MemoryTarget();
            target.Collections.Add("mongodump_test_db.coll1", []);
            var catalogue = new IndexCatalogue();
            catalogue.Add("mongodump_test_db.coll1", null, RawBson.Empty, []);
            var result = Replay(target, catalogue, entries, new ReplayOptions());
            Assert.Equal(0, result.Transactions);
            Assert.Equal(file is "vectored_insert" ? 2 : 5, target.Content("mongodump_test_db.coll1").Count);
        }
    }

    internal static ReplayResult Replay(MemoryTarget target, IndexCatalogue catalogue, IEnumerable<RawBson> entries, ReplayOptions options, NamespaceMap? map = null)
    {
        using var replayer = new OplogReplayer(target, map ?? NamespaceMap.All, catalogue, options, CancellationToken.None);
        foreach (var entry in entries)
        {
            if (!replayer.Apply(entry.Span))
                break;
        }

        return replayer.Complete();
    }

    private static List<RawBson> Inserts(OplogWriter oplog, int count) => [.. Enumerable.Range(0, count).Select(id =>
    {
        oplog.Insert(Ns, null, id, id);
        return oplog.TakeOperation();
    })];

    private static (MemoryTarget Target, IndexCatalogue Catalogue) Bank()
    {
        var target = new MemoryTarget();
        target.Collections.Add(Ns, []);
        var catalogue = new IndexCatalogue();
        catalogue.Add(Ns, null, RawBson.Empty, []);
        return (target, catalogue);
    }
}
