using System.Text.Json;
using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Dumping;

/// <summary>A dump is of one moment, whatever is written while it runs.</summary>
public sealed class DumpConsistencyTests
{
    internal const int Accounts = 600;

    [Fact]
    public async Task Amounts_that_move_between_collections_keep_their_sum()
    {
        using var mongo = new MongoPlatform();
        Fund(mongo);
        using var stop = new CancellationTokenSource();
        var moved = 0;
        var writer = Task.Run(() =>
        {
            var random = new Random(5);
            for (; !stop.IsCancellationRequested; moved++)
                Move(mongo, moved + 1, random.Next(Accounts), random.Next(Accounts), random.Next(1, 9));
        });
        SpinWait.SpinUntil(() => Volatile.Read(ref moved) > 20);
        var before = moved;
        var session = mongo.Session();
        var backup = mongo.BackUp(session);
        var during = moved - before;
        await stop.CancelAsync();
        await writer;

        var other = mongo.NewDatabase("sum");
        Workplace.Item<BotBackupRestore>(MongoPlatform.RunRestore(session, backup, new RestoreRequest { Server = SecretUri.WithPassword(mongo.UriOf(other)) }));

        Assert.True(during > 5, $"{during} moves");
        Assert.Equal(Accounts * 2000L, Sum(mongo, "left", other) + Sum(mongo, "right", other));
        // One of each move's marks is there for every move up to the end, and none after it.
        var marks = mongo.SetOf("marks", other).Count;
        Assert.InRange(marks, before, moved);
    }

    [Fact]
    public void The_slice_is_the_oplog_from_its_start_to_its_end()
    {
        using var trouble = new Trouble();
        var mongo = trouble.Mongo;
        mongo.Insert("victim", Trouble.Numbered(400));
        // Acts in the middle, and once more while the end is asked for: the slicer may be ahead of the end then.
        trouble.Always((command, space) =>
        {
            if (command is "getMore" && space.EndsWith(".victim", StringComparison.Ordinal))
                mongo.Insert("more", [new BsonBuilder().Append("x", 1).ToBson()]);
            return null;
        });

        var dump = RawDump.Of(mongo, new DumpSelection(Database: null));

        trouble.Always(null);
        var (start, end) = Span(dump);
        var entries = dump.Documents("oplog.bson");
        Assert.Equal(start, PlainBson.Time(entries[0]));
        Assert.Equal(end, PlainBson.Time(entries[^1]));
        var expected = new List<byte[]>();
        using var cursor = mongo.Client.Open("local", new BsonBuilder().Append("find", "oplog.rs"), new CursorOptions(), default);
        while (cursor.Next() == CursorStep.Document)
        {
            if (PlainBson.Time(cursor.Current.ToArray()) is var at && at >= start && at <= end)
                expected.Add(cursor.Current.ToArray());
        }

        Assert.True(expected.Count > 1);
        Assert.Equal(expected, entries);
    }

    [Fact]
    public void The_slicer_may_be_ahead_of_the_end()
    {
        using var trouble = new Trouble();
        var mongo = trouble.Mongo;
        mongo.Insert("victim", Trouble.Numbered(50));
        var hellos = 0;
        // After the answer that tells the end, more is written before the slicer hears of it.
        trouble.Always((command, space) =>
        {
            if (command is "hello" && space.Length > 0 && Interlocked.Increment(ref hellos) > 2)
                _ = Task.Run(() => mongo.Insert("more", Trouble.Numbered(1).Select(_ => new BsonBuilder().Append("y", 1).ToBson())));
            return null;
        });
        for (var round = 0; round < 8; round++)
        {
            var dump = RawDump.Of(mongo);
            Assert.Equal(Span(dump).End, PlainBson.Time(dump.Documents("oplog.bson")[^1]));
        }
    }

