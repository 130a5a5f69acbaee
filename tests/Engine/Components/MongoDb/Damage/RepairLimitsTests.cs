using BotCore.Backup.Engine.Components.MongoDb.Damage;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Engine.Tests.Components.MongoDb.Restoring;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Damage;

/// <summary>What a repair must leave alone, and what it refuses.</summary>
public sealed class RepairLimitsTests : IDisposable
{
    private readonly MongoPlatform _platform;
    private readonly BackupSession _session;
    private readonly ChainMaker _chain;
    private long _number;
    private volatile bool _isDead;
    private volatile bool _diesAtInsert;

    public RepairLimitsTests()
    {
        _platform = new MongoPlatform(new SandboxOptions { Fault = (command, ns, _) => Fault(command, ns) });
        _session = _platform.Session();
        _platform.Insert("trades", Enumerable.Range(0, 400).Select(id => Trade(id, "was")));
        _chain = new ChainMaker(_platform, _session, _platform.BackUp(_session));
    }

    [Fact]
    public void Deletes_of_the_application_alongside_stay()
    {
        Delete(0, 75);
        DeleteOne(200);
        Delete(75, 150);
        DeleteOne(201);
        // The application makes a document again that the event had deleted, and deletes it as it should.
        _platform.Insert("trades", [Trade(30, "again")]);
        DeleteOne(30);
        Delete(150, 152);
        _chain.Cut();
        var damage = Find(OplogEventKind.MassDelete);
        Assert.Equal((152, false), (damage.Count, damage.IsRetryable));
        var repair = Repair(damage);
        Assert.Equal((Outcome.Succeeded, 151, 1), (repair.Outcome, repair.Repaired, repair.ConflictCount));
        Assert.Contains("somebody deleted it since", repair.Conflicts[0].Reason, StringComparison.Ordinal);
        Demand(Enumerable.Range(0, 400).Where(id => id is not (30 or 200 or 201)).Select(id => Trade(id, "was")));
    }

    [Fact]
    public void Updates_of_the_application_alongside_stay_and_what_was_written_twice_is_a_conflict()
    {
        UpdateOne(300, "good");
        Update(0, 75, "damaged");
        UpdateOne(5, "good");
        UpdateOne(120, "good");
        Update(75, 150, "damaged");
        UpdateOne(301, "good");
        Update(10, 12, "worse");
        _chain.Cut();
        var repair = Repair(Find(OplogEventKind.MassUpdate));
        Assert.Equal((Outcome.Succeeded, 150, 146, 4), (repair.Outcome, repair.Victims, repair.Repaired, repair.ConflictCount));
        Assert.All(repair.Conflicts, conflict => Assert.Contains("more than once", conflict.Reason, StringComparison.Ordinal));
        Demand(Enumerable.Range(0, 400).Select(id => Trade(id, id switch { 5 or 300 or 301 => "good", 120 => "damaged", 10 or 11 => "worse", _ => "was" })));
    }

    [Fact]
    public void What_was_inserted_and_deleted_again_since_is_a_conflict_as_far_as_it_can_be_seen()
    {
        Delete(0, 110);
        _chain.Cut();
        _platform.Insert("trades", [Trade(3, "was")]);
        DeleteOne(3);
        _chain.Cut();
        _platform.Insert("trades", [Trade(4, "other")]);
        DeleteOne(4);
        var repair = Repair(Find(OplogEventKind.MassDelete));
        Assert.Equal((Outcome.Succeeded, 108, 2), (repair.Outcome, repair.Repaired, repair.ConflictCount));
        Assert.Equal(["{\"$numberInt\":\"3\"}", "{\"$numberInt\":\"4\"}"], repair.Conflicts.Select(one => one.Id).Order(StringComparer.Ordinal), StringComparer.Ordinal);
        Demand(Enumerable.Range(0, 400).Where(id => id is not (3 or 4)).Select(id => Trade(id, "was")));
    }

