using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb.Bson;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Replay;

public sealed class OplogReplayerTests
{
    private static readonly Guid A = new("11111111-1111-1111-1111-111111111111");
    private static readonly Guid B = new("22222222-2222-2222-2222-222222222222");

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_update_without_its_document_needs_a_delete_later(bool upserts)
    {
        var oplog = new OplogWriter();
        oplog.Set("a.x", A, 1, 5);
        oplog.Insert("a.x", A, 2, 1);
        oplog.Set("a.x", A, 2, 2);
        oplog.Delete("a.x", A, 1);
        oplog.Set("a.x", A, 2, 3);
        var target = Target(("a.x", A), out var catalogue, upserts);
        var result = Replay(target, catalogue, oplog);
        Assert.Equal((1, 3, 1, 1), (result.Inserts, result.Updates, result.Deletes, result.MissingDocuments));
        Assert.Equal(["""{"_id":{"$numberInt":"2"},"x":{"$numberInt":"3"}}"""], target.Content("a.x").Select(Tight), StringComparer.Ordinal);
        oplog.Set("a.x", A, 7, 1);
        var failure = Assert.Throws<BackupException>(() => Replay(Target(("a.x", A), out catalogue, upserts), catalogue, oplog)).Failure;
        Assert.Equal(FailureKind.RestoreMismatch, failure.Kind);
        Assert.Contains("1 of a.x", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_document_goes_with_its_collection()
    {
        var oplog = new OplogWriter();
        oplog.Set("a.x", A, 1, 5);
        oplog.Drop("a.x", A);
        Assert.Equal(1, Replay(Target(("a.x", A), out var catalogue), catalogue, oplog).MissingDocuments);
    }

    [Fact]
    public void The_culprit_is_named_without_its_data()
    {
        var oplog = new OplogWriter();
        for (var id = 0; id < 50; id++)
            oplog.Insert("a.x", A, id, id);
        var target = Target(("a.x", A), out var catalogue);
        target.Refuse = operation => operation.FindDocument("o"u8)!.Value.FindInt64("x"u8) == 31 ? "E11000 duplicate key { secret: 31 }" : null;
        var failure = Assert.Throws<BackupException>(() => Replay(target, catalogue, oplog)).Failure;
        Assert.Equal((FailureKind.RestoreFailed, "a.x"), (failure.Kind, failure.Target));
        Assert.Contains("insert of 1032:1 in a.x, of the document whose _id is Int32 with hash", failure.Message, StringComparison.Ordinal);
        Assert.Contains("E11000", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_lane_that_fails_ends_the_replay_also_when_its_queue_is_full()
    {
        var target = Target(("a.x", A), out var catalogue);
        target.Refuse = _ => "no";
        var oplog = new OplogWriter();
        for (var id = 0; id < 500; id++)
            oplog.Insert("a.x", A, id, id);
        BsonTimestamp? reached = null;
        var options = new ReplayOptions { Lanes = 1, BatchOperations = 1, CheckpointEvery = 1, CheckpointInterval = TimeSpan.Zero, Checkpoint = at => reached = at.AppliedTo };
        Assert.Equal(FailureKind.RestoreFailed, Assert.Throws<BackupException>(() => ReplayTransactionTests.Replay(target, catalogue, oplog.Entries, options)).Failure.Kind);
        Assert.Equal(new BsonTimestamp(1001, 0), reached);
    }

    [Fact]
    public void The_bound_is_inclusive()
    {
        var oplog = new OplogWriter();
        oplog.Insert("a.x", A, 1, 1);
        var bound = oplog.Insert("a.x", A, 2, 1);
        oplog.Insert("a.x", A, 3, 1);
        var target = Target(("a.x", A), out var catalogue);
        var result = ReplayTransactionTests.Replay(target, catalogue, oplog.Entries, new ReplayOptions { UpTo = bound });
        Assert.Equal((2, bound, 2), (target.Content("a.x").Count, result.Last, result.Entries));
    }

    [Fact]
    public void What_is_not_wanted_is_left_out_and_names_change_everywhere()
    {
        var oplog = new OplogWriter();
        oplog.Insert("bot.x", A, 1, 1);
        oplog.Insert("bot.y", B, 1, 1);
        oplog.Insert("config.system.sessions", null, 1, 1);
        oplog.Insert("bot.x", A, 2, 1);
        var inner = oplog.TakeOperation();
        oplog.Insert("bot.y", B, 2, 1);
        oplog.Transaction(1, [inner, oplog.TakeOperation()], each: 1);
        oplog.Rename("bot.x", "bot.z", A);
        oplog.Create("bot.x", new Guid("33333333-3333-3333-3333-333333333333"), capped: true);
        oplog.Drop("bot.y", B);
        var target = new MemoryTarget();
        target.Collections.Add("test.x", []);
        target.Collections.Add("test.y", []);
        var catalogue = new IndexCatalogue();
        catalogue.Add("bot.x", A, RawBson.Empty, []);
        var map = new NamespaceMap(ns => ns is not "bot.y", new Dictionary<string, string>(StringComparer.Ordinal) { ["bot"] = "test" });
        var result = ReplayTransactionTests.Replay(target, catalogue, oplog.Entries, new ReplayOptions(), map);
        Assert.Equal(["test.x", "test.y", "test.z"], target.Collections.Keys.Order(StringComparer.Ordinal), StringComparer.Ordinal);
        Assert.Equal((2, 0), (target.Content("test.z").Count, target.Content("test.x").Count));
        Assert.Equal(4, result.NotWanted);
        Assert.Empty(target.Content("test.y"));
    }

    [Fact]
    public void A_dump_under_the_later_name_gets_what_was_written_under_the_earlier_one()
    {
        var oplog = new OplogWriter();
        oplog.Insert("a.old", A, 1, 1);
        oplog.Rename("a.old", "a.x", A, victim: B);
        oplog.Insert("a.x", A, 2, 1);
        var target = Target(("a.x", A), out var catalogue);
        Replay(target, catalogue, oplog);
        Assert.Equal(2, target.Content("a.x").Count);
        Assert.Equal("a.x", Assert.Single(target.Collections.Keys));
    }

    [Fact]
    public void Collections_that_took_a_name_in_turn_are_not_mixed_up()
    {
        var oplog = new OplogWriter();
        oplog.Create("a.x", A);
        oplog.Insert("a.x", A, 1, 1);
        oplog.Rename("a.x", "a.y", A);
        oplog.Create("a.x", B);
        oplog.Insert("a.x", B, 2, 1);
        // The dump saw the later one only, under the name that the earlier one has first.
        var target = Target(("a.x", B), out var catalogue);
        target.Collections["a.x"].Add(1, new BsonBuilder().Append("_id", 9).ToBson());
        Replay(target, catalogue, oplog);
        Assert.Equal((1, 2), (target.Content("a.y").Count, target.Content("a.x").Count));
        Assert.Equal(2, target.Collections.Count);
    }

    [Fact]
    public void A_collection_that_the_dump_lacks_must_be_dropped_later()
    {
        var oplog = new OplogWriter();
        oplog.Insert("a.x", B, 1, 1);
        oplog.Rename("a.x", "a.y", B);
        Assert.Equal(FailureKind.RestoreMismatch, Assert.Throws<BackupException>(() => Replay(Target(("a.x", A), out var catalogue), catalogue, oplog)).Failure.Kind);
        oplog.Drop("a.y", B);
        var target = Target(("a.x", A), out var whole);
        Replay(target, whole, oplog);
        Assert.Empty(target.Content("a.x"));
    }

    [Fact]
    public void What_cannot_be_replayed_stops_it_and_says_how_far_one_can_go()
    {
        var oplog = new OplogWriter();
        var good = oplog.Insert("a.x", A, 1, 1);
        oplog.Command("a.x", null, o => o.Append("importCollection", "x"));
        var failure = Assert.Throws<BackupException>(() => Replay(Target(("a.x", A), out var catalogue), catalogue, oplog)).Failure;
        Assert.Equal(FailureKind.RestoreFailed, failure.Kind);
        Assert.Contains(good.ToString(), failure.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public void Capped_collections_keep_the_order_of_their_inserts()
    {
        var oplog = new OplogWriter();
        oplog.Create("a.log", B, capped: true);
        var order = new List<long>();
        for (var id = 0; id < 300; id++)
        {
            oplog.Insert("a.log", B, id * 7919 % 300, id);
            oplog.Insert("a.x", A, id, id);
        }

        var target = Target(("a.x", A), out var catalogue);
        target.Refuse = operation =>
        {
            if (operation.FindString("ns"u8) is "a.log")
                order.Add(operation.FindDocument("o"u8)!.Value.FindInt64("x"u8)!.Value);
            return null;
        };
        ReplayTransactionTests.Replay(target, catalogue, oplog.Entries, new ReplayOptions { Lanes = 8, BatchOperations = 3 });
        Assert.Equal(Enumerable.Range(0, 300).Select(id => (long)id), order);
    }

    [Fact]
    public void Views_follow_their_database()
    {
        var oplog = new OplogWriter();
        oplog.Create("bot.system.views", B);
        oplog.Entries.Add(ExtendedJson.Read("""{"op":"i","ns":"bot.system.views","o":{"_id":"bot.v","viewOn":"x","pipeline":[]},"ts":{"$timestamp":{"t":2000,"i":1}}}"""));
        var target = new MemoryTarget();
        var catalogue = new IndexCatalogue();
        var map = new NamespaceMap(renames: new Dictionary<string, string>(StringComparer.Ordinal) { ["bot"] = "test", ["bot.x"] = "test.y" });
        ReplayTransactionTests.Replay(target, catalogue, oplog.Entries, new ReplayOptions(), map);
        Assert.Equal(["""{"_id":"test.v","viewOn":"y","pipeline":[]}"""], target.Content("test.system.views").Select(Tight), StringComparer.Ordinal);
    }

    internal static MemoryTarget Target((string Name, Guid Uuid) collection, out IndexCatalogue catalogue, bool upserts = false)
    {
        catalogue = new IndexCatalogue();
        catalogue.Add(collection.Name, collection.Uuid, RawBson.Empty, []);
        var target = new MemoryTarget { Upserts = upserts };
        target.Collections.Add(collection.Name, []);
        return target;
    }

    private static ReplayResult Replay(MemoryTarget target, IndexCatalogue catalogue, OplogWriter oplog) => ReplayTransactionTests.Replay(target, catalogue, oplog.Entries, new ReplayOptions { Lanes = 2 });

    private static string Tight(string json) => json.Replace(" ", "", StringComparison.Ordinal);
}
