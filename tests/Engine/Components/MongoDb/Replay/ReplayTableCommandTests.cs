using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb.Bson;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Replay;

/// <summary>The table "Replay" of MONGODB.md, row by row: commands.</summary>
public sealed class ReplayTableCommandTests
{
    private const string Index = """ "v": 2, "key": {"n": 1}, "name": "n_1" """;

    [Fact]
    public void Row_create_is_made_without_what_belongs_to_the_source()
    {
        using var replay = new TableReplay();
        replay.Run($$$"""{"op": "c", "ns": "a.$cmd", "ui": {{{TableReplay.A}}}, "o": {"create": "y", "capped": true, "size": 4096, "recordIdsReplicated": true, "idIndex": {"v": 2, "key": {"_id": 1}, "name": "_id_", "ns": "a.y"}}, "o2": {"catalogId": 5}}""");
        var sent = Assert.Single(replay.Operations);
        Assert.Equal("op ns o", TableReplay.Fields(sent));
        Assert.Equal("create capped size idIndex", TableReplay.Fields(sent.FindDocument("o"u8)!.Value));
        var made = replay.Collections("a").Single(one => one.FindString("name"u8) is "y");
        Assert.True(made.FindDocument("options"u8)!.Value.IsTrue("capped"u8));
    }

    [Fact]
    public void Row_create_of_what_stands_leaves_its_documents()
    {
        using var replay = new TableReplay("""{"_id": 1}""");
        replay.Run("""{"op": "c", "ns": "a.$cmd", "o": {"create": "x"}}""");
        Assert.Single(replay.Content("a.x"));
    }

    [Theory]
    [InlineData($$"""{"createIndexes": "x", {{Index}} }""")]
    [InlineData($$"""{"createIndexes": "x", "spec": { {{Index}} } }""")]
    [InlineData($$"""{"commitIndexBuild": "x", "indexBuildUUID": {{TableReplay.B}}, "indexes": [{ {{Index}} }]}""")]
    public void Row_createIndexes_and_commitIndexBuild_are_built_at_the_end(string command)
    {
        using var replay = new TableReplay("""{"_id": 1}""");
        replay.Run(Command(command), """{"op": "i", "ns": "a.x", "o": {"_id": 2}}""");
        Assert.Equal(["n_1"], replay.Catalogue.IndexNames("a.x"));
        Assert.Equal(["_id_"], replay.Indexes("a.x"));
        Assert.Equal(1, replay.BuildIndexes());
        Assert.Equal(["_id_", "n_1"], replay.Indexes("a.x"));
    }

    [Theory]
    [InlineData($$"""{"startIndexBuild": "x", "indexBuildUUID": {{TableReplay.B}}, "indexes": [{ {{Index}} }]}""")]
    [InlineData($$"""{"abortIndexBuild": "x", "indexBuildUUID": {{TableReplay.B}}, "indexes": [{ {{Index}} }], "cause": {"ok": false} }""")]
    [InlineData("""{"setMultikeyMetadata": "x", "n_1": {}}""")]
    [InlineData("""{"dropIdent": "index-5"}""")]
    [InlineData("""{"dbCheck": "x", "type": "batch"}""")]
    public void Row_what_leaves_nothing_behind_is_skipped(string command)
    {
        using var replay = new TableReplay();
        Assert.Equal(1, replay.Run(Command(command)).Skipped[OplogKind.SkippedCommand]);
        Assert.Empty(replay.Commands);
        Assert.Empty(replay.Catalogue.IndexNames("a.x"));
        Assert.Empty(replay.Scan.Obstacles);
    }

    [Theory]
    [InlineData("dropIndexes", "\"n_1\"", false)]
    [InlineData("dropIndexes", "{\"n\": 1}", true)]
    [InlineData("deleteIndex", "\"n_1\"", true)]
    [InlineData("deleteIndexes", "\"*\"", true)]
    public void Row_dropIndexes_leaves_the_catalogue_and_the_server_where_it_was_built(string name, string which, bool built)
    {
        using var replay = new TableReplay("""{"_id": 1}""");
        replay.Run(Command($$"""{"createIndexes": "x", {{Index}} }"""));
        if (built)
            replay.BuildIndexes();
        var before = replay.Commands.Count;
        replay.Run(Command($$"""{"{{name}}": "x", "index": {{which}} }"""));
        Assert.Empty(replay.Catalogue.IndexNames("a.x"));
        Assert.Equal(["_id_"], replay.Indexes("a.x"));
        Assert.Equal(built ? 1 : 0, replay.Commands.Count - before);
    }

