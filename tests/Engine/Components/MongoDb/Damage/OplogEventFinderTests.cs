using BotCore.Backup.Engine.Components.MongoDb;
using BotCore.Backup.Engine.Components.MongoDb.Damage;
using BotCore.Backup.Protocols.MongoDb.Bson;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Damage;

/// <summary>What counts as an event, and where it begins and ends.</summary>
public sealed class OplogEventFinderTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("finder-");

    [Fact]
    public void A_drop_is_found_with_the_entry_before_it()
    {
        var (good, drop) = ("", "");
        var found = Find(log =>
        {
            good = log.Insert("bot.trades", 1);
            drop = log.Command("bot.trades", "drop", records: 100_000);
            log.Insert("bot.trades", 2);
        });
        var one = Assert.Single(found);
        Assert.Equal((OplogEventKind.Drop, "bot.trades", "drop", drop, drop, good, 100_000), (one.Kind, one.Namespace, one.Command, one.First, one.Last, one.LastGood, one.Count));
        Assert.Equal(("line", "archive", null), (one.Timeline, one.Location, one.Rate));
        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(1000), one.Time);
    }

    [Fact]
    public void The_first_entry_has_no_last_good_moment() => Assert.Null(Assert.Single(Find(log => log.Command("bot.trades", "drop"))).LastGood);

    [Fact]
    public void A_dropped_database_is_one_event_that_begins_with_its_first_collection()
    {
        var (good, first, last) = ("", "", "");
        var found = Find(log =>
        {
            log.Command("bot.alone", "drop", records: 5);
            good = log.Insert("bot.trades", 1);
            first = log.Command("bot.trades", "drop", records: 7);
            log.Insert("other.x", 1);
            log.Command("bot.users", "drop", records: 2);
            log.Wait(3);
            last = log.Command("bot", "dropDatabase");
        });
        Assert.Equal("bot.alone, bot", Join(found, one => one.Namespace));
        Assert.Equal(("dropDatabase", first, last, good, 9), (found[1].Command, found[1].First, found[1].Last, found[1].LastGood, found[1].Count));
    }

    [Fact]
    public void A_rename_onto_a_name_drops_what_stood_there()
    {
        var found = Find(log =>
        {
            log.Command("bot.new", "renameCollection", o => o.Append("to", "bot.trades").AppendBinary("dropTarget", new byte[16], 4), records: 12);
            log.Command("bot.a", "renameCollection", o => o.Append("to", "bot.b").Append("dropTarget", value: false));
            log.Command("bot.c", "renameCollection", o => o.Append("to", "bot.d"));
        });
        Assert.Equal(
            "Drop bot.trades renameCollection 12, Schema bot.new renameCollection 1, Schema bot.a renameCollection 1, Schema bot.c renameCollection 1",
            Join(found, one => $"{one.Kind} {one.Namespace} {one.Command} {one.Count}"));
    }

    [Fact]
    public void What_restores_of_ours_stage_and_the_servers_own_are_never_events()
    {
        Assert.Empty(Find(log =>
        {
            log.Command("bot.__bot_12.trades", "create");
            log.Command("bot.__bot_12.trades", "drop");
            log.Command("bot.trades", "renameCollection", o => o.Append("to", "bot.__bot_undo_12.trades"));
            log.Command("bot.__bot_12.trades", "renameCollection", o => o.Append("to", "bot.trades").Append("dropTarget", value: true));
            foreach (var own in new[] { "__bot_probe.missing_1", "bot_scratch_0a_0.trades" })
            {
                log.Command(own, "create");
                log.Command(own, "drop");
                log.Command(own, "dropDatabase");
            }

            for (var id = 0; id < 500; id++)
            {
                log.Delete("bot_scratch_0a_0.trades", id);
                log.Delete("config.transactions", id);
                log.Delete("bot.__bot_undo_12.trades", id);
            }
        }));
    }

    [Theory]
    [InlineData("create")]
    [InlineData("collMod")]
    [InlineData("createIndexes")]
    [InlineData("commitIndexBuild")]
    [InlineData("dropIndexes")]
    [InlineData("convertToCapped")]
    public void Definitions_are_schema_changes(string command)
    {
        var one = Assert.Single(Find(log => log.Command("bot.trades", command)));
        Assert.Equal((OplogEventKind.Schema, "bot.trades", command, 1), (one.Kind, one.Namespace, one.Command, one.Count));
    }

    [Fact]
    public void A_run_of_deletes_goes_on_over_other_entries_and_a_pause_of_one_second_and_ends_at_two()
    {
        var (good, first, last) = ("", "", "");
        var found = Find(log =>
        {
            good = log.NoOp();
            for (var id = 0; id < 150; id++)
            {
                last = log.Delete("bot.trades", id);
                first = first.Length == 0 ? last : first;
                log.Insert("bot.trades", 1000 + id);
                log.Update("bot.users", id % 3);
                if (id == 80)
                    log.Wait(1);
            }

            log.Wait(2);
            for (var id = 200; id < 299; id++)
                log.Delete("bot.trades", id);
        });
        var one = Assert.Single(found);
        Assert.Equal((OplogEventKind.MassDelete, "delete", 150, first, last, good), (one.Kind, one.Command, one.Count, one.First, one.Last, one.LastGood));
        Assert.Equal(75, one.Rate);
        Assert.False(one.IsEstimate);
    }

    [Fact]
    public void A_ticker_that_updates_few_documents_often_is_no_mass_update_and_many_documents_are()
    {
        var found = Find(log =>
        {
            for (var at = 0; at < 1000; at++)
            {
                log.Update("bot.ticker", at % 10);
                if (at % 100 == 0)
                    log.Wait(1);
                if (at < 100)
                    log.Update("bot.users", at);
            }
        });
        var one = Assert.Single(found);
        Assert.Equal((OplogEventKind.MassUpdate, "bot.users", "update", 100), (one.Kind, one.Namespace, one.Command, one.Count));
    }

    [Fact]
    public void A_drop_ends_a_run()
    {
        var found = Find(log =>
        {
            for (var id = 0; id < 120; id++)
                log.Delete("bot.trades", id);
            log.Command("bot.trades", "drop");
            for (var id = 0; id < 120; id++)
                log.Delete("bot.trades", id);
        });
        Assert.Equal([OplogEventKind.MassDelete, OplogEventKind.Drop, OplogEventKind.MassDelete], found.Select(one => one.Kind));
    }

    [Fact]
    public void Operations_of_a_transaction_count_at_its_commit_and_aborted_ones_never()
    {
        var commit = "";
        var found = Find(log =>
        {
            var part = Parse(log.ApplyDeletes("bot.trades", Enumerable.Range(0, 60), 1, default, o => o.Append("partialTxn", value: true)));
            var other = Parse(log.ApplyDeletes("bot.trades", Enumerable.Range(500, 300), 2, default, o => o.Append("prepare", value: true)));
            log.Wait(10);
            log.End(2, other, "abortTransaction");
            commit = log.ApplyDeletes("bot.trades", Enumerable.Range(60, 60), 1, part);
        });
        var one = Assert.Single(found);
        Assert.Equal((120, commit, commit), (one.Count, one.First, one.Last));
    }

    [Fact]
    public void A_prepared_transaction_counts_where_it_is_committed()
    {
        var commit = "";
        var found = Find(log =>
        {
            var prepared = Parse(log.ApplyDeletes("bot.trades", Enumerable.Range(0, 150), 1, default, o => o.Append("prepare", value: true)));
            log.Wait(5);
            commit = log.End(1, prepared, "commitTransaction");
        });
        Assert.Equal((150, commit), (Assert.Single(found).Count, found[0].First));
    }

    [Fact]
    public void A_batch_of_retryable_writes_counts_at_once() => Assert.Equal(130, Assert.Single(Find(log => log.ApplyDeletes("bot.trades", Enumerable.Range(0, 130)))).Count);

    [Fact]
    public void A_commit_without_its_beginning_is_told_and_stops_nothing()
    {
        using var finder = NewFinder();
        var log = new DamageLog(finder);
        var commit = log.End(4, new BsonTimestamp(900, 1), "commitTransaction");
        log.Command("bot.trades", "drop");
        finder.Complete();
        Assert.Equal(commit, Assert.Single(finder.Headless).ToString());
        Assert.Single(finder.Found);
    }

    [Fact]
    public void Only_what_is_asked_for_is_found()
    {
        static void Write(DamageLog log)
        {
            log.Command("bot.trades", "create");
            log.Command("bot.users", "drop");
            for (var id = 0; id < 100; id++)
                log.Delete("bot.trades", id);
            log.Command("bot.trades", "drop");
            log.Command("else.trades", "drop");
        }

        Assert.Equal("Drop bot.users, Drop bot.trades, Drop else.trades", Join(Find(Write, query => query with { Kinds = new HashSet<OplogEventKind>([OplogEventKind.Drop]) }), Short));
        Assert.Equal("Schema bot.trades, MassDelete bot.trades, Drop bot.trades", Join(Find(Write, query => query with { Wanted = new NamespaceFilter(["bot.t*"], []) }), Short));
        Assert.DoesNotContain(Find(Write, query => query with { MinimumCount = 101 }), one => one.Kind == OplogEventKind.MassDelete);
    }

    [Fact]
    public void A_view_comes_and_goes_by_its_row()
    {
        var found = Find(log =>
        {
            log.View("i", "bot.open_trades");
            log.View("d", "bot.open_trades");
        });
        Assert.Equal("Schema bot.open_trades, Drop bot.open_trades", Join(found, Short));
    }

    [Fact]
    public void Beyond_its_memory_the_largest_run_is_estimated()
    {
        var count = new DistinctCount();
        for (var at = 0; at < 300_000; at++)
            count.Add(Key(at));
        Assert.Equal((300_000, false), (count.Count, count.IsEstimate));
        count.Shrink();
        for (var at = 200_000; at < 1_000_000; at++)
            count.Add(Key(at));
        Assert.True(count.IsEstimate);
        Assert.Equal(0, count.Kept);
        Assert.InRange(count.Count, 970_000, 1_030_000);

        static UInt128 Key(int at) => System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(System.Security.Cryptography.SHA256.HashData(BitConverter.GetBytes(at)));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static string Join(IEnumerable<BotOplogEvent> found, Func<BotOplogEvent, string> what) => string.Join(", ", found.Select(what));

    private static string Short(BotOplogEvent one) => $"{one.Kind} {one.Namespace}";

    private static BsonTimestamp Parse(string at) => BsonTimestamp.TryParse(at, out var parsed) ? parsed : throw new FormatException(at);

    private OplogEventFinder NewFinder(Func<OplogEventQuery, OplogEventQuery>? change = null)
    {
        var query = new OplogEventQuery { SpillFolder = _folder.FullName };
        return new OplogEventFinder(change?.Invoke(query) ?? query);
    }

    private List<BotOplogEvent> Find(Action<DamageLog> write, Func<OplogEventQuery, OplogEventQuery>? change = null)
    {
        using var finder = NewFinder(change);
        write(new DamageLog(finder));
        finder.Complete();
        return [.. finder.Found];
    }
}
