using BotCore.Backup.Engine.Components.MongoDb;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Components.MongoDb.Restoring;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Engine.Tests.Components.MongoDb.Replay;
using BotCore.Backup.Protocols.MongoDb.Bson;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Restoring;

/// <summary>What happened on the source while it was dumped: the slice of the oplog is brought into the staged collections, and never touches what stands there.</summary>
public sealed class SliceTests
{
    private static readonly Guid A = Guid.NewGuid();
    private static readonly Guid B = Guid.NewGuid();

    [Fact]
    public void Changes_creations_renames_and_drops_of_the_slice_are_part_of_the_restore()
    {
        using var mongo = new MongoPlatform();
        var other = mongo.NewDatabase("made by the oplog".Replace(' ', '_'));
        mongo.Insert("a", """{"_id": "live"}""");
        mongo.Insert("b", """{"_id": "live b"}""");
        mongo.Insert("fresh", """{"_id": "live, and not in the dump"}""");
        var before = mongo.Describe();
        var dump = new MemoryDump().Add(mongo.Database, "a", A, ["""{"_id": 1, "x": 1}""", """{"_id": 2, "x": 2}"""]).Add(mongo.Database, "b", B, ["""{"_id": 1, "x": 1}"""]);
        var (log, fresh, far) = (new OplogWriter(), Guid.NewGuid(), Guid.NewGuid());
        log.Set($"{mongo.Database}.a", A, 1, 11);
        log.Delete($"{mongo.Database}.a", A, 2);
        log.Drop($"{mongo.Database}.b", B);
        log.Create($"{mongo.Database}.tmp", fresh);
        log.Insert($"{mongo.Database}.tmp", fresh, 7, 7);
        log.Rename($"{mongo.Database}.tmp", $"{mongo.Database}.fresh", fresh);
        log.CreateIndex($"{mongo.Database}.fresh", fresh, "x", expires: true);
        log.Create($"{other}.far", far);
        log.Insert($"{other}.far", far, 8, 8);
        dump.Oplog.AddRange(log.Entries);
        IReadOnlyList<DumpNamespace> replaced = [];

        var result = OverwriteTests.Job(mongo, dump, options => options with { Overwriting = names => replaced = names }).Run(default);

        Assert.Equal(["""{"_id":{"$numberInt":"1"},"x":{"$numberInt":"11"}}"""], mongo.Texts("a"));
        Assert.Equal(["""{"_id":{"$numberInt":"7"},"x":{"$numberInt":"7"}}"""], mongo.Texts("fresh"));
        Assert.Contains(mongo.Indexes("fresh"), index => index.Contains("expireAfterSeconds", StringComparison.Ordinal));
        Assert.Equal(["""{"_id":{"$numberInt":"8"},"x":{"$numberInt":"8"}}"""], mongo.Texts("far", other));
        // Gone from the backup, so not its to touch.
        Assert.Equal(["""{"_id":"live b"}"""], mongo.Texts("b"));
        Assert.Contains(replaced, name => name.Collection is "fresh");
        Assert.Equal(log.Now, result.Replay!.Last);

        Assert.DoesNotContain([.. UndoRunner.Run(mongo.Session(), result.Id, null, default).ToBlockingEnumerable()], happened => happened is Failed);
        Assert.Equal(before, mongo.Describe());
        Assert.Empty(mongo.Collections(other));
    }

    [Fact]
    public void Views_are_as_the_slice_leaves_them()
    {
        using var mongo = new MongoPlatform();
        var views = Guid.NewGuid();
        var dump = new MemoryDump().Add(mongo.Database, "a", A, ["""{"_id": 1}"""])
            .Add(mongo.Database, "kept", null, [], options: """{"viewOn": "a", "pipeline": []}""")
            .Add(mongo.Database, "changed", null, [], options: """{"viewOn": "a", "pipeline": []}""")
            .Add(mongo.Database, "dropped", null, [], options: """{"viewOn": "a", "pipeline": []}""");
        var space = $"{mongo.Database}.system.views";
        dump.Oplog.Add(Entry(1, "i", space, views, View(mongo, "made", 1)));
        dump.Oplog.Add(Entry(2, "u", space, views, View(mongo, "changed", 2), $$"""{"_id": "{{mongo.Database}}.changed"}"""));
        dump.Oplog.Add(Entry(3, "d", space, views, $$"""{"_id": "{{mongo.Database}}.dropped"}"""));
        dump.Oplog.Add(Entry(4, "i", space, views, View(mongo, "short", 4)));
        dump.Oplog.Add(Entry(5, "d", space, views, $$"""{"_id": "{{mongo.Database}}.short"}"""));
        var other = mongo.NewDatabase("other");

        OverwriteTests.Job(mongo, dump, options => options with { Database = other }).Run(default);

        var text = mongo.Describe(other);
        Assert.Equal("a changed kept made", string.Join(' ', mongo.Collections(other).Where(name => name[0] != '_')));
        Assert.Contains("\"x\":{\"$numberInt\":\"2\"}", text, StringComparison.Ordinal);
        Assert.Equal("", mongo.Describe());
    }

