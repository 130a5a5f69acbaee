using System.Globalization;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components.MongoDb.Damage;
using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Engine.Tests.Components.MongoDb.Restoring;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.PointInTime;

/// <summary>What a plan says of a restore to a moment, and what it refuses.</summary>
public sealed class PointInTimePlanTests
{
    [Fact]
    public void The_plan_tells_chain_bytes_entries_and_time()
    {
        using var mongo = new MongoPlatform(new SandboxOptions());
        var (session, backup, slices) = Begin(mongo);
        mongo.Insert("a", """{"_id": 2}""");
        var slice = slices.After(backup);

        var step = RestorePlanner.PlanMoment(session, To(mongo) with { PointInTime = new(slice.Oplog!.End) }, session.Local, default);

        var plan = Assert.IsType<PointInTimePlan>(step.PointInTime);
        Assert.Equal(backup.Id, plan.Base.Id);
        Assert.Equal(slice.Id, Assert.Single(plan.Slices).Id);
        Assert.Equal(backup.Size.Bytes + slice.Size.Bytes, plan.Bytes.Bytes);
        // The full begins with the last one that was there before it.
        Assert.Equal(2, plan.Entries[OplogKind.Insert]);
        Assert.Equal(slice.Oplog.End, plan.UpTo);
        Assert.True(plan.Estimated > TimeSpan.Zero);
        foreach (var part in new[] { backup.Key, "1 increment", plan.Bytes.ToString(), "2 Insert", slice.Oplog.End, "a second" })
            Assert.Contains(part, step.Action, StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_be_replayed_stops_the_plan_only_where_it_comes_before_the_moment_and_matters()
    {
        using var mongo = new MongoPlatform(new SandboxOptions());
        var (session, backup, slices) = Begin(mongo);
        mongo.Insert("a", """{"_id": 2}""");
        var entries = slices.Oplog(backup.Oplog!.End);
        var good = SliceMaker.TimeOf(entries[^1]);
        var bad = new BsonTimestamp(good.Seconds, good.Ordinal + 1);
        entries.Add(new BsonBuilder().Append("op", "c").Append("ns", mongo.Database + ".$cmd").BeginDocument("o").Append("importCollection", "b").End().Append("ts", bad).Append("t", 1L).Append("v", 2L).ToBson());
        var slice = slices.Make(backup, entries);

        var failure = Assert.Throws<BackupException>(() => RestorePlanner.Plan(session, slice, To(mongo), default)).Failure;
        Assert.Equal(FailureKind.RestoreFailed, failure.Kind);
        foreach (var part in new[] { "importCollection", mongo.Database + ".b", bad.ToString(), good.ToString() })
            Assert.Contains(part, failure.Message, StringComparison.Ordinal);
        Assert.Contains($"-PointInTime {good}", failure.Advice, StringComparison.Ordinal);

        var before = RestorePlanner.Plan(session, slice, To(mongo) with { PointInTime = new(good) }, default);
        Assert.Equal(good.ToString(), before.PointInTime!.UpTo);
        Assert.Equal(good.ToString(), Workplace.Item<BotBackupRestore>([.. RestoreRunner.Run(session, [before], default).ToBlockingEnumerable()]).Moment);

        var without = RestorePlanner.Plan(session, slice, To(mongo) with { Exclude = [mongo.Database + ".b"], NoSnapshot = true, Force = true }, default);
        Assert.Equal("importCollection", Assert.Single(without.PointInTime!.Obstacles).Command);
        Assert.Contains("importCollection", without.Action, StringComparison.Ordinal);
        Workplace.Item<BotBackupRestore>([.. RestoreRunner.Run(session, [without], default).ToBlockingEnumerable()]);
    }

    [Fact]
    public void A_time_means_the_whole_second_and_so_needs_an_increment_that_goes_beyond_it()
    {
        using var mongo = new MongoPlatform(new SandboxOptions());
        var (session, backup, slices) = Begin(mongo);
        var slice = slices.After(backup, SliceMaker.At(backup.Oplog!.End));
        var second = SliceMaker.At(slice.Oplog!.End).Time;

        var failure = Assert.Throws<BackupException>(() => RestorePlanner.PlanMoment(session, To(mongo) with { PointInTime = new(second) }, session.Local, default)).Failure;
        Assert.Equal(FailureKind.BackupNotFound, failure.Kind);
        Assert.Contains(slice.Oplog.End, failure.Message, StringComparison.Ordinal);
        Assert.Contains("Incremental", failure.Advice, StringComparison.Ordinal);
        Assert.Contains("the store ends within that one", failure.Message, StringComparison.Ordinal);
        Assert.Contains($"-PointInTime {slice.Oplog.End}", failure.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_a_time_the_entry_is_told_that_it_comes_to()
    {
        var clock = new FixedClock();
        using var mongo = new MongoPlatform(new SandboxOptions { Time = clock });
        var (session, backup, slices) = Begin(mongo);
        clock.Now = clock.Now.AddSeconds(5);
        mongo.Insert("a", """{"_id": 2}""");
        slices.After(backup);

        var step = RestorePlanner.PlanMoment(session, To(mongo) with { PointInTime = new(SliceMaker.At(backup.Oplog!.End).Time) }, session.Local, default);
        var restore = Workplace.Item<BotBackupRestore>([.. RestoreRunner.Run(session, [step], default).ToBlockingEnumerable()]);

        Assert.Equal((backup.Oplog.End, backup.Oplog.End), (step.PointInTime!.UpTo, restore.Moment));
        Assert.DoesNotContain("4294967295", step.Action, StringComparison.Ordinal);
    }

    [Fact]
    public void A_full_and_its_increments_with_one_moment_are_one_restore()
    {
        using var mongo = new MongoPlatform(new SandboxOptions());
        var (session, backup, slices) = Begin(mongo);
        mongo.Insert("a", """{"_id": 2}""");
        var slice = slices.After(backup);
        var request = To(mongo) with { PointInTime = new(slice.Oplog!.End) };

        var step = RestorePlanner.PlanBeside([], session, backup, request, default)!;
        Assert.Null(RestorePlanner.PlanBeside([step], session, slice, request, default));
        Assert.NotNull(RestorePlanner.PlanBeside([step], session, slice, request with { PointInTime = new(backup.Oplog!.End) }, default));
    }

    [Fact]
    public void Several_events_must_not_restore_the_same_collections()
    {
        using var mongo = new MongoPlatform(new SandboxOptions());
        var (session, backup, slices) = Begin(mongo);
        mongo.Insert("a", """{"_id": 2}""");
        var slice = slices.After(backup);
        var at = SliceMaker.At(slice.Oplog!.End);
        var (a, b, whole) = (Drop($"{mongo.Database}.a", at, at, backup.Timeline), Drop($"{mongo.Database}.b", at, at, backup.Timeline), Drop(mongo.Database, at, at, backup.Timeline));

        Assert.Equal(2, RestorePlanner.PlanBefore(session, [a, b], To(mongo), session.Local, default).Count);
        Assert.Equal(FailureKind.ConfigurationInvalid, Refused([a, b], ["*.a"]).Kind);
        Assert.Contains(mongo.Database, Refused([a, whole], []).Message, StringComparison.Ordinal);

        Failure Refused(BotOplogEvent[] events, string[] include)
        {
            var failure = Assert.Throws<BackupException>(() => RestorePlanner.PlanBefore(session, events, To(mongo) with { Include = include }, session.Local, default)).Failure;
            Assert.Equal(FailureKind.ConfigurationInvalid, failure.Kind);
            return failure;
        }
    }

    [Fact]
    public void A_manifest_that_cannot_be_read_is_named_beside_the_plan()
    {
        using var mongo = new MongoPlatform(new SandboxOptions());
        var (session, backup, slices) = Begin(mongo);
        mongo.Insert("a", """{"_id": 2}""");
        File.WriteAllText(slices.After(backup).Location + ".manifest.json", "{");
        var told = new List<Failure>();

        var at = new BsonTimestamp(SliceMaker.At(backup.Oplog!.End).Seconds, SliceMaker.At(backup.Oplog.End).Ordinal);
        Assert.NotNull(RestorePlanner.PlanMoment(session, To(mongo) with { PointInTime = new(at) }, session.Local, default, told.Add));
        Assert.Contains("manifest", Assert.Single(told).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Before_an_event_only_its_namespace_comes_back_as_it_was()
    {
        using var mongo = new MongoPlatform(new SandboxOptions());
        var (session, backup, slices) = Begin(mongo);
        mongo.Insert("b", """{"_id": 2}""");
        mongo.Insert("a", """{"_id": 2}""");
        var good = mongo.Sandbox.NewestEntry;
        mongo.Json("""{"drop": "a"}""");
        var first = mongo.Sandbox.NewestEntry;
        mongo.Insert("b", """{"_id": 3}""");
        slices.After(backup);
        var drop = Drop($"{mongo.Database}.a", good, first, backup.Timeline);

        var step = Assert.Single(RestorePlanner.PlanBefore(session, [drop], new RestoreRequest(), session.Local, default));
        var restore = Workplace.Item<BotBackupRestore>([.. RestoreRunner.Run(session, [step], default).ToBlockingEnumerable()]);

        Assert.Equal(good.ToString(), restore.Moment);
        Assert.Equal(2, mongo.SetOf("a").Count);
        Assert.Equal(3, mongo.SetOf("b").Count);

        var both = Assert.Throws<BackupException>(() => RestorePlanner.PlanBefore(session, [drop, drop with { First = "1:1" }], new RestoreRequest(), session.Local, default)).Failure;
        Assert.Equal(FailureKind.ConfigurationInvalid, both.Kind);
        Assert.Contains("Choose one", both.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public void Before_a_dropped_database_all_of_it_comes_back()
    {
        using var mongo = new MongoPlatform(new SandboxOptions());
        var (session, backup, slices) = Begin(mongo);
        mongo.Insert("c", """{"_id": 2}""");
        var good = mongo.Sandbox.NewestEntry;
        mongo.Json("""{"dropDatabase": 1}""");
        slices.After(backup);

        var step = Assert.Single(RestorePlanner.PlanBefore(session, [Drop(mongo.Database, good, good, backup.Timeline)], new RestoreRequest(), session.Local, default));
        Workplace.Item<BotBackupRestore>([.. RestoreRunner.Run(session, [step], default).ToBlockingEnumerable()]);

        Assert.Equal("a b c", string.Join(' ', mongo.Collections().Where(name => name[0] != '_')));
    }

    [Fact]
    public void Before_an_event_that_no_increment_holds_yet_one_has_to_be_made()
    {
        using var mongo = new MongoPlatform(new SandboxOptions());
        var (session, backup, _) = Begin(mongo);
        mongo.Insert("a", """{"_id": 2}""");
        var live = Drop($"{mongo.Database}.a", mongo.Sandbox.NewestEntry, mongo.Sandbox.NewestEntry, backup.Timeline);

        var failure = Assert.Throws<BackupException>(() => RestorePlanner.PlanBefore(session, [live], new RestoreRequest(), session.Local, default)).Failure;
        Assert.Contains("-Type Incremental", failure.Advice, StringComparison.Ordinal);
        Assert.Contains(backup.Oplog!.End, failure.Message, StringComparison.Ordinal);
        var first = Assert.Throws<BackupException>(() => RestorePlanner.PlanBefore(session, [live with { LastGood = null }], new RestoreRequest(), session.Local, default)).Failure;
        Assert.Equal(FailureKind.BackupNotFound, first.Kind);
        // That of another server may hold the same moment.
        var foreign = Assert.Throws<BackupException>(() => RestorePlanner.PlanBefore(session, [live with { LastGood = backup.Oplog.End, Timeline = null }], new RestoreRequest(), session.Local, default)).Failure;
        Assert.Equal(FailureKind.OplogGap, foreign.Kind);
        Assert.Contains("-OnGap Full", foreign.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_snapshots_and_dumps_without_an_oplog_have_no_other_moment()
    {
        using var mongo = new MongoPlatform(new SandboxOptions { Standalone = true });
        mongo.Insert("a", """{"_id": 1}""");
        var session = mongo.Session();
        var backup = mongo.BackUp(session);
        var failure = Assert.Throws<BackupException>(() => RestorePlanner.Plan(session, backup, To(mongo) with { PointInTime = new(DateTimeOffset.UtcNow) }, default)).Failure;
        Assert.Equal(FailureKind.OplogUnavailable, failure.Kind);

        using var place = new Workplace();
        place.Write("a.txt", "a");
        var files = Assert.Throws<BackupException>(() => RestorePlanner.Plan(place.Session, place.BackUp(), new RestoreRequest { PointInTime = new("1:1") }, default)).Failure;
        Assert.Equal(FailureKind.ConfigurationInvalid, files.Kind);
    }

    [Fact]
    public void Windows_show_what_can_be_reached_and_why_there_are_gaps()
    {
        using var mongo = new MongoPlatform(new SandboxOptions());
        var (session, backup, slices) = Begin(mongo);
        mongo.Insert("a", """{"_id": 2}""");
        var slice = slices.After(backup);
        mongo.Insert("a", """{"_id": 3}""");
        var other = mongo.BackUp(session);
        new OplogGapRecord { Format = 1, Timeline = backup.Timeline!, From = slice.Oplog!.End, Reason = OplogGapReason.Restored, Noticed = DateTimeOffset.UtcNow, RunId = "run" }.Write(session.Local, default);

        var windows = RecoveryWindows.List(session.Local, default).OfType<Made>().Select(made => (BotRecoveryWindow)made.Item).ToList();

        Assert.Equal([RecoveryState.Restorable, RecoveryState.Gap, RecoveryState.Restorable], windows.Select(window => window.State));
        Assert.Equal((backup.Oplog!.End, slice.Oplog.End, 1, 1), (windows[0].FromEntry, windows[0].ToEntry, windows[0].Bases, windows[0].Slices));
        Assert.Equal((slice.Oplog.End, other.Oplog!.End), (windows[1].FromEntry, windows[1].ToEntry));
        Assert.Contains("a restore", windows[1].Reason, StringComparison.Ordinal);
        Assert.Equal((other.Oplog.End, other.Oplog.End, mongo.Database), (windows[2].FromEntry, windows[2].ToEntry, windows[2].Database));
        Assert.Equal(SliceMaker.At(slice.Oplog.End).Time, windows[0].To);
    }

    [Fact]
    public void An_increment_can_be_exported_as_the_slice_that_it_is()
    {
        using var mongo = new MongoPlatform(new SandboxOptions());
        var (session, backup, slices) = Begin(mongo);
        mongo.Insert("a", """{"_id": 2}""");
        var slice = slices.After(backup);
        var folder = Path.Combine(mongo.Folder, "exported");

        var step = Engine.Exports.ExportPlanner.Plan(slice, new Engine.Exports.ExportRequest { Form = Engine.Exports.ExportForm.Folder, Destination = folder });
        Assert.Empty(Engine.Exports.ExportRunner.Run(session, [step], default).ToBlockingEnumerable().OfType<Failed>());

        var expected = slices.Oplog(backup.Oplog!.End).Sum(entry => entry.Length);
        Assert.True(new FileInfo(Path.Combine(folder, "oplog.bson")).Length is > 0 and var length && length <= expected, string.Create(CultureInfo.InvariantCulture, $"{expected}"));
    }

    private static (BackupSession Session, BotBackup Full, SliceMaker Slices) Begin(MongoPlatform mongo)
    {
        var session = mongo.Session();
        mongo.Insert("a", """{"_id": 1}""");
        mongo.Insert("b", """{"_id": 1}""");
        return (session, mongo.BackUp(session), new SliceMaker(mongo, session));
    }

    private static RestoreRequest To(MongoPlatform mongo) => new() { Server = SecretUri.WithPassword(mongo.UriOf(mongo.NewDatabase("to"))), NoSnapshot = true, Force = true };

    private static BotOplogEvent Drop(string name, BsonTimestamp good, BsonTimestamp first, string? timeline) => new()
    {
        Kind = OplogEventKind.Drop,
        Namespace = name,
        Command = "drop",
        First = first.ToString(),
        Last = first.ToString(),
        LastGood = good.ToString(),
        Time = first.Time,
        Count = 1,
        Timeline = timeline,
    };
}
