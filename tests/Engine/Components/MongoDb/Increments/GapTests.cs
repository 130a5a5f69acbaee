using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Tests.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Tests.Stores;
using BotCore.Backup.Sandbox;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Increments;

/// <summary>Where the oplog cannot be gone on with: named, noted in the store, never stepped over.</summary>
public sealed class GapTests
{
    [Fact]
    public void An_oplog_that_rolled_over_is_a_gap_with_a_note_that_is_written_once()
    {
        using var mongo = new MongoPlatform(new SandboxOptions { OplogCap = 64 << 10 });
        var session = mongo.Session();
        Slices.Write(mongo);
        var full = mongo.BackUp(session);
        Slices.Write(mongo, 200, size: 1000);

        var failure = Slices.Refuse(session);
        Assert.Equal(FailureKind.OplogGap, failure.Kind);
        Assert.Contains("rolled over", failure.Message, StringComparison.Ordinal);
        Assert.Contains(full.Oplog!.End, failure.Message, StringComparison.Ordinal);
        Assert.Contains("-OnGap Full", failure.Advice, StringComparison.Ordinal);
        var gap = Assert.Single(Slices.Gaps(session));
        Assert.Equal((OplogGapReason.RolledOver, full.Id, full.Oplog.End), (gap.Reason, gap.Timeline, gap.From));
        Assert.True(Slices.Time(gap.To!) > Slices.Time(gap.From));
        var key = $"mongodb/{OplogTimeline.EndOf(full).Time:yyyy}/{OplogTimeline.EndOf(full).Time:MM}/mongodb_gap_{full.Oplog.End.Replace(':', '_')}.json";
        Assert.NotNull(session.Local.Find(key, default));

        Slices.Refuse(session);
        Assert.Equal(gap, Assert.Single(Slices.Gaps(session)));
    }

    [Fact]
    public void OnGap_Full_makes_a_full_backup_in_the_same_run_and_increments_go_on_from_it()
    {
        using var mongo = new MongoPlatform(new SandboxOptions { OplogCap = 64 << 10 });
        var session = mongo.Session();
        Slices.Write(mongo);
        var full = mongo.BackUp(session);
        Slices.Write(mongo, 200, size: 1000);

        var events = Slices.Run(session, GapAction.Full);
        var second = Workplace.Item<BotBackup>(events);
        Assert.Equal((BackupType.Full, second.Id), (second.Type, second.Timeline));
        Assert.False(string.Equals(full.Id, second.Timeline, StringComparison.Ordinal));
        Assert.Contains(events.OfType<Warned>(), warned => warned.Text.Contains("rolled over", StringComparison.Ordinal));
        Assert.Equal(second.RunId, Assert.Single(Slices.Gaps(session)).RunId);
        Slices.Write(mongo);
        Slices.AssertFollows(Slices.Take(session), second);
    }

    [Fact]
    public void Without_a_full_backup_there_is_nothing_to_stand_on_and_OnGap_Full_makes_it()
    {
        using var mongo = new MongoPlatform();
        var session = mongo.Session();
        Slices.Write(mongo);
        var failure = Slices.Refuse(session);
        Assert.Equal(FailureKind.BackupNotFound, failure.Kind);
        Assert.Contains("full backup first", failure.Advice, StringComparison.Ordinal);
        Assert.Empty(Slices.Gaps(session));
        DumpDisturbanceTests.NothingKept(mongo);

        var full = Workplace.Item<BotBackup>(Slices.Run(session, GapAction.Full));
        Assert.Equal(BackupType.Full, full.Type);
        Slices.AssertFollows(Slices.Take(session), full);
    }

    [Fact]
    public void A_full_backup_of_another_database_is_none_to_stand_on()
    {
        using var mongo = new MongoPlatform();
        Slices.Write(mongo);
        mongo.BackUp(mongo.Session(mongo.Uri));
        Assert.Equal(FailureKind.BackupNotFound, Slices.Refuse(mongo.Session()).Kind);
    }

