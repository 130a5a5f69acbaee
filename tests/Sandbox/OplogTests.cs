using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Tests.Values;
using Xunit;

namespace BotCore.Backup.Sandbox.Tests;

public sealed class OplogTests
{
    [Fact]
    public void Entries_have_the_servers_fields_in_order()
    {
        using var session = new Session();
        session.Insert("shop.t", Doc.Of(("_id", 1), ("n", 1), ("big", new string('x', 99))));
        session.Update("shop.t", Doc.Of(("_id", 1)), Doc.Of(("$set", Doc.Of(("n", 2)))));
        session.Delete("shop.t", Doc.Of(("_id", 1)));
        session.Run("shop", ("drop", "t"));
        var entries = session.Oplog();
        Assert.Equal(["n", "c", "i", "u", "d", "c"], entries.Select(entry => entry.FindString("op"u8)), StringComparer.Ordinal);
        Assert.Equal("op ns ui o ts t v wall", Names(entries[1]));
        Assert.Equal("create idIndex", Names(entries[1].FindDocument("o"u8)!.Value));
        Assert.Equal("op ns ui o o2 ts t v wall", Names(entries[2]));
        Assert.True(entries[3].FindDocument("o"u8)!.Value.Span.SequenceEqual(Doc.Of(("$v", 2), ("diff", Doc.Of(("u", Doc.Of(("n", 2)))))).Span));
        Assert.True(entries[4].FindDocument("o"u8)!.Value.Span.SequenceEqual(Doc.Of(("_id", 1)).Span));
        Assert.Equal(0, entries[5].FindDocument("o2"u8)!.Value.FindInt64("numRecords"u8));
        var times = entries.ConvertAll(entry => entry.FindTimestamp("ts"u8)!.Value);
        Assert.Equal(times.Distinct().Order(), times);
    }

    [Fact]
    public void Indexes_are_logged_in_the_form_that_fits()
    {
        using var session = new Session();
        object?[] spec = [Doc.Of(("key", Doc.Of(("a", 1))), ("name", "a_1"))];
        session.Run("shop", ("createIndexes", "empty"), ("indexes", spec));
        session.Insert("shop.full", Doc.Of(("_id", 1)));
        session.Run("shop", ("createIndexes", "full"), ("indexes", spec));
        var commands = session.Oplog().Where(entry => entry.FindString("op"u8) is "c").Select(entry => Names(entry.FindDocument("o"u8)!.Value));
        Assert.Equal(["create idIndex", "createIndexes v key name", "create idIndex", "startIndexBuild indexBuildUUID indexes", "commitIndexBuild indexBuildUUID indexes"], commands, StringComparer.Ordinal);
    }

    [Fact]
    public void Old_entries_fall_off_and_a_follower_is_told_so()
    {
        using var session = new Session(new SandboxOptions { OplogCap = 20_000 });
        var first = session.Oplog()[0].FindTimestamp("ts"u8)!.Value;
        using var follower = session.Client.Open("local", Doc.Build(("find", "oplog.rs"), ("tailable", true), ("awaitData", true)), new CursorOptions { Tailable = true, MaxAwait = TimeSpan.FromMilliseconds(1), BatchSize = 1 }, CancellationToken.None);
        Assert.Equal(CursorStep.Document, follower.Next());
        for (var i = 0; i < 300; i++)
            session.Insert("shop.t", Doc.Of(("_id", i), ("x", new string('x', 100))));
        var left = session.Oplog();
        Assert.InRange(left.Sum(entry => entry.Length), 15_000, 20_000);
        Assert.True(left[0].FindTimestamp("ts"u8) > first);
        var middle = left[20].FindTimestamp("ts"u8)!.Value;
        Assert.Equal(left.Count - 20, session.Find("local.oplog.rs", Doc.Of(("ts", Doc.Of(("$gte", middle))))).Count);
        Assert.Throws<MongoException>(() => follower.Next());
    }