    [Fact]
    public void Row_collMod_changes_the_catalogue_and_applies_the_rest()
    {
        using var replay = new TableReplay("""{"_id": 1}""");
        replay.Run(Command($$"""{"createIndexes": "x", {{Index}}, "expireAfterSeconds": 60}"""), Command("""{"collMod": "x", "index": {"name": "n_1", "expireAfterSeconds": 90}, "validator": {"n": {"$gte": 0}}}"""));
        Assert.Equal(90, Assert.Single(replay.Catalogue.Specifications("a.x")).FindInt64("expireAfterSeconds"u8));
        Assert.Equal("collMod validator", TableReplay.Fields(Assert.Single(replay.Operations).FindDocument("o"u8)!.Value));
        Assert.NotNull(replay.Collections("a")[0].FindDocument("options"u8)!.Value.FindDocument("validator"u8));
    }

    [Fact]
    public void Row_drop_goes_alone_and_takes_its_indexes_out()
    {
        using var replay = new TableReplay("""{"_id": 1}""");
        replay.Run(Command($$"""{"createIndexes": "x", {{Index}} }"""), """{"op": "i", "ns": "a.x", "o": {"_id": 2}}""", Command("""{"drop": "x"}"""));
        Assert.Equal("", replay.Names("a"));
        Assert.Equal(0, replay.BuildIndexes());
        var command = Assert.Single(replay.Commands, command => TableReplay.OperationsOf(command).Any(operation => operation.FindString("op"u8) is "c"));
        Assert.Single(TableReplay.OperationsOf(command));
    }

    [Fact]
    public void Row_dropDatabase_drops_what_the_restore_has_of_it()
    {
        using var replay = new TableReplay("""{"_id": 1}""");
        replay.Run(Command("""{"create": "y"}"""), Command("""{"dropDatabase": 1}"""));
        Assert.Equal("", replay.Names("a"));
        Assert.All(replay.Commands, command => Assert.Single(TableReplay.OperationsOf(command)));
        Assert.Equal(0, replay.Catalogue.Count);
    }

    [Fact]
    public void Row_renameCollection_goes_without_identities_and_its_target_is_dropped_before()
    {
        using var replay = new TableReplay("""{"_id": 1}""");
        replay.Run(
            Command("""{"create": "y"}""", TableReplay.B),
            $$"""{"op": "i", "ns": "a.y", "ui": {{TableReplay.B}}, "o": {"_id": "victim"} }""",
            Command($$"""{"renameCollection": "a.x", "to": "a.y", "stayTemp": false, "dropTarget": {{TableReplay.B}} }""", TableReplay.A));
        Assert.Equal("y", replay.Names("a"));
        Assert.Equal(["""{"_id": 1}"""], replay.Content("a.y"));
        Assert.All(replay.Commands, command => Assert.DoesNotContain("\"ui\"", ExtendedJson.ToText(command), StringComparison.Ordinal));
        Assert.All(replay.Commands, command => Assert.DoesNotContain("dropTarget", ExtendedJson.ToText(command), StringComparison.Ordinal));
        Assert.Contains(replay.Operations, operation => operation.FindDocument("o"u8)!.Value.FindString("drop"u8) is "y");
    }

    [Fact]
    public void Row_convertToCapped_is_applied()
    {
        using var replay = new TableReplay("""{"_id": 1}""");
        replay.Run(Command("""{"convertToCapped": "x", "size": 4096}""", TableReplay.A));
        Assert.Equal("op ns o", TableReplay.Fields(Assert.Single(replay.Operations)));
        Assert.True(replay.Collections("a").Single().FindDocument("options"u8)!.Value.IsTrue("capped"u8));
        Assert.Single(replay.Content("a.x"));
    }

    [Theory]
    [InlineData("""{"importCollection": "x", "ns": "a.x"}""", "importCollection")]
    [InlineData("""{"upgradeDowngradeViewlessTimeseries": "x"}""", "upgradeDowngradeViewlessTimeseries")]
    [InlineData("""{"somethingNew": "x"}""", "somethingNew")]
    public void Row_what_cannot_be_replayed_is_found_when_planning(string command, string name)
    {
        using var replay = new TableReplay();
        var failure = Assert.Throws<BackupException>(() => replay.Run("""{"op": "n", "ns": "", "o": {"msg": "x"}}""", Command(command))).Failure;
        Assert.Equal(FailureKind.RestoreFailed, failure.Kind);
        Assert.Equal([new ReplayObstacle(new BsonTimestamp(1002, 1), new BsonTimestamp(1001, 1), "a.x", name)], replay.Scan.Obstacles);
        Assert.Empty(replay.Commands);
    }

    private static string Command(string o, string? identity = null) => $$"""{"op": "c", "ns": "a.$cmd"{{(identity is null ? "" : $", \"ui\": {identity}")}}, "o": {{o}} }""";
}
