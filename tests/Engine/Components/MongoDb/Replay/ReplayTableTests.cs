using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Engine.Events;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Replay;

/// <summary>The table "Replay" of MONGODB.md, row by row: changes of documents and transactions. Commands are in <see cref="ReplayTableCommandTests"/>.</summary>
public sealed class ReplayTableTests
{
    [Fact]
    public void Row_n_is_skipped()
    {
        using var replay = new TableReplay();
        var result = replay.Run("""{"op": "n", "ns": "", "o": {"msg": "periodic noop"}}""");
        Assert.Equal((1, 1), (result.Entries, result.Skipped[OplogKind.NoOp]));
        Assert.Empty(replay.Commands);
    }

    [Fact]
    public void Row_i_replaces_what_has_that_id()
    {
        using var replay = new TableReplay();
        replay.Run("""{"op": "i", "ns": "a.x", "o": {"_id": 1, "v": "old"}}""", """{"op": "i", "ns": "a.x", "o": {"_id": 1, "v": "new"}}""");
        Assert.Equal(["""{"_id": 1, "v": "new"}"""], replay.Content("a.x"));
    }

    // The whole entry but what belongs to the source goes out, byte for byte; what it means is the server's affair.
    [Theory]
    [InlineData("""{"$v": 2, "diff": {"u": {"n": 5}, "i": {"fresh": true}, "sin": {"d": {"gone": false}, "slist": {"a": true, "u0": 9}}}}""", """{"_id": 1, "n": 5, "in": {"list": [9, 2]}, "fresh": true}""")]
    [InlineData("""{"$v": 1, "$set": {"n": 5, "in.gone": 7}}""", """{"_id": 1, "n": 5, "in": {"gone": 7, "list": [1, 2]}}""")]
    [InlineData("""{"$set": {"n": 5}, "$unset": {"in": true}}""", """{"_id": 1, "n": 5}""")]
    [InlineData("""{"_id": 1, "whole": "document"}""", """{"_id": 1, "whole": "document"}""")]
    public void Row_u_goes_through_untouched(string update, string after)
    {
        using var replay = new TableReplay("""{"_id": 1, "n": 1, "in": {"gone": 1, "list": [1, 2]}}""");
        replay.Run($$"""{"op": "u", "ns": "a.x", "o": {{update}}, "o2": {"_id": 1}, "lsid": {"id": 1}, "txnNumber": 4, "stmtId": 0, "prevOpTime": {"ts": {"$timestamp": {"t": 0, "i": 0} }, "t": -1} }""");
        var sent = replay.Operations.Single(operation => operation.FindString("op"u8) is "u" && operation.FindString("ns"u8) is "a.x");
        Assert.True(TableReplay.Json(update).Span.SequenceEqual(sent.FindDocument("o"u8)!.Value.Span));
        Assert.Equal("op ns o o2 v", TableReplay.Fields(sent));
        Assert.Equal([after], replay.Content("a.x"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Row_u_of_a_missing_document_needs_a_delete_that_follows(bool upserts)
    {
        const string update = """{"op": "u", "ns": "a.x", "o": {"$v": 2, "diff": {"u": {"n": 5}}}, "o2": {"_id": 7}}""";
        using var replay = new TableReplay(upserts, """{"_id": 1}""");
        Assert.Equal(1, replay.Run(update, """{"op": "d", "ns": "a.x", "o": {"_id": 7}}""").MissingDocuments);
        Assert.Equal(["""{"_id": 1}"""], replay.Content("a.x"));

        using var lost = new TableReplay(upserts, """{"_id": 1}""");
        Assert.Equal(FailureKind.RestoreMismatch, Assert.Throws<BackupException>(() => lost.Run(update)).Failure.Kind);
        Assert.Equal(["""{"_id": 1}"""], lost.Content("a.x"));
    }

    [Fact]
    public void Row_d_of_a_missing_document_is_fine()
    {
        using var replay = new TableReplay("""{"_id": 1}""");
        Assert.Equal(1, replay.Run("""{"op": "d", "ns": "a.x", "o": {"_id": 9}}""").Deletes);
        Assert.Equal(["""{"_id": 1}"""], replay.Content("a.x"));
    }

    [Fact]
    public void Row_transaction_in_one_entry_is_applied()
    {
        using var replay = new TableReplay();
        Assert.Equal(1, replay.Run(Part(1, 0, "1, 2")).Transactions);
        Assert.Equal(["""{"_id": 1}""", """{"_id": 2}"""], replay.Content("a.x"));
    }

    [Fact]
    public void Row_transaction_of_several_entries_waits_for_its_last()
    {
        string[] chain = [Part(1, 0, "1", ", \"partialTxn\": true"), Part(1, 1001, "2", ", \"partialTxn\": true"), Part(1, 1002, "3")];
        using var replay = new TableReplay();
        Assert.Single(replay.Run(chain[..2]).Unfinished);
        Assert.Empty(replay.Content("a.x"));

        using var whole = new TableReplay();
        Assert.Equal(1, whole.Run(chain).Transactions);
        Assert.Equal(3, whole.Content("a.x").Count);
    }

    [Fact]
    public void Row_transaction_prepared_waits_for_its_commit()
    {
        string[] chain = [Part(1, 0, "1", ", \"partialTxn\": true"), Part(1, 1001, "2", ", \"prepare\": true")];
        using var replay = new TableReplay();
        Assert.True(Assert.Single(replay.Run(chain).Unfinished).IsPrepared);
        Assert.Empty(replay.Content("a.x"));

        using var whole = new TableReplay();
        var commit = End(1, 1002, """{"commitTransaction": 1, "commitTimestamp": {"$timestamp": {"t": 1002, "i": 1}}}""");
        // What comes between prepare and commit is applied at its own time.
        Assert.Equal(1, whole.Run([.. chain, """{"op": "i", "ns": "a.x", "o": {"_id": 9}}""", commit]).Transactions);
        Assert.Equal(3, whole.Content("a.x").Count);
    }

    [Fact]
    public void Row_transaction_prepared_and_aborted_leaves_nothing()
    {
        using var replay = new TableReplay();
        var result = replay.Run(Part(1, 0, "1", ", \"partialTxn\": true"), Part(1, 1001, "2", ", \"prepare\": true"), End(1, 1002, """{"abortTransaction": 1}"""));
        Assert.Equal((1, 0, 0), (result.Aborted, result.Transactions, result.Unfinished.Count));
        Assert.Empty(replay.Content("a.x"));
    }

    [Fact]
    public void Row_applyOps_of_multiOpType_1_is_applied_at_once()
    {
        using var replay = new TableReplay();
        // By its chain alone it would be the middle of a transaction that began before.
        var result = replay.Run(Part(1, 77, "1, 2").Replace("\"lsid\"", "\"multiOpType\": 1, \"lsid\"", StringComparison.Ordinal));
        Assert.Equal((0, 2), (result.Transactions, result.Inserts));
        Assert.Equal(2, replay.Content("a.x").Count);
    }

    [Theory]
    [InlineData("ci")]
    [InlineData("cd")]
    [InlineData("cu")]
    [InlineData("km")]
    [InlineData("xi")]
    [InlineData("xd")]
    public void Row_bookkeeping_of_the_server_is_ignored(string op)
    {
        using var replay = new TableReplay();
        var result = replay.Run($$"""{"op": "{{op}}", "ns": "a.x", "o": {"_id": 1} }""");
        Assert.Equal(1, result.Skipped[OplogKind.Ignored]);
        Assert.Empty(replay.Commands);
        Assert.Empty(replay.Scan.Obstacles);
    }

    [Theory]
    [InlineData("config.settings", true)]
    [InlineData("config.chunks", true)]
    [InlineData("config.collections", true)]
    [InlineData("config.databases", true)]
    [InlineData("config.tags", true)]
    [InlineData("config.version", true)]
    [InlineData("config.shards", false)]
    [InlineData("config.system.sessions", false)]
    [InlineData("config.transactions", false)]
    [InlineData("admin.system.version", false)]
    public void Row_config_has_six_collections_that_are_replayed(string ns, bool replayed)
    {
        using var replay = new TableReplay(ns);
        var result = replay.Run($$"""{"op": "i", "ns": "{{ns}}", "o": {"_id": 1} }""");
        Assert.Equal(replayed ? (1, 0) : (0, 1), (result.Inserts, result.NotWanted));
        Assert.Equal(replayed ? 1 : 0, replay.Content(ns).Count);
    }

    private static string Part(int number, int previous, string ids, string more = "")
    {
        var operations = ids.Split(", ").Select(id => $$"""{"op": "i", "ns": "a.x", "o": {"_id": {{id}} } }""");
        return $$"""{"op": "c", "ns": "admin.$cmd", "o": {"applyOps": [{{string.Join(", ", operations)}}]{{more}} }, {{Chain(number, previous)}} }""";
    }

    private static string End(int number, int previous, string command) => $$"""{"op": "c", "ns": "admin.$cmd", "o": {{command}}, {{Chain(number, previous)}} }""";

    private static string Chain(int number, int previous) =>
        $$"""
        "lsid": {"id": 7}, "txnNumber": {{number}}, "prevOpTime": {"ts": {"$timestamp": {"t": {{previous}}, "i": {{(previous == 0 ? 0 : 1)}} } }, "t": {{(previous == 0 ? -1 : 1)}} }
        """;
}