    [Fact]
    public void A_follower_waits_and_is_woken()
    {
        using var session = new Session();
        using var follower = session.Client.Open("local", Doc.Build(("find", "oplog.rs"), ("filter", Doc.Of(("ts", Doc.Of(("$gt", session.Server.NewestEntry))))), ("tailable", true), ("awaitData", true)), new CursorOptions { Tailable = true, MaxAwait = TimeSpan.FromMilliseconds(20) }, CancellationToken.None);
        Assert.Equal(CursorStep.EmptyBatch, follower.Next());
        var written = session.Server.WriteNoOp();
        var step = follower.Next();
        while (step == CursorStep.EmptyBatch)
            step = follower.Next();
        Assert.Equal(CursorStep.Document, step);
        Assert.Equal(written, new RawBson(follower.Current.ToArray()).FindTimestamp("ts"u8));
    }

    [Fact]
    public void Majority_reads_end_at_the_majority_point()
    {
        using var session = new Session();
        var held = session.Server.WriteNoOp();
        session.Server.MajorityLag = held;
        session.Server.WriteNoOp();
        var majority = Doc.Of(("level", "majority"));
        Assert.Equal(held, session.Find("local.oplog.rs", null, ("readConcern", majority))[^1].FindTimestamp("ts"u8));
        Assert.Equal(held, session.Client.Refresh(CancellationToken.None).MajorityWrite);
        session.Server.MajorityLag = null;
        Assert.Equal(session.Server.NewestEntry, session.Find("local.oplog.rs", null, ("readConcern", majority))[^1].FindTimestamp("ts"u8));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_oplog_replayed_elsewhere_gives_the_same_data(int seed)
    {
        using var source = new Session();
        using var target = new Session();
        var values = new RandomBson(seed);
        var random = new Random(seed);
        for (var i = 0; i < 200; i++)
            Change(source, values, random);
        source.Run("shop", ("createIndexes", "t"), ("indexes", new object?[] { Doc.Of(("key", Doc.Of(("a", 1))), ("name", "a_1")) }));
        source.Run("admin", ("renameCollection", "shop.t"), ("to", "shop.moved"));
        foreach (var entry in source.Oplog().Where(entry => entry.FindDocument("o"u8)!.Value is var o && !o.Has("startIndexBuild"u8)))
            target.Run("admin", ("applyOps", new object?[] { Stripped(entry) }));
        var expected = source.Find("shop.moved", null, ("sort", Doc.Of(("_id", 1))));
        var found = target.Find("shop.moved", null, ("sort", Doc.Of(("_id", 1))));
        Assert.NotEmpty(expected);
        Assert.Equal(expected.Select(document => Convert.ToHexString(document.Span)), found.Select(document => Convert.ToHexString(document.Span)), StringComparer.Ordinal);
        Assert.Equal(2, target.All("shop", [("listIndexes", "moved")]).Count);
    }

    private static void Change(Session session, RandomBson values, Random random)
    {
        var id = Doc.Of(("_id", random.Next(20)));
        switch (random.Next(4))
        {
            case 0:
                session.Delete("shop.t", id);
                break;
            case 1:
                session.Update("shop.t", id, Doc.Of(("$set", Doc.Of(("a", values.Value(2)), ("b", values.Value(2)))), ("$unset", Doc.Of(("c", "")))), upsert: true);
                break;
            default:
                session.Update("shop.t", id, Doc.Of(("$set", Doc.Of(("pad", new string('p', 300)), ("c", values.Document()), ("s", random.Next())))), upsert: true);
                break;
        }
    }

    private static RawBson Stripped(RawBson entry)
    {
        var builder = new BsonBuilder();
        var reader = entry.Read();
        while (reader.Read())
        {
            if (reader.Current.NameText is not ("ui" or "ts" or "t" or "wall"))
                builder.Append(reader.Current);
        }

        return builder.ToBson();
    }

    private static string Names(RawBson document)
    {
        var names = new List<string>();
        var reader = document.Read();
        while (reader.Read())
            names.Add(reader.Current.NameText);
        return string.Join(' ', names);
    }
}
