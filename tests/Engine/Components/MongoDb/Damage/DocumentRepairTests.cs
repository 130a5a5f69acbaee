using BotCore.Backup.Engine.Components.MongoDb.Damage;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb.Bson;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Damage;

/// <summary>The victims of one event come back, and nothing else is touched.</summary>
public sealed class DocumentRepairTests : IDisposable
{
    private readonly MongoPlatform _platform = new();
    private readonly BackupSession _session;
    private readonly ChainMaker _chain;

    public DocumentRepairTests()
    {
        _session = _platform.Session();
        _platform.Insert("trades", Enumerable.Range(0, 400).Select(id => Trade(id, "was")));
        _platform.Insert("users", [Trade(1, "user")]);
        _chain = new ChainMaker(_platform, _session, _platform.BackUp(_session));
    }

    [Fact]
    public void Deleted_documents_come_back_and_later_writes_stay()
    {
        Update("trades", 10, 20, "changed after the full backup");
        _chain.Cut();
        Delete(0, 150);
        _platform.Insert("trades", [Trade(1000, "later")]);
        _chain.Cut();
        Update("trades", 300, 310, "later");
        _platform.Insert("trades", [Trade(3, "lives again"), Trade(4, "was")]);
        var repair = Repair(Find(OplogEventKind.MassDelete));
        Assert.Equal((Outcome.Succeeded, 150, 148, 1, 1, 0, 0), (repair.Outcome, repair.Victims, repair.Repaired, repair.Same, repair.ConflictCount, repair.LostCount, repair.Unproven));
        var conflict = Assert.Single(repair.Conflicts);
        Assert.Equal("{\"$numberInt\":\"3\"}", conflict.Id);
        Assert.Contains("was written since", conflict.Reason, StringComparison.Ordinal);
        Demand(Enumerable.Range(0, 400).Select(id => Trade(id, id == 3 ? "lives again" : id is >= 10 and < 20 ? "changed after the full backup" : id is >= 300 and < 310 ? "later" : "was")).Append(Trade(1000, "later")));
        Again(repair.Event, same: 149, conflicts: 1);
    }

    [Fact]
    public void What_was_inserted_or_changed_while_documents_were_deleted_comes_back_as_it_was_then()
    {
        Delete(0, 120);
        _platform.Insert("trades", [Trade(2000, "young")]);
        Update("trades", 150, 151, "fresh");
        Delete(120, 160);
        Delete(2000, 2001);
        _chain.Cut();
        var repair = Repair(Find(OplogEventKind.MassDelete));
        Assert.Equal((Outcome.Succeeded, 161, 161), (repair.Outcome, repair.Victims, repair.Repaired));
        Demand(Enumerable.Range(0, 400).Select(id => Trade(id, id == 150 ? "fresh" : "was")).Append(Trade(2000, "young")));
    }

    [Fact]
    public void Documents_that_a_transaction_deleted_come_back_and_what_else_it_did_stays()
    {
        InTransaction(number =>
        {
            Delete(0, 130, number);
            Run(new BsonBuilder().Append("insert", "trades").BeginArray("documents").AppendDocument("0", Trade(5000, "of the transaction").Span).End(), number);
        });
        _chain.Cut();
        var repair = Repair(Find(OplogEventKind.MassDelete));
        Assert.Equal((Outcome.Succeeded, 130), (repair.Outcome, repair.Repaired));
        Demand(Enumerable.Range(0, 400).Select(id => Trade(id, "was")).Append(Trade(5000, "of the transaction")));
    }

    [Fact]
    public void Updated_documents_go_back_where_nobody_wrote_them_since()
    {
        Update("trades", 0, 150, "damaged");
        _chain.Cut();
        Update("trades", 5, 6, "later");
        Delete(7, 8);
        Update("trades", 9, 10, "was");
        var repair = Repair(Find(OplogEventKind.MassUpdate));
        Assert.Equal((Outcome.Succeeded, 150, 147, 1, 2, 0), (repair.Outcome, repair.Victims, repair.Repaired, repair.Same, repair.ConflictCount, repair.LostCount));
        Assert.Equal("{\"$numberInt\":\"5\"}: It was written since., {\"$numberInt\":\"7\"}: It was deleted since.", string.Join(", ", repair.Conflicts.OrderBy(one => one.Id, StringComparer.Ordinal)));
        Demand(Enumerable.Range(0, 400).Where(id => id != 7).Select(id => Trade(id, id == 5 ? "later" : "was")));
        Again(repair.Event, same: 148, conflicts: 2);
    }