    [Fact]
    public void Another_collection_under_the_name_gets_nothing_unless_it_is_meant()
    {
        Delete(0, 110);
        _chain.Cut();
        _platform.Run(new BsonBuilder().Append("renameCollection", $"{_platform.Database}.trades").Append("to", $"{_platform.Database}.old"), "admin");
        _platform.Insert("trades", [Trade(1000, "new")]);
        var damage = Find(OplogEventKind.MassDelete);
        var refused = Assert.Throws<BackupException>(() => Repair(damage)).Failure;
        Assert.Equal(FailureKind.RestoreFailed, refused.Kind);
        Assert.Contains("another collection", refused.Message, StringComparison.Ordinal);
        Assert.Contains("-Destination", refused.Advice, StringComparison.Ordinal);
        var repair = Repair(damage, new DocumentRepairRequest { Server = SecretUri.WithPassword(_platform.UriOf(_platform.Database)) });
        Assert.Equal((Outcome.Succeeded, 110), (repair.Outcome, repair.Repaired));
    }

    [Fact]
    public void A_capped_collection_is_refused()
    {
        _platform.Run(new BsonBuilder().Append("drop", "trades"));
        _chain.Cut();
        _platform.Run(new BsonBuilder().Append("create", "trades").Append("capped", value: true).Append("size", 1 << 20).Append("max", 2));
        _platform.Insert("trades", [Trade(1000, "new"), Trade(1001, "new")]);
        var refused = Assert.Throws<BackupException>(() => Repair(Find(OplogEventKind.Drop))).Failure;
        Assert.Equal(FailureKind.RestoreFailed, refused.Kind);
        Assert.Contains("capped", refused.Message, StringComparison.Ordinal);
        Assert.Contains("-Rename", refused.Advice, StringComparison.Ordinal);
        Demand([Trade(1000, "new"), Trade(1001, "new")]);
    }