    [Fact]
    public void An_oplog_that_rolls_over_meanwhile_is_kept_by_the_slicer()
    {
        using var trouble = new Trouble(new SandboxOptions { OplogCap = 256 << 10 });
        var mongo = trouble.Mongo;
        mongo.Insert("victim", Trouble.Numbered(300));
        var slices = 0;
        trouble.Always((command, space) =>
        {
            if (command is "getMore" && space.EndsWith("oplog.rs", StringComparison.Ordinal))
                Interlocked.Increment(ref slices);
            else if (command is "getMore" && space.EndsWith(".victim", StringComparison.Ordinal))
                Overflow();
            return null;
        });
        var session = mongo.Session();
        var backup = mongo.BackUp(session);

        DumpDisturbanceTests.Compare(trouble, backup, session);
        Assert.True(Oldest(mongo) > ulong.MaxValue - 1 || Oldest(mongo) > Parse(backup.Manifest!.MongoDb!.Oplog!.Start));

        void Overflow()
        {
            for (var round = 0; round < 12; round++)
            {
                var seen = Volatile.Read(ref slices);
                mongo.Insert("flood", Enumerable.Range(0, 40).Select(number => new BsonBuilder().Append("_id", (round * 100) + number).Append("x", new string('x', 1000)).ToBson()));
                Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref slices) >= seen + 2, TimeSpan.FromSeconds(10)));
            }
        }
    }

    [Fact]
    public void An_oplog_that_is_lost_is_OplogGap_and_nothing_is_kept()
    {
        using var gate = new ManualResetEventSlim();
        using var trouble = new Trouble(new SandboxOptions { OplogCap = 64 << 10 });
        var mongo = trouble.Mongo;
        mongo.Insert("victim", Trouble.Numbered(300));
        trouble.Always((command, space) =>
        {
            if (command is "getMore" && space.EndsWith("oplog.rs", StringComparison.Ordinal) && !gate.IsSet)
                return new SandboxFault(SandboxFaultKind.Delay, Gate: gate);
            if (command is "getMore" && space.EndsWith(".victim", StringComparison.Ordinal) && !gate.IsSet)
            {
                mongo.Insert("flood", Trouble.Numbered(300, size: 1000));
                gate.Set();
            }

            return null;
        });

        var failure = Workplace.Failure(MongoPlatform.RunBackup(mongo.Session()));

        Assert.Equal(FailureKind.OplogGap, failure.Kind);
        Assert.Contains("replSetResizeOplog", failure.Advice, StringComparison.Ordinal);
        DumpDisturbanceTests.NothingKept(mongo);
    }

    [Fact]
    public void The_end_waits_for_the_majority()
    {
        using var trouble = new Trouble();
        var mongo = trouble.Mongo;
        mongo.Insert("victim", Trouble.Numbered(300));
        mongo.Sandbox.MajorityLag = mongo.Sandbox.NewestEntry;
        mongo.Insert("victim", [new BsonBuilder().Append("_id", "behind").ToBson()]);
        var newest = mongo.Sandbox.NewestEntry;
        var hellos = 0;
        trouble.Always((command, _) =>
        {
            if (command is "hello" && Interlocked.Increment(ref hellos) == 12)
                mongo.Sandbox.MajorityLag = null;
            return null;
        });

        var dump = RawDump.Of(mongo);

        Assert.True(hellos >= 12);
        Assert.True(Span(dump).End >= newest.Value);
        Assert.True(Span(dump).Start < newest.Value);
    }

    [Theory]
    [InlineData("getMore", "victim")]
    [InlineData("find", "transactions")]
    public void A_transaction_that_was_prepared_before_the_start_is_not_lost(string command, string collection)
    {
        using var trouble = new Trouble();
        var mongo = trouble.Mongo;
        mongo.Insert("victim", Trouble.Numbered(300));
        var session = new BsonBuilder().AppendBinary("id", Guid.NewGuid().ToByteArray(), 4).ToBson();
        BsonBuilder Tagged(BsonBuilder builder) => builder.Append("lsid", session).Append("txnNumber", 1L).Append("autocommit", value: false);
        mongo.Run(Tagged(new BsonBuilder().Append("insert", "victim").BeginArray("documents").BeginDocument("0").Append("_id", "prepared").End().End().Append("startTransaction", value: true)));
        mongo.Run(Tagged(new BsonBuilder().Append("prepareTransaction", 1)), "admin");
        var prepared = mongo.Sandbox.NewestEntry;
        mongo.Insert("other", Trouble.Numbered(30));
        trouble.Once(command, collection, () =>
        {
            mongo.Run(Tagged(new BsonBuilder().Append("commitTransaction", 1).Append("commitTimestamp", prepared)), "admin");
            return null;
        });
        var backups = mongo.Session();
        var backup = mongo.BackUp(backups);

        Assert.True(Parse(backup.Manifest!.MongoDb!.Oplog!.Start) <= prepared.Value);
        Assert.Equal(301, mongo.SetOf("victim").Count);
        DumpDisturbanceTests.Compare(trouble, backup, backups);
    }

    [Fact]
    public void A_swap_before_the_documents_are_read_does_no_harm_though_an_older_transaction_is_open()
    {
        using var trouble = new Trouble();
        var mongo = trouble.Mongo;
        mongo.Insert("victim", Trouble.Numbered(30));
        mongo.Insert("accounts", Trouble.Numbered(30));
        var session = new BsonBuilder().AppendBinary("id", Guid.NewGuid().ToByteArray(), 4).ToBson();
        BsonBuilder Tagged(BsonBuilder builder) => builder.Append("lsid", session).Append("txnNumber", 1L).Append("autocommit", value: false);
        mongo.Run(Tagged(new BsonBuilder().Append("insert", "accounts").BeginArray("documents").BeginDocument("0").Append("_id", "prepared").End().End().Append("startTransaction", value: true)));
        mongo.Run(Tagged(new BsonBuilder().Append("prepareTransaction", 1)), "admin");
        var prepared = mongo.Sandbox.NewestEntry;
        // Of the collection that goes, in every way: one that stayed in the slice would be replayed where it does not belong.
        mongo.Insert("victim", [new BsonBuilder().Append("_id", "of the old one").ToBson()]);
        Transaction(mongo, 1, [(mongo.Database, "victim", new BsonBuilder().Append("_id", "t").ToBson())]);
        Increments.Slices.SwapIn(mongo, "victim");
        mongo.Insert("victim", [new BsonBuilder().Append("_id", "of the new one").ToBson()]);
        trouble.Once("find", "victim", () =>
        {
            mongo.Run(Tagged(new BsonBuilder().Append("commitTransaction", 1).Append("commitTimestamp", prepared)), "admin");
            return null;
        });
        var backups = mongo.Session();
        var backup = mongo.BackUp(backups);

        Assert.True(Parse(backup.Manifest!.MongoDb!.Oplog!.Start) <= prepared.Value);
        Assert.Equal((3, 31), (mongo.SetOf("victim").Count, mongo.SetOf("accounts").Count));
        DumpDisturbanceTests.Compare(trouble, backup, backups);
    }

    [Fact]
    public void A_slice_of_one_database_holds_nothing_of_others_and_nothing_of_ours()
    {
        using var trouble = new Trouble();
        var mongo = trouble.Mongo;
        var foreign = mongo.NewDatabase("foreign");
        mongo.Insert("victim", Trouble.Numbered(300));
        mongo.Insert("__bot_old", Trouble.Numbered(3));
        trouble.Once("getMore", "victim", () =>
        {
            mongo.Insert("secrets", Trouble.Numbered(3, "foreign-text"), foreign);
            mongo.Insert("__bot_new", Trouble.Numbered(3, "own-text"));
            mongo.Insert("victim", [new BsonBuilder().Append("_id", "during").ToBson()]);
            Transaction(mongo, 1, [(foreign, "secrets", new BsonBuilder().Append("_id", "t").Append("text", "foreign-text").ToBson()), (mongo.Database, "victim", new BsonBuilder().Append("_id", "t").ToBson())]);
            Transaction(mongo, 2, [(foreign, "secrets", new BsonBuilder().Append("_id", "u").Append("text", "foreign-text").ToBson())]);
            return null;
        });

        var dump = RawDump.Of(mongo);

        var slice = dump.Files["oplog.bson"];
        Assert.Equal(-1, slice.AsSpan().IndexOf("foreign-text"u8));
        Assert.Equal(-1, slice.AsSpan().IndexOf("own-text"u8));
        Assert.True(slice.AsSpan().IndexOf("during"u8) > 0);
        Assert.Contains(dump.Documents("oplog.bson"), entry => string.Equals(PlainBson.Text(entry, "ns"), "admin.$cmd", StringComparison.Ordinal));
        Assert.DoesNotContain(dump.Files.Keys, path => path.Contains("__bot_", StringComparison.Ordinal));
    }

    private static (ulong Start, ulong End) Span(RawDump dump)
    {
        using var json = JsonDocument.Parse(dump.Files["backup-metadata.json"]);
        var oplog = json.RootElement.GetProperty("oplog");
        return (Parse(oplog.GetProperty("start").GetString()!), Parse(oplog.GetProperty("end").GetString()!));
    }

    private static ulong Parse(string text)
    {
        var parts = text.Split(':');
        return ((ulong)uint.Parse(parts[0], System.Globalization.CultureInfo.InvariantCulture) << 32) | uint.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture);
    }

    private static ulong Oldest(MongoPlatform mongo)
    {
        using var cursor = mongo.Client.Open("local", new BsonBuilder().Append("find", "oplog.rs").Append("limit", 1), new CursorOptions(), default);
        return cursor.Next() == CursorStep.Document ? PlainBson.Time(cursor.Current.ToArray()) : ulong.MaxValue;
    }

    internal static void Fund(MongoPlatform mongo)
    {
        foreach (var side in new[] { "left", "right" })
            mongo.Insert(side, Enumerable.Range(0, Accounts).Select(number => new BsonBuilder().Append("_id", number).Append("amount", 1000L).Append("text", new string('x', 200)).ToBson()));
        mongo.Run(new BsonBuilder().Append("create", "marks"));
    }

    internal static void Move(MongoPlatform mongo, int number, int from, int to, long amount)
    {
        var session = new BsonBuilder().AppendBinary("id", Guid.NewGuid().ToByteArray(), 4).ToBson();
        BsonBuilder Tagged(BsonBuilder builder, bool first = false)
        {
            builder.Append("lsid", session).Append("txnNumber", 1L).Append("autocommit", value: false);
            return first ? builder.Append("startTransaction", value: true) : builder;
        }

        BsonBuilder Add(string collection, int id, long by) => new BsonBuilder().Append("update", collection).BeginArray("updates").BeginDocument("0")
            .BeginDocument("q").Append("_id", id).End().BeginDocument("u").BeginDocument("$inc").Append("amount", by).End().End().End().End();
        mongo.Run(Tagged(Add("left", from, -amount), first: true));
        mongo.Run(Tagged(Add("right", to, amount)));
        mongo.Run(Tagged(new BsonBuilder().Append("insert", "marks").BeginArray("documents").BeginDocument("0").Append("_id", number).End().End()));
        mongo.Run(Tagged(new BsonBuilder().Append("commitTransaction", 1)), "admin");
    }

    private static void Transaction(MongoPlatform mongo, long number, (string Database, string Collection, RawBson Document)[] inserts)
    {
        var session = new BsonBuilder().AppendBinary("id", Guid.NewGuid().ToByteArray(), 4).ToBson();
        for (var at = 0; at < inserts.Length; at++)
        {
            var insert = new BsonBuilder().Append("insert", inserts[at].Collection).BeginArray("documents").Append("0", inserts[at].Document).End().Append("lsid", session).Append("txnNumber", number).Append("autocommit", value: false);
            mongo.Run(at == 0 ? insert.Append("startTransaction", value: true) : insert, inserts[at].Database);
        }

        mongo.Run(new BsonBuilder().Append("commitTransaction", 1).Append("lsid", session).Append("txnNumber", number).Append("autocommit", value: false), "admin");
    }

    internal static long Sum(MongoPlatform mongo, string collection, string database)
    {
        var sum = 0L;
        using var cursor = mongo.Client.Open(database, new BsonBuilder().Append("find", collection), new CursorOptions(), default);
        while (cursor.Next() == CursorStep.Document)
            sum += RawBson.TryFind(cursor.Current, "amount"u8, out var amount) ? amount.AsInt64() : 0;
        return sum;
    }
}