    [Fact]
    public void A_document_that_is_written_between_the_look_and_the_write_is_not_overwritten()
    {
        using var platform = new MongoPlatform(new Sandbox.SandboxOptions { Fault = (command, _, _) => Interfere(command) });
        var session = platform.Session();
        platform.Insert("trades", Enumerable.Range(0, 200).Select(id => Trade(id, "was")));
        var chain = new ChainMaker(platform, session, platform.BackUp(session));
        Update("trades", 0, 150, "damaged", platform);
        chain.Cut();
        var damage = Find(OplogEventKind.MassUpdate, session);
        var step = DocumentRepairPlanner.Plan(session, damage, new DocumentRepairRequest(), MongoPlatform.None);
        var other = new Thread(() => { });
        _interfere = () =>
        {
            other = new Thread(() => Update("trades", 42, 43, "meanwhile", platform));
            other.Start();
            other.Join();
        };
        var repair = Workplace.Item<BotDocumentRepair>([.. DocumentRepairRunner.Run(session, [step], MongoPlatform.None).ToBlockingEnumerable()]);
        Assert.Null(_interfere);
        Assert.Equal((Outcome.Succeeded, 149, 1, 0), (repair.Outcome, repair.Repaired, repair.ConflictCount, repair.Unproven));
        Demand(Enumerable.Range(0, 200).Select(id => Trade(id, id == 42 ? "meanwhile" : "was")), platform);
    }

    private Action? _interfere;

    // The first update of a repair comes when all was read.
    private Sandbox.SandboxFault? Interfere(string command)
    {
        if (string.Equals(command, "update", StringComparison.Ordinal))
            Interlocked.Exchange(ref _interfere, null)?.Invoke();
        return null;
    }