    [Fact]
    public void A_dropped_view_has_no_documents_and_is_no_success()
    {
        _platform.Run(new BsonBuilder().Append("create", "seen").Append("viewOn", "trades").BeginArray("pipeline").End());
        _chain.Cut();
        _platform.Run(new BsonBuilder().Append("drop", "seen"));
        _chain.Cut();
        _platform.Insert("seen", [Trade(1, "new")]);
        var failed = Assert.Single(Run(Find(OplogEventKind.Drop)).OfType<Failed>()).Failure;
        Assert.Equal(FailureKind.RestoreFailed, failed.Kind);
        Assert.Contains("Restore-BotBackup -Before", failed.Advice, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(500)]
    public void A_drop_of_more_documents_than_the_backups_have_is_told(long counted)
    {
        _platform.Run(new BsonBuilder().Append("drop", "trades"));
        _chain.Change = entries => [.. entries.Select(entry => Recount(entry, counted))];
        _chain.Cut();
        _platform.Insert("trades", [Trade(1000, "new")]);
        var events = Run(Find(OplogEventKind.Drop));
        Assert.Equal(400, ((BotDocumentRepair)Assert.Single(events.OfType<Made>()).Item).Repaired);
        Assert.Equal(counted > 400, events.OfType<Warned>().Any(warned => warned.Text.Contains("500 documents", StringComparison.Ordinal)));
    }

    [Fact]
    public void Documents_go_back_into_the_database_that_they_were_in()
    {
        var other = _platform.NewDatabase("other");
        _platform.Insert("trades", Enumerable.Range(0, 150).Select(id => Trade(id, "of the other")), other);
        var all = _platform.Session(_platform.Uri);
        var chain = new ChainMaker(_platform, all, _platform.BackUp(all));
        _platform.Run(DeleteOf(0, 150), other);
        chain.Cut();
        // DATABASE_URL names the platform's own database.
        var damage = Find(OplogEventKind.MassDelete);
        Assert.Equal($"{other}.trades", damage.Namespace);
        var repair = Repair(damage);
        Assert.Equal((Outcome.Succeeded, 150, $"{other}.trades"), (repair.Outcome, repair.Repaired, repair.Namespace));
        Assert.Equal((400, 150), (_platform.SetOf("trades").Count, _platform.SetOf("trades", other).Count));
    }

    [Fact]
    public void Deletes_in_a_nested_list_of_operations_come_back_too()
    {
        Delete(0, 120);
        _chain.Change = entries => [.. entries.Select(entry => string.Equals(entry.FindString("op"u8), "d", StringComparison.Ordinal) && entry.FindDocument("o"u8)?.FindInt64("_id"u8) == 50 ? Nest(entry) : entry)];
        _chain.Cut();
        var repair = Repair(Find(OplogEventKind.MassDelete));
        Assert.Equal((Outcome.Succeeded, 120, 0), (repair.Outcome, repair.Repaired, repair.LostCount));
        Demand(Enumerable.Range(0, 400).Select(id => Trade(id, "was")));
    }

    [Fact]
    public void A_document_that_an_insert_would_change_is_a_conflict_and_not_sent()
    {
        var odd = new BsonBuilder().Append("_id", 5000).Append("at", default(BsonTimestamp)).ToBson();
        // Servers set an empty timestamp in an insert, and not in an update of one field.
        _platform.Insert("trades", [Trade(5000, "was"), Trade(5001, "was")]);
        _chain.Change = entries => [.. entries.Select(entry => entry.FindDocument("o"u8)?.FindInt64("_id"u8) == 5000 && string.Equals(entry.FindString("op"u8), "i", StringComparison.Ordinal) ? WithObject(entry, odd) : entry)];
        _chain.Cut();
        _chain.Change = entries => entries;
        Delete(0, 110);
        Delete(5000, 5001);
        _chain.Cut();
        var repair = Repair(Find(OplogEventKind.MassDelete));
        Assert.Equal((Outcome.Succeeded, 110, 1), (repair.Outcome, repair.Repaired, repair.ConflictCount));
        Assert.StartsWith("It was not sent", repair.Conflicts[0].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_repair_left_that_died_is_told_and_dropped_by_its_id()
    {
        Delete(0, 110);
        _chain.Cut();
        var damage = Find(OplogEventKind.MassDelete);
        _diesAtInsert = true;
        Assert.NotEmpty(Run(damage).OfType<Failed>());
        (_diesAtInsert, _isDead) = (false, false);
        var id = _platform.Leftovers().First(name => name.EndsWith(".trades", StringComparison.Ordinal))["__bot_".Length..][..8];

        var events = Run(damage);
        Assert.Contains(events.OfType<Warned>(), warned => warned.Text.Contains($"Undo-BotRestore -Id {id}", StringComparison.Ordinal) && !warned.Text.Contains("Run it again", StringComparison.Ordinal));
        Assert.NotEmpty(_platform.Leftovers());
        Assert.DoesNotContain([.. UndoRunner.Run(_session, id, null, default).ToBlockingEnumerable()], happened => happened is Failed);
    }

    public void Dispose()
    {
        Assert.Empty(_platform.Leftovers());
        _platform.Dispose();
    }

    private static RawBson Trade(int id, string state) => new BsonBuilder().Append("_id", id).Append("state", state).Append("number", id).ToBson();

    private static RawBson Recount(RawBson entry, long counted) => entry.FindDocument("o2"u8)?.Has("numRecords"u8) == true
        ? Rebuild(entry, "o2"u8, builder => builder.BeginDocument("o2").Append("numRecords", counted).End())
        : entry;

    private static RawBson WithObject(RawBson entry, RawBson document) => Rebuild(entry, "o"u8, builder => builder.AppendDocument("o", document.Span));

    private static RawBson Rebuild(RawBson entry, ReadOnlySpan<byte> field, Action<BsonBuilder> replace)
    {
        var builder = new BsonBuilder();
        var fields = entry.Read();
        while (fields.Read())
        {
            if (fields.Current.NameIs(field))
                replace(builder);
            else
                builder.Append(fields.Current);
        }

        return builder.ToBson();
    }

    private RawBson Nest(RawBson entry)
    {
        var (inner, outer) = (new BsonBuilder(), new BsonBuilder());
        var fields = entry.Read();
        while (fields.Read())
        {
            var isInner = fields.Current.NameText is "op" or "ns" or "ui" or "o";
            (isInner ? inner : outer).Append(fields.Current);
        }

        var nested = new BsonBuilder().Append("op", "c").Append("ns", $"{_platform.Database}.$cmd").BeginDocument("o").BeginArray("applyOps").AppendDocument("0", inner.ToBson().Span).End().End().ToBson();
        return outer.Append("op", "c").Append("ns", "admin.$cmd").BeginDocument("o").BeginArray("applyOps").AppendDocument("0", nested.Span).End().End().ToBson();
    }

    private static BsonBuilder DeleteOf(int from, int to) => new BsonBuilder().Append("delete", "trades").BeginArray("deletes").BeginDocument("0")
        .BeginDocument("q").BeginDocument("_id").Append("$gte", from).Append("$lt", to).End().End().Append("limit", 0).End().End();

    private void Delete(int from, int to) => _platform.Run(DeleteOf(from, to));

    private void Update(int from, int to, string state) => _platform.Run(new BsonBuilder().Append("update", "trades").BeginArray("updates").BeginDocument("0")
        .BeginDocument("q").BeginDocument("_id").Append("$gte", from).Append("$lt", to).End().End()
        .BeginDocument("u").BeginDocument("$set").Append("state", state).End().End().Append("multi", value: true).End().End());

    // As a driver sends what it may send again.
    private void DeleteOne(int id) => Retryable(new BsonBuilder().Append("delete", "trades").BeginArray("deletes").BeginDocument("0").BeginDocument("q").Append("_id", id).End().Append("limit", 1).End().End());

    private void UpdateOne(int id, string state) => Retryable(new BsonBuilder().Append("update", "trades").BeginArray("updates").BeginDocument("0")
        .BeginDocument("q").Append("_id", id).End().BeginDocument("u").BeginDocument("$set").Append("state", state).End().End().End().End());

    private void Retryable(BsonBuilder command) =>
        _platform.Run(command.BeginDocument("lsid").AppendBinary("id", new byte[16], 4).End().Append("txnNumber", ++_number));

    private SandboxFault? Fault(string command, string ns)
    {
        if (_diesAtInsert && command is "insert" && ns.EndsWith("trades", StringComparison.Ordinal) && !ns.Contains("__bot_", StringComparison.Ordinal))
            _isDead = true;
        return _isDead ? new SandboxFault(SandboxFaultKind.CloseConnection) : null;
    }

    private BotOplogEvent Find(OplogEventKind kind) =>
        Workplace.Item<BotOplogEvent>([.. OplogEventRunner.Run(_session, new OplogEventRequest { Kinds = [kind] }, MongoPlatform.None).ToBlockingEnumerable()]);

    private List<BackupEvent> Run(BotOplogEvent damage, DocumentRepairRequest? request = null)
    {
        var step = DocumentRepairPlanner.Plan(_session, damage, request ?? new DocumentRepairRequest(), MongoPlatform.None);
        return [.. DocumentRepairRunner.Run(_session, [step], MongoPlatform.None).ToBlockingEnumerable()];
    }

    private BotDocumentRepair Repair(BotOplogEvent damage, DocumentRepairRequest? request = null) => Workplace.Item<BotDocumentRepair>(Run(damage, request));

    private void Demand(IEnumerable<RawBson> documents)
    {
        var expected = new DocumentSetHash();
        foreach (var document in documents)
            expected.Add(document.Span);
        var found = _platform.SetOf("trades");
        Assert.Equal((expected.Count, expected.ToString()), (found.Count, found.ToString()));
    }
}