    [Fact]
    public void A_time_series_collection_that_the_slice_makes_is_made()
    {
        using var mongo = new MongoPlatform();
        var buckets = Guid.NewGuid();
        var dump = new MemoryDump().Add(mongo.Database, "a", A, ["""{"_id": 1}"""]);
        dump.Oplog.Add(Entry(1, "c", $"{mongo.Database}.$cmd", buckets, """{"create": "system.buckets.ticks", "clusteredIndex": true, "timeseries": {"timeField": "at", "granularity": "hours", "bucketMaxSpanSeconds": 2592000}}"""));
        dump.Oplog.Add(Entry(2, "i", $"{mongo.Database}.system.buckets.ticks", buckets, """{"_id": {"$oid": "65a000000000000000000001"}, "control": {"version": 1}, "data": {"at": {}}}"""));
        var other = mongo.NewDatabase("other");

        OverwriteTests.Job(mongo, dump, options => options with { Database = other }).Run(default);

        Assert.Contains("ticks timeseries", mongo.Describe(other), StringComparison.Ordinal);
        Assert.Equal(1, mongo.SetOf("system.buckets.ticks", other).Count);
        Assert.Equal("", mongo.Describe());
    }

    [Fact]
    public void What_cannot_be_replayed_is_refused_before_anything_is_written()
    {
        using var mongo = new MongoPlatform();
        mongo.Insert("a", """{"_id": "live"}""");
        var before = mongo.Describe();
        var dump = new MemoryDump().Add(mongo.Database, "a", A, ["""{"_id": 1, "x": 1}"""]).Add(mongo.Database, "b", B, []);
        var log = new OplogWriter();
        var good = log.Set($"{mongo.Database}.a", A, 1, 2);
        log.Command($"{mongo.Database}.b", B, o => o.Append("importCollection", $"{mongo.Database}.b"));
        dump.Oplog.AddRange(log.Entries);

        var failure = Assert.Throws<BackupException>(() => OverwriteTests.Job(mongo, dump).Run(default)).Failure;
        Assert.Equal(FailureKind.RestoreFailed, failure.Kind);
        Assert.Contains("importCollection", failure.Message, StringComparison.Ordinal);
        Assert.Contains(good.ToString(), failure.Message, StringComparison.Ordinal);
        Assert.Equal(before, mongo.Describe());
        Assert.Empty(mongo.Leftovers());
    }

    [Fact]
    public void Two_collections_never_get_one_name_not_even_by_the_oplog()
    {
        using var mongo = new MongoPlatform();
        var dump = new MemoryDump().Add(mongo.Database, "a", A, ["""{"_id": 1, "x": 1}"""]);
        var log = new OplogWriter();
        log.Create($"{mongo.Database}.b", B);
        dump.Oplog.AddRange(log.Entries);
        var renames = new RestoreMapping(new Dictionary<string, string>(StringComparer.Ordinal) { [$"{mongo.Database}.a"] = $"{mongo.Database}.b" });

        var failure = Assert.Throws<BackupException>(() => OverwriteTests.Job(mongo, dump, options => options with { Mapping = renames }).Run(default)).Failure;
        Assert.Equal(FailureKind.ConfigurationInvalid, failure.Kind);
        Assert.Empty(mongo.Collections());
    }

    [Fact]
    public void Of_a_transaction_only_the_wanted_collection_and_under_its_new_name()
    {
        using var mongo = new MongoPlatform();
        var dump = new MemoryDump().Add(mongo.Database, "a", A, ["""{"_id": 1, "x": 1}"""]).Add(mongo.Database, "b", B, ["""{"_id": 1, "x": 1}"""]);
        var log = new OplogWriter();
        log.Set($"{mongo.Database}.a", A, 1, 5);
        var one = log.TakeOperation();
        log.Set($"{mongo.Database}.b", B, 1, 6);
        var two = log.TakeOperation();
        log.Transaction(1, [one, two], 1);
        dump.Oplog.AddRange(log.Entries);
        var renames = new RestoreMapping(new Dictionary<string, string>(StringComparer.Ordinal) { [$"{mongo.Database}.a"] = $"{mongo.Database}.renamed" });

        OverwriteTests.Job(mongo, dump, options => options with { Wanted = new NamespaceFilter([$"{mongo.Database}.a"], []), Mapping = renames }).Run(default);

        Assert.Equal("renamed", string.Join(' ', mongo.Collections().Where(name => name[0] != '_')));
        Assert.Equal(["""{"_id":{"$numberInt":"1"},"x":{"$numberInt":"5"}}"""], mongo.Texts("renamed"));
    }

    private static string View(MongoPlatform mongo, string name, int x) => $$$"""{"_id": "{{{mongo.Database}}}.{{{name}}}", "viewOn": "a", "pipeline": [{"$match": {"x": {{{x}}}}}]}""";

    private static RawBson Entry(uint at, string op, string ns, Guid uuid, string o, string? o2 = null)
    {
        var entry = new BsonBuilder().Append("op", op).Append("ns", ns).AppendBinary("ui", uuid.ToByteArray(bigEndian: true), 4).Append("o", ExtendedJson.Read(o));
        if (o2 is not null)
            entry.Append("o2", ExtendedJson.Read(o2));
        return entry.Append("ts", new BsonTimestamp(1000 + at, 1)).Append("t", 1L).Append("v", 2L).ToBson();
    }
}
