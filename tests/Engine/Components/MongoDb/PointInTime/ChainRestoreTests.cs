using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Engine.Tests.Components.MongoDb.Restoring;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.PointInTime;

/// <summary>A full backup and its increments give back every moment between them, and nothing after it.</summary>
public sealed class ChainRestoreTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Every_ordinal_of_a_chain_can_be_restored_and_is_inclusive(bool oneDatabase)
    {
        using var mongo = new MongoPlatform(new SandboxOptions());
        var session = mongo.Session(oneDatabase ? null : mongo.Uri);
        var slices = new SliceMaker(mongo, session);
        mongo.Insert("a", """{"_id": 0, "x": 0}""");
        mongo.Insert("other", """{"_id": 0}""");
        var backup = mongo.BackUp(session);
        var states = new List<(BsonTimestamp At, string State)> { (SliceMaker.At(backup.Oplog!.End), State(mongo)) };
        var last = backup;
        for (var round = 1; round <= 3; round++)
        {
            foreach (var change in Changes(round))
            {
                mongo.Json(change);
                states.Add((mongo.Sandbox.NewestEntry, State(mongo)));
                // Of another database: no part of a slice of this one.
                mongo.Json($$"""{"insert": "noise", "documents": [{"_id": {{states.Count}}}]}""", mongo.NewDatabase("noise"));
            }

            last = slices.After(last);
        }

        var to = mongo.NewDatabase("restored");
        foreach (var (at, state) in states)
        {
            var restore = Restore(mongo, session, last, at, to);
            Assert.Equal(state, State(mongo, to));
            Assert.Equal(oneDatabase || at == states[0].At ? at.ToString() : restore.Moment, restore.Moment);
        }
    }

    [Fact]
    public void The_moment_of_the_full_itself_needs_no_increment()
    {
        using var mongo = new MongoPlatform(new SandboxOptions());
        var session = mongo.Session();
        mongo.Insert("a", """{"_id": 1}""");
        var backup = mongo.BackUp(session);
        mongo.Insert("a", """{"_id": 2}""");
        new SliceMaker(mongo, session).After(backup);

        var step = RestorePlanner.Plan(session, backup, Into(mongo, mongo.NewDatabase("to"), SliceMaker.At(backup.Oplog!.End)), default);

        Assert.Empty(step.PointInTime!.Slices);
        Assert.Equal(backup.Oplog.End, step.PointInTime.UpTo);
        Assert.Equal(backup.Oplog.End, Workplace.Item<BotBackupRestore>([.. RestoreRunner.Run(session, [step], default).ToBlockingEnumerable()]).Moment);
    }

    [Fact]
    public void An_increment_restores_its_chain_up_to_its_end()
    {
        using var mongo = new MongoPlatform(new SandboxOptions());
        var session = mongo.Session();
        var slices = new SliceMaker(mongo, session);
        mongo.Insert("a", """{"_id": 1}""");
        var backup = mongo.BackUp(session);
        mongo.Insert("a", """{"_id": 2}""");
        var first = slices.After(backup);
        mongo.Insert("a", """{"_id": 3}""");
        slices.After(first);
        var to = mongo.NewDatabase("to");

        var restore = Workplace.Item<BotBackupRestore>(MongoPlatform.RunRestore(session, first, Into(mongo, to)));

        Assert.Equal(2, mongo.SetOf("a", to).Count);
        Assert.Equal(first.Oplog!.End, restore.Moment);
        Assert.Equal(first.Id, restore.Backup.Id);
    }

    [Fact]
    public void The_newest_full_is_the_base_also_where_it_ends_within_an_increment_and_an_older_one_does_as_well()
    {
        using var mongo = new MongoPlatform(new SandboxOptions());
        var session = mongo.Session();
        var slices = new SliceMaker(mongo, session);
        mongo.Insert("a", """{"_id": 1}""");
        var older = mongo.BackUp(session);
        mongo.Insert("a", """{"_id": 2}""");
        var newer = slices.Full(older);
        mongo.Insert("a", """{"_id": 3}""");
        var slice = slices.After(older);
        var to = mongo.NewDatabase("to");
        var at = SliceMaker.At(slice.Oplog!.End);

        var step = RestorePlanner.Plan(session, slice, Into(mongo, to), default);
        Assert.Equal(newer.Id, step.PointInTime!.Base.Id);
        Restore(mongo, session, slice, at, to);
        Assert.Equal(3, mongo.SetOf("a", to).Count);

        File.Delete(newer.Location + ".manifest.json");
        File.Delete(newer.Location + ".index");
        File.Delete(newer.Location);
        Assert.Equal(older.Id, RestorePlanner.Plan(session, slice, Into(mongo, to), default).PointInTime!.Base.Id);
        Restore(mongo, session, slice, at, to);
        Assert.Equal(3, mongo.SetOf("a", to).Count);
    }

    [Fact]
    public void Only_what_is_included_is_brought_back_under_the_name_that_is_given()
    {
        using var mongo = new MongoPlatform(new SandboxOptions());
        var session = mongo.Session();
        mongo.Insert("a", """{"_id": 1}""");
        mongo.Insert("b", """{"_id": 1}""");
        var backup = mongo.BackUp(session);
        mongo.Insert("a", """{"_id": 2}""");
        mongo.Insert("b", """{"_id": 2}""");
        var slice = new SliceMaker(mongo, session).After(backup);
        mongo.Json("""{"drop": "a"}""");
        var renames = new Dictionary<string, string>(StringComparer.Ordinal) { [$"{mongo.Database}.a"] = $"{mongo.Database}.again" };

        Workplace.Item<BotBackupRestore>(MongoPlatform.RunRestore(session, slice, new RestoreRequest { Include = ["*.a"], Renames = renames }));

        Assert.Equal("again b", string.Join(' ', mongo.Collections().Where(name => name[0] != '_')));
        Assert.Equal(2, mongo.SetOf("again").Count);
        Assert.Equal(2, mongo.SetOf("b").Count);
    }

    [Fact]
    public void A_transaction_over_two_increments_is_there_only_where_its_last_entry_is()
    {
        using var mongo = new MongoPlatform(new SandboxOptions { TransactionEntryBytes = 300 });
        var session = mongo.Session();
        var slices = new SliceMaker(mongo, session);
        mongo.Insert("a", """{"_id": 0}""");
        mongo.Insert("b", """{"_id": 0}""");
        var backup = mongo.BackUp(session);
        RunTransaction(mongo, 1, "commitTransaction");
        var entries = slices.Oplog(backup.Oplog!.End).Where(entry => entry.FindDocument("o"u8)!.Value.Has("applyOps"u8)).Select(SliceMaker.TimeOf).ToList();
        Assert.True(entries.Count > 2, "The transaction was to have several entries.");
        // The joint lies between them.
        var first = slices.After(backup, entries[0]);
        var second = slices.After(first);
        var to = mongo.NewDatabase("to");

        foreach (var at in entries.SkipLast(1))
        {
            Restore(mongo, session, second, at, to);
            Assert.Equal((1, 1), (mongo.SetOf("a", to).Count, mongo.SetOf("b", to).Count));
        }

        Restore(mongo, session, second, entries[^1], to);
        Assert.Equal((7, 7), (mongo.SetOf("a", to).Count, mongo.SetOf("b", to).Count));
    }

    [Theory]
    [InlineData("commitTransaction", 7)]
    [InlineData("abortTransaction", 1)]
    public void A_prepared_transaction_ends_in_a_later_increment(string end, int documents)
    {
        using var mongo = new MongoPlatform(new SandboxOptions { TransactionEntryBytes = 300 });
        var session = mongo.Session();
        var slices = new SliceMaker(mongo, session);
        mongo.Insert("a", """{"_id": 0}""");
        mongo.Insert("b", """{"_id": 0}""");
        var backup = mongo.BackUp(session);
        var prepared = RunTransaction(mongo, 1, "prepareTransaction");
        mongo.Insert("a", """{"_id": 100}""");
        var first = slices.After(backup);
        mongo.Insert("b", """{"_id": 100}""");
        var command = end is "commitTransaction" ? $$$""","commitTimestamp": {"$timestamp": {"t": {{{prepared.Seconds}}}, "i": {{{prepared.Ordinal}}}}}""" : "";
        mongo.Json($$"""{"{{end}}": 1, {{Session(1)}}, "autocommit": false{{command}}}""", "admin");
        var second = slices.After(first);
        var to = mongo.NewDatabase("to");

        Restore(mongo, session, first, SliceMaker.At(first.Oplog!.End), to);
        Assert.Equal((2, 1), (mongo.SetOf("a", to).Count, mongo.SetOf("b", to).Count));
        Restore(mongo, session, second, SliceMaker.At(second.Oplog!.End), to);
        Assert.Equal((documents + 1, documents + 1), (mongo.SetOf("a", to).Count, mongo.SetOf("b", to).Count));
    }

    internal static RestoreRequest Into(MongoPlatform mongo, string database, BsonTimestamp? at = null) => new()
    {
        Server = SecretUri.WithPassword(mongo.UriOf(database)),
        PointInTime = at is { } entry ? new Engine.Restores.PointInTime(entry) : null,
        NoSnapshot = true,
        Force = true,
    };

    internal static BotBackupRestore Restore(MongoPlatform mongo, BackupSession session, BotBackup backup, BsonTimestamp at, string to)
    {
        foreach (var standing in mongo.Collections(to))
            mongo.Run(new BsonBuilder().Append("drop", standing), to);
        var request = Into(mongo, to, at);
        // A dump of all databases has more than one, and the test's own is meant.
        if (backup.Manifest!.MongoDb!.Database is null)
            request = request with { Server = SecretUri.WithPassword(mongo.Uri), Include = [mongo.Database + ".*"], Renames = new Dictionary<string, string>(StringComparer.Ordinal) { [mongo.Database] = to } };
        return Workplace.Item<BotBackupRestore>(MongoPlatform.RunRestore(session, backup, request));
    }

    private static IEnumerable<string> Changes(int round) =>
    [
        $$"""{"insert": "a", "documents": [{"_id": {{round}}, "x": 1, "tags": [1, 2]}]}""",
        $$$$"""{"update": "a", "updates": [{"q": {"_id": {{{{round}}}}}, "u": {"$set": {"x": {{{{round * 10}}}}}}}]}""",
        $$"""{"insert": "b{{round}}", "documents": [{"_id": 1}]}""",
        $$"""{"createIndexes": "a", "indexes": [{"key": {"x{{round}}": 1}, "name": "x{{round}}"}]}""",
        $$$"""{"delete": "a", "deletes": [{"q": {"_id": {{{round - 1}}}}, "limit": 1}]}""",
        round == 2 ? """{"drop": "b1"}""" : $$"""{"insert": "other", "documents": [{"_id": {{round}}}]}""",
    ];

    private static string State(MongoPlatform mongo, string? database = null) =>
        mongo.Describe(database).Replace(database ?? mongo.Database, "DB", StringComparison.Ordinal);

    private static string Session(int number) => $$$$"""
        "lsid": {"id": {"$binary": {"base64": "AAAAAAAAAAAAAAAAAAAAAQ==", "subType": "04"}}}, "txnNumber": {"$numberLong": "{{{{number}}}}"}
        """;

    private static BsonTimestamp RunTransaction(MongoPlatform mongo, int number, string end)
    {
        for (var at = 1; at <= 6; at++)
        {
            foreach (var collection in new[] { "a", "b" })
            {
                var start = at == 1 && collection is "a" ? """, "startTransaction": true""" : "";
                mongo.Json($$"""{"insert": "{{collection}}", "documents": [{"_id": {{at}}, "text": "{{new string('x', 60)}}"}], {{Session(number)}}, "autocommit": false{{start}}}""");
            }
        }

        return mongo.Json($$"""{"{{end}}": 1, {{Session(number)}}, "autocommit": false}""", "admin").FindTimestamp("prepareTimestamp"u8) ?? default;
    }
}
