using System.Text;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores.Leases;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Stores.Leases;

/// <summary>A lease that is an object: one holder, who can be told from all others, and who stops where it cannot be seen alive.</summary>
public sealed class LockObjectLeaseTests
{
    private const string Key = ".botbackup/config.lease";
    private const string Place = "s3://bucket";

    private static readonly LeaseTimes Times = new() { Beat = TimeSpan.FromSeconds(30), Stale = TimeSpan.FromMinutes(5) };

    private readonly HandClock _clock = new();
    private readonly MemoryObjects _objects;

    public LockObjectLeaseTests() => _objects = new MemoryObjects(_clock);

    [Fact]
    public void One_holds_it_and_it_comes_back()
    {
        using (var lease = Take())
        {
            lease.Demand(default);
            var locked = Assert.Throws<BackupException>(Take).Failure;
            Assert.Equal(FailureKind.Locked, locked.Kind);
            Assert.Contains($"process {Environment.ProcessId} on {Environment.MachineName}", locked.Message, StringComparison.Ordinal);
            Assert.Contains("'config'", locked.Message, StringComparison.Ordinal);
        }

        Assert.Null(_objects.Read(Key, default));
        Take().Dispose();
    }

    [Fact]
    public void It_beats_and_is_not_taken_over_as_long_as_it_does()
    {
        using var lease = Take();
        for (var beat = 0; beat < 30; beat++)
        {
            _clock.Advance(Times.Beat);
            Assert.Equal(TimeSpan.Zero, _objects.Read(Key, default)!.Age);
        }

        Assert.Throws<BackupException>(Take);
        lease.Demand(default);
    }

    [Fact]
    public void One_that_is_not_seen_alive_is_taken_over_and_knows_it()
    {
        using var first = Take();
        _objects.IsAway = true;
        for (var beat = 0; beat < 11; beat++)
            _clock.Advance(Times.Beat);
        _objects.IsAway = false;
        using var second = Take();

        Assert.Equal(FailureKind.Locked, Assert.Throws<BackupException>(() => first.Demand(default)).Failure.Kind);
        first.Dispose();
        second.Demand(default);
        Assert.Throws<BackupException>(Take);
    }

    [Fact]
    public void Who_cannot_be_heard_for_too_long_stops_even_where_nobody_took_over()
    {
        using var lease = Take();
        _objects.IsAway = true;
        for (var beat = 0; beat < 10; beat++)
            _clock.Advance(Times.Beat);
        _objects.IsAway = false;

        Assert.Equal(FailureKind.Locked, Assert.Throws<BackupException>(() => lease.Demand(default)).Failure.Kind);
    }

    [Fact]
    public void A_short_absence_is_lived_through()
    {
        using var lease = Take();
        _objects.IsAway = true;
        _clock.Advance(Times.Beat);
        Assert.Equal(FailureKind.StoreUnreachable, Assert.Throws<BackupException>(() => lease.Demand(default)).Failure.Kind);
        _objects.IsAway = false;
        _clock.Advance(Times.Beat);

        lease.Demand(default);
    }

    [Fact]
    public void Answers_that_are_lost_on_their_way_lose_no_lease()
    {
        _objects.LosesAnswers = 1;
        using var lease = Retrying();
        lease.Demand(default);
        _objects.LosesAnswers = 1;
        Assert.Throws<BackupException>(() => lease.Demand(default));
        // It was written; only nobody heard of it.
        lease.Demand(default);
    }

    [Fact]
    public void What_a_dead_process_of_this_machine_left_is_taken_at_once()
    {
        _objects.TryCreate(Key, Holder(Environment.MachineName, int.MaxValue - 7), default);
        if (File.Exists("/.dockerenv") || File.Exists("/run/.containerenv"))
        {
            Assert.Throws<BackupException>(Take);
            return;
        }

        Take().Dispose();
    }

    [Fact]
    public void A_process_of_another_machine_is_waited_for()
    {
        _objects.TryCreate(Key, Holder("elsewhere", int.MaxValue - 7), default);
        Assert.Contains("on elsewhere", Assert.Throws<BackupException>(Take).Message, StringComparison.Ordinal);
        _clock.Advance(Times.Stale + TimeSpan.FromSeconds(1));
        Take().Dispose();
    }

