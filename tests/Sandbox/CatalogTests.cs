using BotCore.Backup.Protocols.MongoDb.Bson;
using Xunit;

namespace BotCore.Backup.Sandbox.Tests;

public sealed class CatalogTests
{
    [Fact]
    public void Options_and_indexes_come_back_as_they_went_in()
    {
        using var session = new Session();
        session.Run("shop", ("create", "c"), ("capped", true), ("size", 4096), ("max", 3), ("validator", Doc.Of(("n", Doc.Of(("$gt", 0))))));
        session.Run("shop", ("createIndexes", "c"), ("indexes", new object?[] { Doc.Of(("key", Doc.Of(("a", 1), ("b", -1))), ("name", "ab"), ("sparse", true), ("expireAfterSeconds", 60)) }));
        var entry = Assert.Single(session.All("shop", [("listCollections", 1)]));
        Assert.Equal("c", entry.FindString("name"u8));
        Assert.True(entry.FindDocument("options"u8)!.Value.Span.SequenceEqual(Doc.Of(("capped", true), ("size", 4096), ("max", 3), ("validator", Doc.Of(("n", Doc.Of(("$gt", 0)))))).Span));
        Assert.True(entry.FindDocument("info"u8)!.Value.Has("uuid"u8));
        var indexes = session.All("shop", [("listIndexes", "c")]);
        Assert.Equal(["_id_", "ab"], indexes.Select(index => index.FindString("name"u8)), StringComparer.Ordinal);
        Assert.True(indexes[1].Span.SequenceEqual(Doc.Of(("v", 2), ("key", Doc.Of(("a", 1), ("b", -1))), ("name", "ab"), ("sparse", true), ("expireAfterSeconds", 60)).Span));
        session.Insert("shop.c", Doc.Of(("_id", 1), ("n", 1)), Doc.Of(("_id", 2), ("n", 1)), Doc.Of(("_id", 3), ("n", 1)), Doc.Of(("_id", 4), ("n", 1)));
        Assert.Equal([2L, 3L, 4L], session.Find("shop.c").Select(document => document.FindInt64("_id"u8)!.Value));
        Assert.True(session.Insert("shop.c", Doc.Of(("_id", 5), ("n", 0))).Has("writeErrors"u8));
        session.Run("shop", ("insert", "c"), ("bypassDocumentValidation", true), ("documents", new object?[] { Doc.Of(("_id", 5), ("n", 0)) }));
    }

    [Fact]
    public void Unique_indexes_hold_when_built_and_after()
    {
        using var session = new Session();
        session.Insert("shop.t", Doc.Of(("_id", 1), ("u", 1)), Doc.Of(("_id", 2), ("u", 1.0)));
        object?[] specs = [Doc.Of(("key", Doc.Of(("u", 1))), ("name", "u_1"), ("unique", true))];
        Assert.Equal(11000, session.Fails("shop", ("createIndexes", "t"), ("indexes", specs)));
        Assert.Single(session.All("shop", [("listIndexes", "t")]));
        session.Update("shop.t", Doc.Of(("_id", 2)), Doc.Of(("$set", Doc.Of(("u", 2)))));
        session.Run("shop", ("createIndexes", "t"), ("indexes", specs));
        Assert.True(session.Insert("shop.t", Doc.Of(("_id", 3), ("u", 2L))).Has("writeErrors"u8));
        Assert.True(session.Update("shop.t", Doc.Of(("_id", 1)), Doc.Of(("$set", Doc.Of(("u", 2))))).Has("writeErrors"u8));
        session.Delete("shop.t", Doc.Of(("_id", 2)));
        Assert.False(session.Insert("shop.t", Doc.Of(("_id", 3), ("u", 2L))).Has("writeErrors"u8));
        Assert.Equal(86, session.Fails("shop", ("createIndexes", "t"), ("indexes", new object?[] { Doc.Of(("key", Doc.Of(("z", 1))), ("name", "u_1")) })));
        Assert.Equal(85, session.Fails("shop", ("createIndexes", "t"), ("indexes", new object?[] { Doc.Of(("key", Doc.Of(("u", 1))), ("name", "other"), ("unique", true)) })));
    }

    [Fact]
    public void Renaming_moves_everything_and_may_drop_the_target()
    {
        using var session = new Session();
        session.Insert("shop.a", Doc.Of(("_id", 1)));
        session.Insert("shop.b", Doc.Of(("_id", 2)));
        Assert.Equal(48, session.Fails("admin", ("renameCollection", "shop.a"), ("to", "shop.b")));
        session.Run("admin", ("renameCollection", "shop.a"), ("to", "shop.b"), ("dropTarget", true));
        Assert.Equal(1, Assert.Single(session.Find("shop.b")).FindInt64("_id"u8));
        session.Run("admin", ("renameCollection", "shop.b"), ("to", "other.c"));
        Assert.Single(session.Find("other.c"));
        Assert.Empty(session.All("shop", [("listCollections", 1)]));
        var entry = session.Oplog().First(found => found.FindDocument("o"u8)!.Value.Has("renameCollection"u8));
        Assert.True(entry.FindDocument("o"u8)!.Value.TryFind("dropTarget"u8, out var target) && target.Type == BsonType.Binary);
    }

    [Fact]
    public void Views_and_time_series_are_listed_as_what_they_are()
    {
        using var session = new Session();
        session.Insert("shop.t", Doc.Of(("_id", 1), ("n", 1)), Doc.Of(("_id", 2), ("n", 2)));
        session.Run("shop", ("create", "v"), ("viewOn", "t"), ("pipeline", new object?[] { Doc.Of(("$match", Doc.Of(("n", 2)))) }));
        Assert.Equal(2, Assert.Single(session.Find("shop.v")).FindInt64("_id"u8));
        session.Run("shop", ("create", "ts"), ("timeseries", Doc.Of(("timeField", "at"))));
        var types = session.All("shop", [("listCollections", 1)]).ToDictionary(entry => entry.FindString("name"u8)!, entry => entry.FindString("type"u8), StringComparer.Ordinal);
        Assert.Equal(["system.buckets.ts", "system.views", "t", "ts", "v"], types.Keys.Order(StringComparer.Ordinal), StringComparer.Ordinal);
        Assert.Equal(("view", "timeseries", "collection"), (types["v"], types["ts"], types["system.buckets.ts"]));
        session.Run("shop", ("drop", "ts"));
        session.Run("shop", ("drop", "v"));
        Assert.Equal(2, session.All("shop", [("listCollections", 1)]).Count);
    }

    [Fact]
    public void Sums_and_counts_are_right()
    {
        using var session = new Session();
        session.Insert("shop.t", Doc.Of(("k", "a"), ("n", 1)), Doc.Of(("k", "b"), ("n", 2)), Doc.Of(("k", "a"), ("n", 3)));
        var groups = session.All("shop", [("aggregate", "t"), ("cursor", RawBson.Empty), ("pipeline", new object?[] { Doc.Of(("$group", Doc.Of(("_id", "$k"), ("sum", Doc.Of(("$sum", "$n")))))), Doc.Of(("$sort", Doc.Of(("_id", 1)))) })]);
        Assert.True(groups[0].Span.SequenceEqual(Doc.Of(("_id", "a"), ("sum", 4)).Span));
        Assert.Equal(2, session.Run("shop", ("count", "t"), ("query", Doc.Of(("k", "a")))).FindInt64("n"u8));
        Assert.Equal(40324, session.Fails("shop", ("aggregate", "t"), ("cursor", RawBson.Empty), ("pipeline", new object?[] { Doc.Of(("$facet", RawBson.Empty)) })));
    }
}