    [Fact]
    public void A_document_that_was_born_while_others_were_updated_has_no_state_before()
    {
        Update("trades", 0, 120, "damaged");
        _platform.Insert("trades", [Trade(2000, "young")]);
        Update("trades", 2000, 2001, "damaged");
        _chain.Cut();
        var repair = Repair(Find(OplogEventKind.MassUpdate));
        Assert.Equal((Outcome.Succeeded, 120, 1), (repair.Outcome, repair.Repaired, repair.ConflictCount));
        Assert.Contains("inserted after the last good moment", repair.Conflicts[0].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_dropped_collection_that_stands_again_gets_its_documents_back_beside_the_new_ones()
    {
        _platform.Run(new BsonBuilder().Append("drop", "trades"));
        _chain.Cut();
        _platform.Insert("trades", [Trade(1, "new"), Trade(9000, "new")]);
        var repair = Repair(Find(OplogEventKind.Drop));
        Assert.Equal((Outcome.Succeeded, 399, 1), (repair.Outcome, repair.Repaired, repair.ConflictCount));
        Demand(Enumerable.Range(0, 400).Select(id => Trade(id, id == 1 ? "new" : "was")).Append(Trade(9000, "new")));
    }

    [Fact]
    public void A_collection_that_does_not_stand_is_refused_with_the_way_to_bring_it_back()
    {
        _platform.Run(new BsonBuilder().Append("drop", "trades"));
        _chain.Cut();
        var refused = Assert.Throws<BackupException>(() => Repair(Find(OplogEventKind.Drop))).Failure;
        Assert.Equal(FailureKind.RestoreFailed, refused.Kind);
        Assert.Contains("Restore-BotBackup -Before", refused.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public void A_unique_index_that_refuses_is_a_conflict_with_its_reason_and_without_its_values()
    {
        Delete(0, 110);
        _chain.Cut();
        _platform.Insert("trades", [new BsonBuilder().Append("_id", 7777).Append("state", "was").Append("number", 33).ToBson()]);
        _platform.Run(new BsonBuilder().Append("createIndexes", "trades").BeginArray("indexes").BeginDocument("0")
            .BeginDocument("key").Append("number", 1).End().Append("name", "number_1").Append("unique", value: true).End().End());
        var repair = Repair(Find(OplogEventKind.MassDelete));
        Assert.Equal((Outcome.Succeeded, 109, 1), (repair.Outcome, repair.Repaired, repair.ConflictCount));
        Assert.Contains("duplicate key", repair.Conflicts[0].Reason, StringComparison.Ordinal);
        Assert.Contains("number_1", repair.Conflicts[0].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void An_id_that_no_backup_holds_is_lost_and_named()
    {
        Delete(0, 110);
        // A server that lost a document by other means writes its delete all the same.
        _chain.Change = entries => [.. entries, DeleteEntry(entries[^1], 90_000)];
        _chain.Cut();
        var damage = Find(OplogEventKind.MassDelete);
        Assert.Equal(111, damage.Count);
        var step = DocumentRepairPlanner.Plan(_session, damage, new DocumentRepairRequest(), MongoPlatform.None);
        var events = DocumentRepairRunner.Run(_session, [step], MongoPlatform.None).ToBlockingEnumerable().ToList();
        var repair = (BotDocumentRepair)Assert.Single(events.OfType<Made>()).Item;
        Assert.Equal((Outcome.Failed, 110, 1), (repair.Outcome, repair.Repaired, repair.LostCount));
        Assert.Equal("{\"$numberInt\":\"90000\"}", Assert.Single(repair.Lost));
        // An id may be anything, a secret too.
        var failure = Assert.Single(events.OfType<Failed>()).Failure;
        Assert.DoesNotContain("90000", failure.Message, StringComparison.Ordinal);
        Assert.StartsWith("All others are as they were", failure.Advice, StringComparison.Ordinal);
    }

    private RawBson DeleteEntry(RawBson last, int id)
    {
        var at = last.FindTimestamp("ts"u8)!.Value;
        return new BsonBuilder().Append("op", "d").Append("ns", $"{_platform.Database}.trades").BeginDocument("o").Append("_id", id).End()
            .Append("ts", at with { Ordinal = at.Ordinal + 1 }).Append("t", 1L).Append("v", 2L).AppendDateTime("wall", 0).ToBson();
    }

    [Fact]
    public void A_hundred_thousand_victims_take_seconds()
    {
        _platform.Insert("trades", Enumerable.Range(10_000, 100_000).Select(id => Trade(id, "many")));
        _chain.Cut();
        Delete(10_000, 110_000);
        _platform.Insert("trades", [Trade(500_000, "later")]);
        _chain.Cut();
        var damage = Find(OplogEventKind.MassDelete);
        Assert.Equal(100_000, damage.Count);
        var repair = Repair(damage);
        Assert.Equal((Outcome.Succeeded, 100_000), (repair.Outcome, repair.Repaired));
        Demand(Enumerable.Range(0, 400).Select(id => Trade(id, "was")).Concat(Enumerable.Range(10_000, 100_000).Select(id => Trade(id, "many"))).Append(Trade(500_000, "later")));
    }

    [Fact]
    public void A_database_in_the_uri_takes_the_events_one_and_a_renamed_collection_keeps_its_documents()
    {
        var copy = _platform.NewDatabase("copy");
        _platform.Run(new BsonBuilder().Append("renameCollection", $"{_platform.Database}.users").Append("to", $"{_platform.Database}.people"), "admin");
        _platform.Insert("people", Enumerable.Range(100, 150).Select(id => Trade(id, "person")));
        _platform.Run(DeleteOf("people", 0, 1000));
        _chain.Cut();
        _platform.Insert("people", [Trade(5, "other")], copy);
        var damage = Find(OplogEventKind.MassDelete);
        var step = DocumentRepairPlanner.Plan(_session, damage, new DocumentRepairRequest { Server = SecretUri.WithPassword(_platform.UriOf(copy)) }, MongoPlatform.None);
        Assert.Contains($"into {copy}.people", step.Action, StringComparison.Ordinal);
        Assert.Contains("151 deleted documents", step.Action, StringComparison.Ordinal);
        var repair = Workplace.Item<BotDocumentRepair>([.. DocumentRepairRunner.Run(_session, [step], MongoPlatform.None).ToBlockingEnumerable()]);
        Assert.Equal((Outcome.Succeeded, 151, $"{copy}.people"), (repair.Outcome, repair.Repaired, repair.Namespace));
        Assert.Equal(152, _platform.SetOf("people", copy).Count);
        Assert.Equal(0, _platform.SetOf("people").Count);
    }

    [Fact]
    public void Events_without_documents_or_without_a_moment_before_are_refused()
    {
        Delete(0, 110);
        _chain.Cut();
        var damage = Find(OplogEventKind.MassDelete);
        Assert.Equal(FailureKind.ConfigurationInvalid, Refusal(damage with { Kind = OplogEventKind.Schema }));
        Assert.Equal(FailureKind.ConfigurationInvalid, Refusal(damage with { Kind = OplogEventKind.Drop, Namespace = "bot_core" }));
        Assert.Equal(FailureKind.BackupNotFound, Refusal(damage with { LastGood = null }));
        Assert.Equal(FailureKind.OplogGap, Refusal(damage with { Timeline = null }));
        Assert.Equal(FailureKind.BackupNotFound, Refusal(damage with { Last = "4000000000:1" }));

        FailureKind Refusal(BotOplogEvent one) => Assert.Throws<BackupException>(() => Repair(one)).Failure.Kind;
    }

    public void Dispose()
    {
        Assert.DoesNotContain(_platform.Collections(), name => name.StartsWith("__bot_", StringComparison.Ordinal));
        _platform.Dispose();
    }

    private static RawBson Trade(int id, string state) => new BsonBuilder().Append("_id", id).Append("state", state).Append("number", id).ToBson();

    private static BsonBuilder DeleteOf(string collection, int from, int to) => new BsonBuilder().Append("delete", collection).BeginArray("deletes").BeginDocument("0")
        .BeginDocument("q").BeginDocument("_id").Append("$gte", from).Append("$lt", to).End().End().Append("limit", 0).End().End();

    private void Delete(int from, int to, long? transaction = null) => Run(DeleteOf("trades", from, to), transaction);

    private void Update(string collection, int from, int to, string state, MongoPlatform? platform = null) => (platform ?? _platform).Run(new BsonBuilder().Append("update", collection).BeginArray("updates").BeginDocument("0")
        .BeginDocument("q").BeginDocument("_id").Append("$gte", from).Append("$lt", to).End().End()
        .BeginDocument("u").BeginDocument("$set").Append("state", state).End().End().Append("multi", value: true).End().End());

    private void InTransaction(Action<long> work)
    {
        work(1);
        var commit = new BsonBuilder().Append("commitTransaction", 1);
        AppendSession(commit, 1, isFirst: false);
        _platform.Run(commit, "admin");
        _begun = false;
    }

    private bool _begun;

    private void Run(BsonBuilder command, long? transaction)
    {
        if (transaction is { } number)
        {
            AppendSession(command, number, isFirst: !_begun);
            _begun = true;
        }

        _platform.Run(command);
    }

    private static void AppendSession(BsonBuilder command, long number, bool isFirst)
    {
        command.BeginDocument("lsid").AppendBinary("id", new byte[16], 4).End().Append("txnNumber", number).Append("autocommit", value: false);
        if (isFirst)
            command.Append("startTransaction", value: true);
    }

    private BotOplogEvent Find(OplogEventKind kind, BackupSession? session = null) =>
        Workplace.Item<BotOplogEvent>([.. OplogEventRunner.Run(session ?? _session, new OplogEventRequest { Kinds = [kind] }, MongoPlatform.None).ToBlockingEnumerable()]);

    private BotDocumentRepair Repair(BotOplogEvent damage)
    {
        var step = DocumentRepairPlanner.Plan(_session, damage, new DocumentRepairRequest(), MongoPlatform.None);
        return Workplace.Item<BotDocumentRepair>([.. DocumentRepairRunner.Run(_session, [step], MongoPlatform.None).ToBlockingEnumerable()]);
    }

    // A second time there is nothing left to do.
    private void Again(BotOplogEvent damage, long same, long conflicts)
    {
        var repair = Repair(damage);
        Assert.Equal((Outcome.Succeeded, 0, same, conflicts), (repair.Outcome, repair.Repaired, repair.Same, repair.ConflictCount));
    }

    private void Demand(IEnumerable<RawBson> documents, MongoPlatform? platform = null)
    {
        var expected = new DocumentSetHash();
        foreach (var document in documents)
            expected.Add(document.Span);
        var found = (platform ?? _platform).SetOf("trades");
        Assert.Equal((expected.Count, expected.ToString()), (found.Count, found.ToString()));
    }
}
