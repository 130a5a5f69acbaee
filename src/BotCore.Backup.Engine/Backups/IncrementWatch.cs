using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Backups;

/// <summary>How an oplog is watched.</summary>
public sealed record WatchOptions
{
    /// <summary>The shortest <see cref="Interval"/>: a slice takes a moment, and has a name to the second.</summary>
    public static readonly TimeSpan ShortestInterval = TimeSpan.FromSeconds(1);

    /// <summary>The longest <see cref="Interval"/>: what is copied between two cuts is in no store yet.</summary>
    public static readonly TimeSpan LongestInterval = TimeSpan.FromDays(1);

    /// <summary>From one slice to the next.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Bytes of entries at which a slice is cut before its time; null for no such bound.</summary>
    public long? MaximumSize { get; init; }

    /// <summary>Why <paramref name="interval"/> cannot be taken; null where it can.</summary>
    public static Failure? WrongInterval(TimeSpan interval)
    {
        if (interval < ShortestInterval)
            return new Failure(FailureKind.ConfigurationInvalid, $"An increment every {interval} is more than can be made.", "Give an -Interval of 00:00:01 or more.", "Interval");
        return interval > LongestInterval
            ? new Failure(FailureKind.ConfigurationInvalid, $"An increment every {interval} leaves more than a day in no store.", "Give an -Interval of 1.00:00:00 or less.", "Interval")
            : null;
    }
}

/// <summary>
/// Makes increments one after the other until it is cancelled: the oplog is copied as it is written, and a slice is cut every interval, and at a size. A stop publishes nothing by
/// halves; what was not published yet the next increment brings. One thread, and the slicer's.
/// </summary>
internal sealed class IncrementWatch(BackupSession session, BackupStep step, WatchOptions options, string runId, Action<BackupEvent> tell)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    private readonly IncrementMaker _maker = new(session, step, new RunMoment(runId, isOfPlatform: false, session.Clock), tell);
    private readonly IncrementPlan _plan = step.Increment!;
    private bool _hasDied;
    private bool _wasFull;

    /// <summary>Returns where there is nothing to go on from any more, which was told. Throws what waiting does not mend.</summary>
    public void Run(CancellationToken token)
    {
        OplogTail? tail = null;
        var failures = 0;
        // At once at the beginning, behind a failure's pause, and behind a full backup, while which nothing was copied.
        var isDue = true;
        try
        {
            while (true)
            {
                token.ThrowIfCancellationRequested();
                try
                {
                    if (!isDue)
                        AwaitCut(tail, token);
                    isDue = true;
                    if (!MakeNext(ref tail, out var isCut, token))
                        return;
                    isDue = !isCut && !_wasFull;
                    _wasFull = !isCut;
                    if (failures > 0)
                        tell(new Warned($"Increments of {_plan.Target.Name} go on."));
                    failures = 0;
                }
                catch (BackupException wrong) when (IsPassing(wrong.Failure.Kind))
                {
                    var pause = PauseAfter(++failures);
                    var text = $"{wrong.Failure.Message} The watch goes on: the next attempt, from the end of the chain, is in {pause.TotalSeconds:0} seconds.";
                    tell(failures == 1 ? new Warned(text) : new Said(text));
                    Wait(pause, onTimer: null, token);
                }
            }
        }
        finally
        {
            tail?.Dispose();
        }
    }

    // Times that pass: a server or disk that is away or full, and another run at work.
    private static bool IsPassing(FailureKind kind) =>
        kind is FailureKind.SourceUnreachable or FailureKind.StoreUnreachable or FailureKind.StoreFull or FailureKind.TooLittleSpace or FailureKind.Locked or FailureKind.OplogGap;

    private static TimeSpan PauseAfter(int failures) => TimeSpan.FromTicks(Math.Min(FirstPause.Ticks << Math.Min(failures - 1, 10), LongestPause.Ticks));

    // Publishes what was copied, or what has come since the end of the chain; copying goes on behind it meanwhile.
    private bool MakeNext(ref OplogTail? tail, out bool isCut, CancellationToken token)
    {
        var ready = tail;
        OplogTail? next = null;
        var isTold = false;
        tail = null;
        try
        {
            var goesOn = _maker.Make(ready, Cut, token);
            isCut = isTold;
            if (goesOn)
                (tail, next) = (next, null);
            return goesOn;
        }
        catch (BackupException wrong) when (IsPassing(wrong.Failure.Kind) && ready is { Slicer: { IsEnded: false, IsWrong: false } })
        {
            // It was not come to: what it copied the oplog may not hold any more.
            (tail, ready) = (ready, null);
            throw;
        }
        finally
        {
            ready?.Dispose();
            next?.Dispose();
        }

        void Cut(OplogTip tip)
        {
            isTold = true;
            // Told once for each store that the slice was tried with.
            next?.Dispose();
            next = Follow(tip, token);
        }
    }

    private OplogTail? Follow(OplogTip tip, CancellationToken token)
    {
        try
        {
            return OplogTail.Open(_plan.Target, _plan.Selection, _plan.Options, tip, token);
        }
        catch (BackupException away) when (IsPassing(away.Failure.Kind))
        {
            // The slice that is being sealed is not harmed by it; the next one then begins from the store.
            return null;
        }
    }

    // A tail that dies is made up for at once. Where the next one dies too, the interval is waited for: else slices would be cut back to back.
    private void AwaitCut(OplogTail? tail, CancellationToken token)
    {
        var haveDied = _hasDied;
        Wait(options.Interval, ripe => tail?.Slicer.WhenRipe(options.MaximumSize ?? long.MaxValue, () =>
        {
            if (!haveDied || !tail.Slicer.IsWrong)
                ripe();
        }), token);
        _hasDied = tail is null || tail.Slicer.IsWrong;
    }

    private void Wait(TimeSpan time, Action<Action>? onTimer, CancellationToken token)
    {
        using var over = new ManualResetEventSlim();
        var gate = new Lock();
        var isGone = false;
        using (session.Clock.CreateTimer(_ => Set(), null, time, Timeout.InfiniteTimeSpan))
        {
            onTimer?.Invoke(Set);
            try
            {
                over.Wait(token);
            }
            finally
            {
                lock (gate)
                    isGone = true;
            }
        }

        // The slicer and the timer may call late.
        void Set()
        {
            lock (gate)
            {
                if (!isGone)
                    over.Set();
            }
        }
    }
}
