using BotCore.Backup.Protocols.MongoDb.Bson;
using Xunit;

namespace BotCore.Backup.Sandbox.Tests;

public sealed class TransactionTests
{
    private readonly RawBson _session = Doc.Of(("id", Guid.NewGuid()));

    [Fact]
    public void A_transaction_is_one_entry_and_unseen_before()
    {
        using var session = new Session();
        session.Run("shop", ("create", "t"));
        Write(session, 1, 3);
        Assert.Empty(session.Find("shop.t"));
        Assert.Equal(3, session.All("shop", [("find", "t"), .. Tag(1)]).Count);
        session.Run("admin", [("commitTransaction", 1), .. Tag(1)]);
        Assert.Equal(3, session.Find("shop.t").Count);
        var entry = session.Oplog()[^1];
        Assert.Equal("admin.$cmd", entry.FindString("ns"u8));
        Assert.Equal(1, entry.FindInt64("txnNumber"u8));
        Assert.True(entry.FindDocument("lsid"u8)!.Value.Has("uid"u8));
        Assert.True(entry.FindDocument("o"u8)!.Value.FindDocument("applyOps"u8)!.Value.Has("2"u8));
        Assert.Equal("committed", Assert.Single(session.Find("config.transactions")).FindString("state"u8));
        Assert.Equal(251, session.Fails("admin", [("commitTransaction", 1), .. Tag(2)]));
    }

    [Fact]
    public void A_large_one_is_a_chain()
    {
        using var session = new Session(new SandboxOptions { TransactionEntryBytes = 400 });
        session.Run("shop", ("create", "t"));
        Write(session, 1, 9);
        session.Run("admin", [("commitTransaction", 1), .. Tag(1)]);
        var chain = session.Oplog().FindAll(entry => entry.Has("txnNumber"u8));
        Assert.True(chain.Count > 2);
        BsonTimestamp previous = default;
        foreach (var entry in chain)
        {
            Assert.Equal(previous, entry.FindDocument("prevOpTime"u8)!.Value.FindTimestamp("ts"u8));
            previous = entry.FindTimestamp("ts"u8)!.Value;
            Assert.Equal(entry.Span.SequenceEqual(chain[^1].Span), !entry.FindDocument("o"u8)!.Value.Has("partialTxn"u8));
        }

        Assert.Equal(9, chain[^1].FindDocument("o"u8)!.Value.FindInt64("count"u8));
    }

    [Fact]
    public void A_conflict_ends_it_and_an_abort_leaves_nothing()
    {
        using var session = new Session();
        session.Insert("shop.t", Doc.Of(("_id", 0), ("n", 0)));
        session.Run("shop", [("update", "t"), ("updates", new object?[] { Doc.Of(("q", RawBson.Empty), ("u", Doc.Of(("$set", Doc.Of(("n", 1)))))) }), ("startTransaction", true), .. Tag(1)]);
        session.Update("shop.t", RawBson.Empty, Doc.Of(("$set", Doc.Of(("n", 2)))));
        Assert.Equal(112, session.Fails("admin", [("commitTransaction", 1), .. Tag(1)]));
        Write(session, 2, 2);
        session.Run("admin", [("abortTransaction", 1), .. Tag(2)]);
        Assert.Equal(2, Assert.Single(session.Find("shop.t")).FindInt64("n"u8));
        Assert.DoesNotContain(session.Oplog(), entry => entry.Has("txnNumber"u8));
    }

    [Fact]
    public void A_prepared_one_stands_in_the_table_until_it_ends()
    {
        using var session = new Session();
        session.Run("shop", ("create", "t"));
        Write(session, 1, 1);
        var ts = session.Run("admin", [("prepareTransaction", 1), .. Tag(1)]).FindTimestamp("prepareTimestamp"u8);
        var row = Assert.Single(session.Find("config.transactions"));
        Assert.Equal("prepared", row.FindString("state"u8));
        Assert.Equal(ts, row.FindDocument("startOpTime"u8)!.Value.FindTimestamp("ts"u8));
        Assert.True(session.Oplog()[^1].FindDocument("o"u8)!.Value.IsTrue("prepare"u8));
        session.Insert("shop.t", Doc.Of(("_id", "other")));
        session.Run("admin", [("commitTransaction", 1), ("commitTimestamp", ts), .. Tag(1)]);
        Assert.Equal(2, session.Find("shop.t").Count);
        var entry = session.Oplog()[^1];
        Assert.Equal(ts, entry.FindDocument("prevOpTime"u8)!.Value.FindTimestamp("ts"u8));
        Assert.True(entry.FindDocument("o"u8)!.Value.Has("commitTransaction"u8));
    }

    [Fact]
    public void A_write_that_may_be_sent_again_carries_its_number()
    {
        using var session = new Session();
        session.Run("shop", ("insert", "t"), ("documents", new object?[] { Doc.Of(("_id", 1)) }), ("lsid", _session), ("txnNumber", 5L));
        var entry = session.Oplog()[^1];
        Assert.Equal(5, entry.FindInt64("txnNumber"u8));
        Assert.Equal(0, entry.FindInt64("stmtId"u8));
    }

    [Fact]
    public void ApplyOps_tells_how_far_it_came()
    {
        using var session = new Session();
        session.Run("shop", ("create", "t"));
        using var wire = new WireClient(session.Server);
        object?[] operations = [Entry("i", Doc.Of(("_id", 1))), Entry("i", Doc.Of(("_id", 1), ("n", 2))), Entry("d", Doc.Of(("_id", 7))), Entry("u", Doc.Of(("$v", 2), ("diff", RawBson.Empty)), Doc.Of(("_id", 8))), Entry("i", Doc.Of(("_id", 9)))];
        var reply = wire.Ask("admin", Doc.Build(("applyOps", operations)));
        Assert.False(reply.IsTrue("ok"u8));
        Assert.True(reply.FindDocument("results"u8)!.Value.Span.SequenceEqual(Doc.Of(("0", true), ("1", true), ("2", true), ("3", false)).Span));
        Assert.Equal(2, Assert.Single(session.Find("shop.t")).FindInt64("n"u8));
        Assert.True(wire.Ask("admin", Doc.Build(("applyOps", operations), ("alwaysUpsert", true))).IsTrue("ok"u8));
        Assert.Equal(3, session.Find("shop.t").Count);
    }

    private static RawBson Entry(string op, RawBson o, RawBson? o2 = null) =>
        o2 is { } second ? Doc.Of(("op", op), ("ns", "shop.t"), ("o", o), ("o2", second)) : Doc.Of(("op", op), ("ns", "shop.t"), ("o", o));

    private void Write(Session session, long number, int count)
    {
        for (var i = 0; i < count; i++)
        {
            (string, object?)[] start = i == 0 ? [("startTransaction", true)] : [];
            session.Run("shop", [("insert", "t"), ("documents", new object?[] { Doc.Of(("_id", i + 1), ("x", "y")) }), .. start, .. Tag(number)]);
        }
    }

    private (string, object?)[] Tag(long number) => [("lsid", _session), ("txnNumber", number), ("autocommit", false)];
}