    [Fact]
    public void A_full_backup_later_than_the_lost_end_is_gone_on_from_and_the_hole_is_noted()
    {
        using var mongo = new MongoPlatform(new SandboxOptions { OplogCap = 64 << 10 });
        var session = mongo.Session();
        Slices.Write(mongo);
        mongo.BackUp(session);
        var lost = Slices.Take(session);
        Slices.Write(mongo, 40, size: 1000);
        var full = mongo.BackUp(session);
        Slices.Write(mongo, 35, size: 1000);
        Assert.True(Slices.Time(lost.Oplog!.End) < PlainBson.Time(Slices.Oplog(mongo)[0]));

        var events = Slices.Run(session);
        Slices.AssertFollows(Workplace.Item<BotBackup>(events), full);
        Assert.Contains(events.OfType<Warned>(), warned => warned.Text.Contains("nothing between can be restored", StringComparison.Ordinal));
        var gap = Assert.Single(Slices.Gaps(session));
        Assert.Equal((OplogGapReason.RolledOver, lost.Oplog.End, full.Oplog!.End), (gap.Reason, gap.From, gap.To));
    }

    [Fact]
    public void Other_bytes_at_that_time_are_a_rollback()
    {
        // Two servers with one clock stand for one that took an entry back and has another at its time.
        var clock = new FixedClock();
        using var mongo = new MongoPlatform(new SandboxOptions { Time = clock });
        using var after = new MongoPlatform(new SandboxOptions { Time = clock });
        Slices.Write(mongo);
        var full = mongo.BackUp(mongo.Session());
        for (var round = 0; round < 20; round++)
            after.Sandbox.WriteNoOp();
        Assert.Contains(Slices.Oplog(after), entry => PlainBson.Time(entry) == Slices.Time(full.Oplog!.End));

        var session = mongo.Session(after.UriOf(mongo.Database));
        var failure = Slices.Refuse(session);
        Assert.Equal(FailureKind.OplogGap, failure.Kind);
        Assert.Contains("rolled back", failure.Message, StringComparison.Ordinal);
        Assert.Equal(OplogGapReason.RolledBack, Assert.Single(Slices.Gaps(session)).Reason);
    }

    [Fact]
    public void A_higher_term_before_the_end_is_a_rollback()
    {
        var (one, two) = (new FixedClock(), new FixedClock());
        using var mongo = new MongoPlatform(new SandboxOptions { Time = one });
        using var after = new MongoPlatform(new SandboxOptions { Time = two });
        one.Now += TimeSpan.FromMinutes(2);
        Slices.Write(mongo);
        mongo.BackUp(mongo.Session());
        after.Sandbox.Term = 2;
        two.Now += TimeSpan.FromMinutes(1);
        after.Sandbox.WriteNoOp();
        two.Now += TimeSpan.FromMinutes(3);
        after.Sandbox.WriteNoOp();

        var session = mongo.Session(after.UriOf(mongo.Database));
        Slices.Refuse(session);
        Assert.Equal(OplogGapReason.RolledBack, Assert.Single(Slices.Gaps(session)).Reason);
    }

    [Fact]
    public void Another_server_in_the_same_folder_is_named_and_each_goes_on_with_its_own_history()
    {
        var (one, two) = (new FixedClock(), new FixedClock());
        using var mongo = new MongoPlatform(new SandboxOptions { Time = one });
        using var other = new MongoPlatform(new SandboxOptions { Time = two });
        one.Now += TimeSpan.FromSeconds(90);
        Slices.Write(mongo);
        var here = mongo.Session();
        var full = mongo.BackUp(here);
        two.Now += TimeSpan.FromMinutes(3);
        other.Insert("trades", Trouble.Numbered(3), mongo.Database);
        var there = mongo.Session(other.UriOf(mongo.Database));

        var failure = Slices.Refuse(there);
        Assert.Equal(FailureKind.OplogGap, failure.Kind);
        Assert.Contains("another server", failure.Message, StringComparison.Ordinal);
        Assert.Equal(OplogGapReason.OtherServer, Assert.Single(Slices.Gaps(there)).Reason);

        var second = Workplace.Item<BotBackup>(Slices.Run(there, GapAction.Full));
        Assert.Equal(second.Id, second.Timeline);
        one.Now += TimeSpan.FromMinutes(10);
        Slices.Write(mongo);
        Slices.AssertFollows(Slices.Take(here), full);
        Slices.AssertFollows(Slices.Take(there), second);
        Assert.Equal(2, OplogChains.Load(here.Local, default).Timelines.Count);
    }

