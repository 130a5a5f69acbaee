namespace BotCore.Backup.Engine.Tests.Stores;

/// <summary>A clock that leaps to whatever somebody waits for, so that nobody waits.</summary>
internal sealed class LeapingClock : TimeProvider
{
    private readonly Lock _gate = new();
    private long _ticks;

    public TimeSpan Elapsed
    {
        get
        {
            lock (_gate)
                return TimeSpan.FromTicks(_ticks);
        }
    }

    /// <summary>Stands still instead, so that whoever waits waits for ever.</summary>
    public bool IsStopped { get; set; }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp()
    {
        lock (_gate)
            return _ticks;
    }

    public void Leap(TimeSpan by)
    {
        lock (_gate)
            _ticks += by.Ticks;
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (IsStopped)
            return new Timer();
        Leap(dueTime);
        ThreadPool.QueueUserWorkItem(_ => callback(state));
        return new Timer();
    }

    private sealed class Timer : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose()
        {
            // It never ran.
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
