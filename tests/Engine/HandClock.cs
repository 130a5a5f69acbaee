using Xunit;

namespace BotCore.Backup.Engine.Tests;

/// <summary>A clock that a test moves by hand; timers fire when it passes their time. Thread-safe.</summary>
internal sealed class HandClock : TimeProvider
{
    private readonly Lock _gate = new();
    private readonly List<HandTimer> _timers = [];
    private DateTimeOffset _now = DateTimeOffset.UtcNow;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate)
            return _now;
    }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => GetUtcNow().Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        lock (_gate)
        {
            var timer = new HandTimer(this, () => callback(state), dueTime, _now + dueTime, period);
            _timers.Add(timer);
            return timer;
        }
    }

    /// <summary>Waits until somebody waits for a time, and gives how long that is.</summary>
    public TimeSpan AwaitTimer()
    {
        TimeSpan? asked = null;
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                lock (_gate)
                    asked = _timers.Count > 0 ? _timers[^1].Asked : null;
                return asked is not null;
            },
            TimeSpan.FromSeconds(30)), "Nobody waits.");
        return asked!.Value;
    }

    /// <summary>Moves on; what is due then happens now.</summary>
    public void Advance(TimeSpan by)
    {
        List<HandTimer> due;
        lock (_gate)
        {
            _now += by;
            due = _timers.FindAll(timer => timer.Due <= _now);
            _timers.RemoveAll(timer => due.Contains(timer) && !timer.Repeat());
        }

        foreach (var timer in due)
            timer.Fire();
    }

    private void Remove(HandTimer timer)
    {
        lock (_gate)
            _timers.Remove(timer);
    }

    private sealed class HandTimer(HandClock clock, Action fire, TimeSpan asked, DateTimeOffset due, TimeSpan period) : ITimer
    {
        public TimeSpan Asked => asked;

        public DateTimeOffset Due { get; private set; } = due;

        public void Fire() => fire();

        // Once for each move of the clock, however far it goes.
        public bool Repeat()
        {
            if (period == Timeout.InfiniteTimeSpan)
                return false;
            Due = clock._now + period;
            return true;
        }

        public bool Change(TimeSpan dueTime, TimeSpan period) => throw new NotSupportedException();

        public void Dispose() => clock.Remove(this);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
