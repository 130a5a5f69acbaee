using System.Collections.Concurrent;
using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Tests.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Tests.Stores;
using BotCore.Backup.Sandbox;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Increments;

/// <summary>One process that keeps making increments. Time is moved by hand.</summary>
public sealed class WatchTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(5);

    [Fact]
    public void A_slice_is_cut_at_once_then_every_interval_and_each_follows_the_one_before()
    {
        using var trouble = new Trouble();
        using var watch = new Watching(trouble.Mongo);
        var first = watch.Next();
        Slices.AssertFollows(first, watch.Full);
        for (var round = 0; round < 3; round++)
        {
            Slices.Write(trouble.Mongo, 4);
            Assert.Equal(Interval, watch.Clock.AwaitTimer());
            Assert.Empty(watch.Made);
            watch.Clock.Advance(Interval);
            var next = watch.Next();
            Slices.AssertFollows(next, first);
            Assert.Equal(5, next.Oplog!.Entries);
            first = next;
        }

        watch.Stop();
        Assert.Empty(watch.Failures);
        Assert.Equal(5, Slices.Backups(watch.Session).Count);
    }

    [Fact]
    public void A_slice_is_cut_at_a_size()
    {
        using var trouble = new Trouble();
        using var watch = new Watching(trouble.Mongo, new WatchOptions { Interval = Interval, MaximumSize = 50_000 });
        var first = watch.Next();
        watch.Clock.AwaitTimer();
        Slices.Write(trouble.Mongo, 20, size: 1000);
        Slices.Write(trouble.Mongo, 40, size: 1000);
        var second = watch.Next();
        Slices.AssertFollows(second, first);
        Assert.InRange(second.Manifest!.PlainSize, 50_000, 200_000);
    }

    [Fact]
    public void What_is_written_between_two_cuts_is_kept_though_the_oplog_rolls_over_meanwhile()
    {
        var seen = 0;
        using var trouble = new Trouble(new SandboxOptions { OplogCap = 64 << 10 });
        var mongo = trouble.Mongo;
        using var watch = new Watching(mongo);
        var first = watch.Next();
        watch.Clock.AwaitTimer();
        trouble.Always((command, space) =>
        {
            if (command is "getMore" && space.EndsWith("oplog.rs", StringComparison.Ordinal))
                Interlocked.Increment(ref seen);
            return null;
        });
        for (var round = 0; round < 10; round++)
        {
            var before = Volatile.Read(ref seen);
            Slices.Write(mongo, 10, size: 1000);
            Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref seen) >= before + 2, TimeSpan.FromSeconds(20)));
        }

        Assert.True(PlainBson.Time(Slices.Oplog(mongo)[0]) > Slices.Time(first.Oplog!.End));
        watch.Clock.Advance(Interval);
        var second = watch.Next();
        Slices.AssertFollows(second, first);
        Assert.Equal(101, second.Oplog!.Entries);
    }

    [Fact]
    public void A_server_that_is_away_is_warned_of_once_and_the_watch_goes_on_from_the_tip()
    {
        using var trouble = new Trouble();
        using var watch = new Watching(trouble.Mongo);
        var first = watch.Next();
        watch.Clock.AwaitTimer();
        trouble.Always((_, _) => trouble.CutOff);
        trouble.Mongo.Sandbox.CloseConnections();
        var pauses = new List<double>();
        for (var attempt = 0; attempt < 3; attempt++)
        {
            Assert.True(SpinWait.SpinUntil(() => watch.Clock.AwaitTimer() < Interval, TimeSpan.FromSeconds(30)));
            pauses.Add(watch.Clock.AwaitTimer().TotalSeconds);
            if (attempt == 2)
                trouble.Always(null);
            watch.Clock.Advance(watch.Clock.AwaitTimer());
        }

        Assert.Equal([1, 2, 4], pauses);
        var second = watch.Next();
        Slices.AssertFollows(second, first);
        Assert.Single(watch.Warnings, text => text.Contains("The watch goes on: the next attempt", StringComparison.Ordinal));
        Assert.True(SpinWait.SpinUntil(() => watch.Warnings.Any(text => text.EndsWith("go on.", StringComparison.Ordinal)), TimeSpan.FromSeconds(10)));
        Assert.Empty(watch.Failures);
    }

    [Fact]
    public void An_increment_of_another_run_is_noticed_and_gone_on_from()
    {
        using var trouble = new Trouble();
        using var watch = new Watching(trouble.Mongo);
        watch.Next();
        watch.Clock.AwaitTimer();
        Slices.Write(trouble.Mongo);
        var between = Slices.Take(trouble.Mongo.Session());
        Slices.Write(trouble.Mongo);
        watch.Clock.Advance(Interval);
        Slices.AssertFollows(watch.Next(), between);
    }

    [Fact]
    public void A_stop_in_the_middle_of_a_slice_publishes_nothing_and_the_next_increment_brings_it()
    {
        using var trouble = new Trouble();
        var mongo = trouble.Mongo;
        using var watch = new Watching(mongo);
        var first = watch.Next();
        watch.Clock.AwaitTimer();
        Slices.Write(mongo, 7);
        var before = Workplace.Describe(mongo.Store);
        watch.Stop();

        Assert.Equal(before, Workplace.Describe(mongo.Store));
        Assert.Empty(watch.Failures);
        var next = Slices.Take(mongo.Session());
        Slices.AssertFollows(next, first);
        Assert.Equal(8, next.Oplog!.Entries);
    }

    [Fact]
    public void A_swap_is_a_gap_that_ends_the_watch()
    {
        using var trouble = new Trouble();
        using var watch = new Watching(trouble.Mongo);
        watch.Next();
        watch.Clock.AwaitTimer();
        Slices.Write(trouble.Mongo);
        Slices.SwapIn(trouble.Mongo, "trades");
        // The swap itself cuts: nobody moved the clock.
        watch.Next();
        watch.AwaitEnd();
        Assert.Equal(FailureKind.OplogGap, Assert.Single(watch.Failures).Kind);
    }

    [Fact]
    public void OnGap_Full_makes_a_full_backup_and_the_watch_goes_on_from_it()
    {
        using var trouble = new Trouble();
        using var watch = new Watching(trouble.Mongo, onGap: GapAction.Full);
        watch.Next();
        watch.Clock.AwaitTimer();
        Slices.Write(trouble.Mongo);
        Slices.SwapIn(trouble.Mongo, "trades");
        Assert.Equal(BackupType.Incremental, watch.Next().Type);
        var full = watch.Next();
        Assert.Equal((BackupType.Full, full.Id), (full.Type, full.Timeline));
        var next = watch.Next();
        Slices.AssertFollows(next, full);
        Assert.Equal(Interval, watch.Clock.AwaitTimer());
        Slices.Write(trouble.Mongo);
        watch.Clock.Advance(Interval);
        Slices.AssertFollows(watch.Next(), next);
        Assert.Empty(watch.Failures);
    }

    [Fact]
    public void Only_increments_are_watched_for()
    {
        using var mongo = new MongoPlatform();
        Slices.Write(mongo);
        var session = mongo.Session();
        var full = BackupPlanner.Plan(session, new BackupRequest { Components = [Component.MongoDb] }, failure => throw new BackupException(failure), default);
        Assert.Equal(FailureKind.ConfigurationInvalid, Assert.Throws<BackupException>(() => BackupRunner.Watch(session, full, new WatchOptions(), default)).Failure.Kind);
        foreach (var interval in new[] { TimeSpan.FromMilliseconds(999), TimeSpan.FromDays(1) + TimeSpan.FromTicks(1), TimeSpan.MaxValue })
        {
            var failure = Assert.Throws<BackupException>(() => BackupRunner.Watch(session, Slices.Plan(session), new WatchOptions { Interval = interval }, default)).Failure;
            Assert.Contains("-Interval", failure.Advice, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_was_copied_is_kept_while_another_run_holds_the_lease_and_the_oplog_rolls_over()
    {
        using var trouble = new Trouble(new SandboxOptions { OplogCap = 64 << 10 });
        var mongo = trouble.Mongo;
        using var watch = new Watching(mongo);
        var first = watch.Next();
        watch.Clock.AwaitTimer();
        using (watch.Session.Local.AcquireLease("mongodb-incremental", default))
        {
            watch.Clock.Advance(Interval);
            Assert.True(SpinWait.SpinUntil(() => watch.Clock.AwaitTimer() < Interval, TimeSpan.FromSeconds(30)));
            var seen = 0;
            trouble.Always((command, space) =>
            {
                if (command is "getMore" && space.EndsWith("oplog.rs", StringComparison.Ordinal))
                    Interlocked.Increment(ref seen);
                return null;
            });
            for (var round = 0; round < 10; round++)
            {
                var before = Volatile.Read(ref seen);
                Slices.Write(mongo, 10, size: 1000);
                Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref seen) >= before + 2, TimeSpan.FromSeconds(20)));
            }
        }

        Assert.True(PlainBson.Time(Slices.Oplog(mongo)[0]) > Slices.Time(first.Oplog!.End));
        watch.Clock.Advance(watch.Clock.AwaitTimer());
        var second = watch.Next();
        Slices.AssertFollows(second, first);
        Assert.Equal(101, second.Oplog!.Entries);
        Assert.Empty(watch.Failures);
    }

    [Fact]
    public void A_tail_that_always_dies_is_made_up_for_once_and_then_an_interval_lies_between_two_slices()
    {
        using var trouble = new Trouble();
        using var watch = new Watching(trouble.Mongo);
        var last = watch.Next();
        Assert.Equal(Interval, watch.Clock.AwaitTimer());
        Slices.Write(trouble.Mongo);
        var finds = 0;
        // Of the three readings that each slice takes (the look at the tip, the slice, what copies on behind it) the last one fails.
        trouble.Always((command, space) =>
        {
            if (!space.EndsWith("oplog.rs", StringComparison.Ordinal))
                return null;
            if (command is "find")
                Interlocked.Increment(ref finds);
            return command is "getMore" && Volatile.Read(ref finds) % 3 == 0 ? new SandboxFault(SandboxFaultKind.Error, Code: 8) : null;
        });
        var next = watch.Next();
        Slices.AssertFollows(next, last);
        for (var round = 0; round < 3; round++)
        {
            Assert.True(SpinWait.SpinUntil(() => watch.Clock.AwaitTimer() == Interval, TimeSpan.FromSeconds(30)));
            Assert.False(SpinWait.SpinUntil(() => watch.Made.Count > 0, TimeSpan.FromMilliseconds(300)));
            // Of several empty slices with one end, any may be gone on from.
            Slices.Write(trouble.Mongo);
            watch.Clock.Advance(Interval);
            (last, next) = (next, watch.Next());
            Slices.AssertFollows(next, last);
        }
    }

    [Fact]
    public void A_watch_that_dies_of_what_nobody_foresaw_ends_the_others_and_is_told()
    {
        using var mongo = new MongoPlatform();
        Slices.Write(mongo);
        var clock = new HandClock();
        var session = mongo.Session(clock: clock);
        mongo.BackUp(session);
        var step = Assert.Single(Slices.Plan(session));
        var broken = new BackupStep(step.Job, new FailingStore(session.Local, _ => true, FailureKind.Unknown), "") { Increment = step.Increment };
        var run = Task.Run(() => BackupRunner.Watch(session, [step, broken], new WatchOptions { Interval = Interval }, default).ToBlockingEnumerable(CancellationToken.None).ToList());
        Assert.Throws<AggregateException>(() => run.Wait(TimeSpan.FromSeconds(30)));
        Assert.IsType<InvalidOperationException>(run.Exception!.InnerException);
    }

    /// <summary>A watch that runs beside the test.</summary>
    private sealed class Watching : IDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly BlockingCollection<BotBackup> _made = [];
        private readonly Task _run;

        public Watching(MongoPlatform mongo, WatchOptions? options = null, GapAction onGap = GapAction.Fail)
        {
            Slices.Write(mongo);
            var uri = mongo.UriOf(mongo.Database);
            Session = mongo.Session(uri + (uri.Contains('?', StringComparison.Ordinal) ? "&" : "?") + "serverSelectionTimeoutMS=3000", clock: Clock);
            Full = mongo.BackUp(Session);
            Slices.Write(mongo);
            var steps = Slices.Plan(Session, onGap);
            _run = Task.Run(async () =>
            {
                await foreach (var happened in BackupRunner.Watch(Session, steps, options ?? new WatchOptions { Interval = Interval }, _stop.Token))
                    Note(happened);
            });
        }

        public HandClock Clock { get; } = new();

        public BackupSession Session { get; }

        public BotBackup Full { get; }

        public IReadOnlyCollection<BotBackup> Made => [.. _made];

        public ConcurrentQueue<Failure> Failures { get; } = new();

        public ConcurrentQueue<string> Warnings { get; } = new();

        public BotBackup Next()
        {
            Assert.True(_made.TryTake(out var made, TimeSpan.FromSeconds(30)), string.Join(' ', Failures.Select(failure => failure.ToString()).Concat(Warnings)));
            return made;
        }

        public void AwaitEnd() => Assert.True(_run.Wait(TimeSpan.FromSeconds(30)));

        public void Stop()
        {
            _stop.Cancel();
            Assert.Throws<AggregateException>(() => _run.Wait(TimeSpan.FromSeconds(30)));
            Assert.True(_run.IsCanceled);
        }

        public void Dispose()
        {
            _stop.Cancel();
            ((IAsyncResult)_run).AsyncWaitHandle.WaitOne(TimeSpan.FromSeconds(30));
            _stop.Dispose();
            _made.Dispose();
        }

        private void Note(BackupEvent happened)
        {
            if (happened is Made made)
                _made.Add((BotBackup)made.Item);
            else if (happened is Failed failed)
                Failures.Enqueue(failed.Failure);
            else if (happened is Warned warned)
                Warnings.Enqueue(warned.Text);
        }
    }
}