    [Fact]
    public void A_restores_swap_ends_the_slice_before_it_and_a_full_backup_must_follow()
    {
        using var mongo = new MongoPlatform();
        var session = mongo.Session();
        Slices.Write(mongo);
        var full = mongo.BackUp(session);
        Slices.Write(mongo, 4);
        Slices.SwapIn(mongo, "trades");
        Slices.Write(mongo);

        var events = Slices.Run(session);
        var slice = Assert.IsType<BotBackup>(Assert.Single(events.OfType<Made>()).Item);
        Slices.AssertFollows(slice, full);
        // The first one is the full backup's last.
        var entries = Slices.Entries(mongo, slice).Skip(1).ToList();
        Assert.Equal(4, entries.Count(entry => PlainBson.Text(entry, "op") is "i"));
        Assert.DoesNotContain(entries, entry => PlainBson.Text(entry, "op") is "c");
        var failure = Assert.Single(events.OfType<Failed>()).Failure;
        Assert.Equal(FailureKind.OplogGap, failure.Kind);
        Assert.Contains("A restore swapped", failure.Message, StringComparison.Ordinal);
        var gap = Assert.Single(Slices.Gaps(session));
        Assert.Equal((OplogGapReason.Restored, slice.Oplog!.End), (gap.Reason, gap.From));

        // Again: nothing before the swap is left to store.
        Assert.Equal(FailureKind.OplogGap, Slices.Refuse(session).Kind);
        Assert.Single(Slices.Gaps(session));
        var second = Workplace.Item<BotBackup>(Slices.Run(session, GapAction.Full));
        Assert.Equal((BackupType.Full, second.Id), (second.Type, second.Timeline));
        Slices.Write(mongo);
        Slices.AssertFollows(Slices.Take(session), second);
    }

    [Fact]
    public void A_full_backup_after_a_swap_begins_a_new_history()
    {
        using var mongo = new MongoPlatform();
        var session = mongo.Session();
        Slices.Write(mongo);
        mongo.BackUp(session);
        Slices.SwapIn(mongo, "trades");
        Slices.Write(mongo);
        var events = MongoPlatform.RunBackup(session);
        var second = Workplace.Item<BotBackup>(events);
        Assert.Equal(second.Id, second.Timeline);
        Assert.Single(events.OfType<Warned>(), warned => warned.Text.Contains("A restore swapped", StringComparison.Ordinal) && warned.Text.Contains("begins a new history", StringComparison.Ordinal));
        var gap = Assert.Single(Slices.Gaps(session));
        Assert.Equal((OplogGapReason.Restored, second.Oplog!.End, second.RunId), (gap.Reason, gap.To, gap.RunId));
        Slices.Write(mongo);
        var third = mongo.BackUp(session);
        Assert.Equal(second.Id, third.Timeline);
        Assert.DoesNotContain(Slices.Run(session), one => one is Warned);
        Assert.Single(Slices.Gaps(session));
    }

    [Fact]
    public void What_the_full_backup_of_a_new_history_did_not_come_to_note_the_next_increment_notes_once()
    {
        using var mongo = new MongoPlatform();
        var session = mongo.Session();
        Slices.Write(mongo);
        var first = mongo.BackUp(session);
        Slices.SwapIn(mongo, "trades");
        BotBackup second;
        using (session.Local.AcquireLease("mongodb-incremental", default))
            second = mongo.BackUp(session);
        Assert.Empty(Slices.Gaps(session));

        var events = Slices.Run(session);
        Slices.AssertFollows(Workplace.Item<BotBackup>(events), second);
        Assert.Single(events.OfType<Warned>(), warned => warned.Text.Contains("A restore swapped", StringComparison.Ordinal));
        var gap = Assert.Single(Slices.Gaps(session));
        Assert.Equal((OplogGapReason.Restored, first.Id, first.Oplog!.End, second.Oplog!.End), (gap.Reason, gap.Timeline, gap.From, gap.To));
        Assert.DoesNotContain(Slices.Run(session), one => one is Warned);
    }