    [Fact]
    public void What_is_no_note_of_a_holder_is_waited_for_too()
    {
        _objects.TryCreate(Key, "not JSON"u8.ToArray(), default);
        Assert.Equal(FailureKind.Locked, Assert.Throws<BackupException>(Take).Failure.Kind);
        _clock.Advance(Times.Stale + TimeSpan.FromSeconds(1));
        Take().Dispose();
    }

    [Fact]
    public void Of_many_at_once_one_gets_it()
    {
        var got = 0;
        Parallel.For(0, 32, _ =>
        {
            try
            {
                Take();
                Interlocked.Increment(ref got);
            }
            catch (BackupException locked) when (locked.Failure.Kind == FailureKind.Locked)
            {
                // The others.
            }
        });
        Assert.Equal(1, got);
    }

    private LockObjectLease Take() => LockObjectLease.Acquire(_objects, Key, Place, default, Times, _clock);

    private LockObjectLease Retrying()
    {
        try
        {
            return Take();
        }
        catch (BackupException)
        {
            // The same process comes again and finds its own name there, which is no dead one's: what a store does within its own retries.
            return LockObjectLease.Acquire(new Found(_objects), Key, Place, default, Times, _clock);
        }
    }

    private static byte[] Holder(string host, int process) => Encoding.UTF8.GetBytes($$"""{"token":"x","host":"{{host}}","process":{{process}},"processBegan":"2025-01-01T00:00:00Z","since":"2025-01-01T00:00:00Z"}""");

    /// <summary>The first object is its own that was written without an answer.</summary>
    private sealed class Found(MemoryObjects inner) : ILockObjects
    {
        public string? TryCreate(string key, byte[] content, CancellationToken token)
        {
            var there = inner.Read(key, token)!;
            inner.TryReplace(key, content, there.Tag, token);
            return null;
        }

        public LockObject? Read(string key, CancellationToken token) => inner.Read(key, token);

        public string? TryReplace(string key, byte[] content, string tag, CancellationToken token) => inner.TryReplace(key, content, tag, token);

        public bool TryDelete(string key, string tag, CancellationToken token) => inner.TryDelete(key, tag, token);
    }

    private sealed class MemoryObjects(HandClock clock) : ILockObjects
    {
        private readonly Lock _gate = new();
        private readonly Dictionary<string, (byte[] Content, string Tag, DateTimeOffset At)> _objects = new(StringComparer.Ordinal);
        private int _tag;

        public bool IsAway { get; set; }

        public int LosesAnswers { get; set; }

        public string? TryCreate(string key, byte[] content, CancellationToken token) => Do(() => _objects.ContainsKey(key) ? null : Write(key, content));

        public LockObject? Read(string key, CancellationToken token) => Do(() => _objects.TryGetValue(key, out var there) ? new LockObject(there.Content, there.Tag, clock.GetUtcNow() - there.At) : null, isRead: true);

        public string? TryReplace(string key, byte[] content, string tag, CancellationToken token) => Do(() => Stands(key, tag) ? Write(key, content) : null);

        public bool TryDelete(string key, string tag, CancellationToken token) => Do(() => Stands(key, tag) && _objects.Remove(key));

        private bool Stands(string key, string tag) => _objects.TryGetValue(key, out var there) && string.Equals(there.Tag, tag, StringComparison.Ordinal);

        private string Write(string key, byte[] content)
        {
            _objects[key] = (content, $"{++_tag}", clock.GetUtcNow());
            return $"{_tag}";
        }

        private T Do<T>(Func<T> action, bool isRead = false)
        {
            lock (_gate)
            {
                if (IsAway)
                    throw new BackupException(FailureKind.StoreUnreachable, "It is away.", "Wait.");
                var result = action();
                if (isRead || LosesAnswers-- <= 0)
                    return result;
                throw new BackupException(FailureKind.StoreUnreachable, "The answer was lost.", "Wait.");
            }
        }
    }
}
