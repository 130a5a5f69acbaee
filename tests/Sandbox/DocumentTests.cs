using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Protocols.MongoDb.Wire;
using Xunit;

namespace BotCore.Backup.Sandbox.Tests;

public sealed class DocumentTests
{
    [Fact]
    public void What_goes_in_comes_out_in_order_over_many_batches()
    {
        using var session = new Session();
        session.Run("shop", ("insert", "t"), ("documents", Enumerable.Range(0, 1000).Select(i => (object?)Doc.Of(("_id", i), ("x", "v" + i))).ToArray()));
        foreach (var exhaust in (bool[])[false, true])
        {
            var all = session.All("shop", [("find", "t"), ("batchSize", 7)], new CursorOptions { Exhaust = exhaust, BatchSize = 7 });
            Assert.Equal(Enumerable.Range(0, 1000), all.Select(document => (int)document.FindInt64("_id"u8)!.Value));
        }

        Assert.Equal(0, session.Server.OpenCursors);
    }

    [Fact]
    public void The_server_streams_where_the_client_takes_it()
    {
        using var session = new Session();
        session.Run("shop", ("insert", "t"), ("documents", Enumerable.Range(0, 10).Select(i => (object?)Doc.Of(("_id", i))).ToArray()));
        using var wire = new WireClient(session.Server);
        var cursor = wire.Ask("shop", Doc.Build(("find", "t"), ("batchSize", 4))).FindDocument("cursor"u8)!.Value;
        var reply = wire.Ask("shop", Doc.Build(("getMore", cursor.FindInt64("id"u8)), ("collection", "t"), ("batchSize", 4)), OpMsgFlags.ExhaustAllowed);
        Assert.True(reply.IsTrue("ok"u8));
        var last = wire.Next(out var more);
        Assert.False(more);
        Assert.Equal(0, last.FindDocument("cursor"u8)!.Value.FindInt64("id"u8));
    }

    [Fact]
    public void A_missing_id_is_made_and_stands_first_and_empty_timestamps_become_now()
    {
        using var session = new Session();
        session.Insert("shop.t", Doc.Of(("a", 1), ("ts", new BsonTimestamp(0, 0)), ("in", Doc.Of(("ts", new BsonTimestamp(0, 0))))), Doc.Of(("a", 2), ("_id", 7)), Doc.Of(("_id", 8), ("ts", new BsonTimestamp(0, 0))));
        var all = session.Find("shop.t");
        var reader = all[0].Read();
        Assert.True(reader.Read());
        Assert.Equal(BsonType.ObjectId, reader.Current.Type);
        Assert.NotEqual(0UL, all[0].FindTimestamp("ts"u8)!.Value.Value);
        Assert.Equal(0UL, all[0].FindDocument("in"u8)!.Value.FindTimestamp("ts"u8)!.Value.Value);
        Assert.True(all[1].Span.SequenceEqual(Doc.Of(("_id", 7), ("a", 2)).Span));
        Assert.NotEqual(0UL, all[2].FindTimestamp("ts"u8)!.Value.Value);
    }

    [Fact]
    public void Ranges_of_ids_keep_to_their_type()
    {
        using var session = new Session();
        session.Insert("shop.t", Doc.Of(("_id", 3)), Doc.Of(("_id", "b")), Doc.Of(("_id", 1L)), Doc.Of(("_id", 2.5)), Doc.Of(("_id", "a")), Doc.Of(("_id", Doc.Of(("x", 1)))));
        var numbers = session.Find("shop.t", Doc.Of(("_id", Doc.Of(("$gt", 1)))), ("sort", Doc.Of(("_id", 1))));
        Assert.Equal([2.5, 3.0], numbers.Select(document => { document.TryFind("_id"u8, out var id); return id.AsDouble(); }));
        Assert.Equal(2, session.Find("shop.t", Doc.Of(("_id", Doc.Of(("$gt", 1), ("$lte", 3))))).Count);
        Assert.Equal(["a", "b"], session.Find("shop.t", Doc.Of(("_id", Doc.Of(("$gte", "a")))), ("sort", Doc.Of(("_id", 1)))).Select(document => document.FindString("_id"u8)), StringComparer.Ordinal);
        Assert.Equal(6, session.Find("shop.t", Doc.Of(("_id", Doc.Of(("$gt", BsonType.MinKey))))).Count);
        Assert.Single(session.Find("shop.t", Doc.Of(("_id", Doc.Of(("x", 1.0))))));
        session.Insert("shop.t", Doc.Of(("_id", 0)));
        session.Delete("shop.t", Doc.Of(("_id", 3)));
        Assert.Equal(4, session.Find("shop.t", RawBson.Empty, ("sort", Doc.Of(("_id", 1)))).TakeWhile(document => !document.Has("stop"u8)).Count(document => { document.TryFind("_id"u8, out var id); return !id.IsNumber || id.AsDouble() < 2; }) - 1);
    }