    [Fact]
    public void A_slice_before_a_swap_that_could_not_be_kept_is_no_swap_and_notes_nothing()
    {
        using var mongo = new MongoPlatform();
        var session = mongo.Session();
        Slices.Write(mongo);
        mongo.BackUp(session);
        Slices.Write(mongo);
        Slices.SwapIn(mongo, "trades");
        var step = Assert.Single(Slices.Plan(session));
        var full = new FailingStore(session.Local, key => key.Contains(".tar", StringComparison.Ordinal), FailureKind.StoreFull);
        var failing = new BackupStep(step.Job, full, "") { Increment = step.Increment, OnGap = GapAction.Full };

        var failure = Workplace.Failure([.. BackupRunner.Run(session, [failing], default).ToBlockingEnumerable(CancellationToken.None)]);
        Assert.Equal(FailureKind.StoreFull, failure.Kind);
        Assert.Empty(Slices.Gaps(session));
        Assert.Single(Slices.Backups(session));
        Assert.Single(Slices.Run(session).OfType<Made>());
        Assert.Single(Slices.Gaps(session));
    }

    [Fact]
    public void A_store_that_cannot_be_listed_is_not_one_without_a_full_backup()
    {
        using var mongo = new MongoPlatform();
        var plan = Assert.Single(Slices.Plan(mongo.Session(), GapAction.Full)).Increment!;
        Slices.Write(mongo);
        var source = new IncrementSource(
            plan, ArchiveName.Create(Engine.Components.Component.MongoDb, "mongodb", BackupType.Incremental, DateTimeOffset.UnixEpoch, ".tar"), () => throw new BackupException(FailureKind.BackupNotFound, "There is no 'mongodb/'.", "List."), _ => { }, _ => { });
        Assert.Throws<BackupException>(() => source.Read(default).Count());
        Assert.Null(source.NeedsFull);
    }

    [Fact]
    public void A_manifest_that_cannot_be_read_is_told_and_is_not_taken_for_a_gap()
    {
        using var mongo = new MongoPlatform();
        var session = mongo.Session();
        Slices.Write(mongo);
        var full = mongo.BackUp(session);
        var manifest = session.Local.Locate(BackupFiles.Manifest(full.Key));
        var good = File.ReadAllBytes(manifest);
        File.WriteAllText(manifest, "{");
        Slices.Write(mongo);

        var events = Slices.Run(session, GapAction.Full);
        Assert.Empty(events.OfType<Made>());
        Assert.Equal(FailureKind.ManifestMismatch, Assert.Single(events.OfType<Failed>()).Failure.Kind);
        Assert.Single(events.OfType<Warned>(), warned => warned.Text.Contains(full.Key, StringComparison.Ordinal));
        Assert.Empty(Slices.Gaps(session));

        // Where there is something to go on from, it is gone on from, and told all the same.
        var second = Workplace.Item<BotBackup>(MongoPlatform.RunBackup(session));
        var next = Slices.Run(session);
        Slices.AssertFollows(Workplace.Item<BotBackup>(next), second);
        Assert.Single(next.OfType<Warned>(), warned => warned.Text.Contains(full.Key, StringComparison.Ordinal));
        File.WriteAllBytes(manifest, good);
        Assert.DoesNotContain(Slices.Run(session), one => one is Warned);
    }

    [Fact]
    public void A_tail_on_a_member_that_lags_waits_for_it_and_then_says_that_it_lags()
    {
        using var trouble = new Trouble();
        var mongo = trouble.Mongo;
        var session = mongo.Session();
        Slices.Write(mongo);
        var held = mongo.Sandbox.NewestEntry;
        var full = mongo.BackUp(session);
        Slices.Write(mongo);
        var last = Slices.Take(session);
        var plan = Assert.Single(Slices.Plan(session)).Increment!;
        var tip = new OplogTip(full.Timeline!, last.Id, OplogTimeline.EndOf(last), last.Oplog!.EndSha256);
        mongo.Sandbox.MajorityLag = held;
        var lagging = Assert.Throws<BackupException>(() => OplogTail.Open(plan.Target, plan.Selection, plan.Options with { MostLag = TimeSpan.Zero }, tip, default)).Failure;
        Assert.Equal(FailureKind.SourceUnreachable, lagging.Kind);
        Assert.Contains("has not caught up", lagging.Message, StringComparison.Ordinal);

        var hellos = 0;
        trouble.Always((command, _) =>
        {
            if (command is "hello" && Interlocked.Increment(ref hellos) == 5)
                mongo.Sandbox.MajorityLag = null;
            return null;
        });
        using var tail = OplogTail.Open(plan.Target, plan.Selection, plan.Options, tip, default);
        Assert.Equal(OplogTimeline.EndOf(last), tail.Slicer.FinishAt(tip.At).Start);
        Assert.True(hellos >= 5);

        using var lost = OplogTail.Open(plan.Target, plan.Selection, plan.Options, tip with { Sha256 = new string('0', 64) }, default);
        var gap = Assert.Throws<BackupException>(() => lost.Slicer.FinishAt(tip.At)).Failure;
        Assert.Contains("what the increment needs", gap.Message, StringComparison.Ordinal);
        Assert.Contains("Make the increment again", gap.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public void A_lost_increment_is_captured_again_where_the_server_still_has_it()
    {
        using var mongo = new MongoPlatform();
        var session = mongo.Session();
        Slices.Write(mongo);
        var full = mongo.BackUp(session);
        var slices = Enumerable.Range(0, 3).Select(_ =>
        {
            Slices.Write(mongo);
            return Slices.Take(session);
        }).ToList();
        Lose(slices[1]);
        Slices.Write(mongo);

        var events = Slices.Run(session);
        var healing = Workplace.Item<BotBackup>(events);
        Slices.AssertFollows(healing, slices[0]);
        Assert.Contains(events.OfType<Warned>(), warned => warned.Text.Contains("is missing in the store", StringComparison.Ordinal));
        Assert.Equal(OplogTimeline.EndOf(healing), Assert.Single(OplogChains.Load(session.Local, default).Timelines).Reaches()[^1].To);
        Assert.DoesNotContain(Slices.Run(session), one => one is Warned);
    }

    [Fact]
    public void A_lost_increment_that_the_server_no_longer_has_breaks_the_chain()
    {
        using var mongo = new MongoPlatform(new SandboxOptions { OplogCap = 64 << 10 });
        var session = mongo.Session();
        Slices.Write(mongo);
        mongo.BackUp(session);
        Slices.Write(mongo);
        var before = Slices.Take(session);
        Slices.Write(mongo, 30, size: 1000);
        var lost = Slices.Take(session);
        Slices.Write(mongo, 40, size: 1000);
        Slices.Take(session);
        Lose(lost);

        var failure = Slices.Refuse(session);
        Assert.Equal(FailureKind.ChainBroken, failure.Kind);
        var gap = Assert.Single(Slices.Gaps(session));
        Assert.Equal((OplogGapReason.ChainBroken, before.Oplog!.End), (gap.Reason, gap.From));
        Slices.Write(mongo);
        var full = Workplace.Item<BotBackup>(Slices.Run(session, GapAction.Full));
        Assert.Equal(BackupType.Full, full.Type);
        Slices.Write(mongo);
        Slices.AssertFollows(Slices.Take(session), full);
    }

    [Fact]
    public void A_standalone_has_no_oplog_and_is_told_how_to_get_one()
    {
        using var mongo = new MongoPlatform(new SandboxOptions { Standalone = true });
        Slices.Write(mongo);
        mongo.BackUp();
        var failure = Slices.Refuse(mongo.Session());
        Assert.Equal(FailureKind.OplogUnavailable, failure.Kind);
        Assert.Contains("rs.initiate()", failure.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public void A_note_of_a_gap_is_read_as_it_was_written_and_nothing_else_is()
    {
        var record = new OplogGapRecord { Format = 1, Timeline = "t", From = "5:1", To = "9:2", Reason = OplogGapReason.RolledOver, Noticed = DateTimeOffset.UnixEpoch, RunId = "r" };
        Assert.Equal(record, OplogGapRecord.Parse(record.ToJson()));
        foreach (var wrong in new[] { record with { Format = 2 }, record with { From = "x" }, record with { To = "x" } })
            Assert.Throws<System.Text.Json.JsonException>(() => OplogGapRecord.Parse(wrong.ToJson()));
    }

    private static void Lose(BotBackup backup)
    {
        foreach (var file in BackupFiles.InOrderOfRemoval(backup.Key))
            backup.Source.Delete(file, default);
    }
}