    [Theory]
    [InlineData("$exists")]
    [InlineData("$size")]
    [InlineData("$elemMatch")]
    [InlineData("$in")]
    [InlineData("$regex")]
    [InlineData("$not")]
    public void Operators_find_what_they_should(string name)
    {
        using var session = new Session();
        session.Insert("shop.t", Doc.Of(("_id", 1), ("v", new object?[] { 1, 5 })), Doc.Of(("_id", 2), ("v", "abc")), Doc.Of(("_id", 3)));
        object operand = name switch { "$exists" => false, "$size" => 2, "$elemMatch" => Doc.Of(("$gt", 4)), "$in" => new object?[] { 5, "x" }, "$regex" => "^AB", _ => Doc.Of(("$type", "string")) };
        var condition = name is "$regex" ? Doc.Of((name, operand), ("$options", "i")) : Doc.Of((name, operand));
        var found = session.Find("shop.t", Doc.Of(("v", condition))).Select(document => document.FindInt64("_id"u8)!.Value);
        Assert.Equal(name switch { "$exists" => [3L], "$regex" => [2L], "$not" => [1L, 3L], _ => [1L] }, found);
    }

    [Fact]
    public void Same_ids_are_refused_and_unordered_batches_go_on()
    {
        using var session = new Session();
        session.Insert("shop.t", Doc.Of(("_id", 1)));
        var reply = session.Run("shop", ("insert", "t"), ("ordered", false), ("documents", new object?[] { Doc.Of(("_id", 1.0)), Doc.Of(("_id", 2)) }));
        Assert.Equal(1, reply.FindInt64("n"u8));
        var error = reply.FindDocument("writeErrors"u8)!.Value.FindDocument("0"u8)!.Value;
        Assert.Equal(11000, error.FindInt64("code"u8));
        Assert.Equal(0, error.FindInt64("index"u8));
    }

    [Fact]
    public void Updates_change_what_they_say()
    {
        using var session = new Session();
        session.Insert("shop.t", Doc.Of(("_id", 1), ("n", 1), ("list", new object?[] { 1, 2 }), ("old", "x")));
        session.Update("shop.t", Doc.Of(("_id", 1)), Doc.Of(("$inc", Doc.Of(("n", 2))), ("$push", Doc.Of(("list", 3))), ("$rename", Doc.Of(("old", "new"))), ("$set", Doc.Of(("a.b", true)))));
        Assert.True(session.Find("shop.t")[0].Span.SequenceEqual(Doc.Of(("_id", 1), ("n", 3), ("list", new object?[] { 1, 2, 3 }), ("new", "x"), ("a", Doc.Of(("b", true)))).Span));
        session.Update("shop.t", Doc.Of(("_id", 9)), Doc.Of(("$set", Doc.Of(("q", 1)))), upsert: true);
        Assert.True(session.Find("shop.t", Doc.Of(("_id", 9)))[0].Span.SequenceEqual(Doc.Of(("_id", 9), ("q", 1)).Span));
        Assert.Equal(2, session.Delete("shop.t", RawBson.Empty).FindInt64("n"u8));
    }

    [Fact]
    public void Memory_is_bounded()
    {
        using var session = new Session(new SandboxOptions { MemoryCap = 20_000 });
        session.Insert("shop.t", Doc.Of(("_id", 1), ("x", new string('x', 30_000))));
        Assert.Equal(14031, session.Fails("shop", ("insert", "t"), ("documents", new object?[] { Doc.Of(("_id", 2)) })));
    }

    [Fact]
    public void A_dropped_collection_ends_its_cursors()
    {
        using var session = new Session();
        session.Run("shop", ("insert", "t"), ("documents", Enumerable.Range(0, 500).Select(i => (object?)Doc.Of(("_id", i))).ToArray()));
        using var cursor = session.Client.Open("shop", Doc.Build(("find", "t")), new CursorOptions { BatchSize = 10 }, CancellationToken.None);
        Assert.Equal(CursorStep.Document, cursor.Next());
        session.Run("shop", ("drop", "t"));
        Assert.Throws<MongoException>(() =>
        {
            while (cursor.Next() == CursorStep.Document)
            {
            }
        });
    }
}
