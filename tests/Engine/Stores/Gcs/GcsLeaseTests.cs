using System.Text;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.TestServers.GoogleStorage;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Stores.Gcs;

public sealed class GcsLeaseTests : IDisposable
{
    private const string Lock = ".botbackup/config.lease";

    private readonly FixedClock _serverClock = new() { Now = DateTimeOffset.UtcNow };
    private readonly GcsPlace _place;

    public GcsLeaseTests() => _place = new GcsPlace(_serverClock);

    [Fact]
    public async Task Of_many_at_once_one_gets_it()
    {
        var stores = Enumerable.Range(0, 6).Select(_ => _place.NewStore()).ToArray();
        using var start = new Barrier(stores.Length);
        var leases = await Task.WhenAll(stores.Select(store => Task.Factory.StartNew(() =>
        {
            start.SignalAndWait();
            try
            {
                return store.AcquireLease("config", default);
            }
            catch (BackupException locked) when (locked.Failure.Kind == FailureKind.Locked)
            {
                return null;
            }
        }, default, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

        var held = Assert.Single(leases, lease => lease is not null)!;
        held.Demand(default);
        held.Dispose();
        Assert.DoesNotContain(Lock, _place.Server.Names(GcsPlace.Bucket), StringComparer.Ordinal);
        stores[0].AcquireLease("config", default).Dispose();
    }

    [Fact]
    public void A_stale_lease_is_taken_over_and_its_holder_is_told()
    {
        // A process elsewhere: whether it lives nobody here can know.
        using var lost = _place.NewStore().AcquireLease("config", default);
        Pretend("elsewhere");
        Assert.Equal(FailureKind.Locked, GcsPlace.Fails(() => _place.NewStore().AcquireLease("config", default).Dispose()).Kind);

        _serverClock.Now += TimeSpan.FromMinutes(6);
        using var taken = _place.NewStore().AcquireLease("config", default);
        taken.Demand(default);
        Assert.Equal(FailureKind.Locked, GcsPlace.Fails(() => lost.Demand(default)).Kind);
        lost.Dispose();
        taken.Demand(default);
    }

    [Theory]
    [InlineData("POST", GoogleFaultKind.LoseAnswer)]
    [InlineData("POST", GoogleFaultKind.Drop)]
    [InlineData("POST", GoogleFaultKind.Answer)]
    [InlineData("DELETE", GoogleFaultKind.LoseAnswer)]
    [InlineData("DELETE", GoogleFaultKind.Answer)]
    public void A_lost_answer_loses_no_lease(string method, GoogleFaultKind kind)
    {
        var store = _place.NewStore();
        _place.Server.Break(new GoogleFault(kind, method, "/b/"));
        using (var lease = store.AcquireLease("config", default))
        {
            lease.Demand(default);
            _place.Server.Break(new GoogleFault(kind, method, "/b/"));
            lease.Demand(default);
            lease.Demand(default);
            _place.Server.Break(new GoogleFault(kind, method, "/b/"));
        }

        Assert.True(_place.Server.Struck > 0, "The fault did not strike.");
        _place.Server.Mend();
        Assert.DoesNotContain(Lock, _place.Server.Names(GcsPlace.Bucket), StringComparer.Ordinal);
        store.AcquireLease("config", default).Dispose();
    }

    // Google takes about one write a second of one name.
    [Fact]
    public void A_write_that_comes_too_soon_is_waited_for()
    {
        using var lease = _place.NewStore().AcquireLease("config", default);
        _place.Server.Break(new GoogleFault(GoogleFaultKind.Answer, "POST", "/b/") { Status = 429, Reason = "rateLimitExceeded", Times = 2 });
        lease.Demand(default);

        Assert.Equal(2, _place.Server.Struck);
    }

    [Fact]
    public void A_lock_that_was_removed_is_lost()
    {
        using var lease = _place.NewStore().AcquireLease("config", default);
        _place.Server.Remove(GcsPlace.Bucket, Lock);

        Assert.Equal(FailureKind.Locked, GcsPlace.Fails(() => lease.Demand(default)).Kind);
    }

    [Fact]
    public void The_age_is_by_the_servers_clock_alone()
    {
        var store = _place.NewStore();
        var objects = store.LockObjects;
        var tag = objects.TryCreate("lock", [1], default)!;
        Assert.Null(objects.TryCreate("lock", [2], default));
        _serverClock.Now += TimeSpan.FromSeconds(90);
        var there = objects.Read("lock", default)!;

        Assert.Equal([1], there.Content);
        Assert.Equal(tag, there.Tag);
        Assert.InRange(there.Age, TimeSpan.FromSeconds(88), TimeSpan.FromSeconds(92));
        var next = objects.TryReplace("lock", [3], tag, default)!;
        Assert.Null(objects.TryReplace("lock", [4], tag, default));
        Assert.False(objects.TryDelete("lock", tag, default));
        Assert.Equal([3], objects.Read("lock", default)!.Content);
        Assert.True(objects.TryDelete("lock", next, default));
        Assert.False(objects.TryDelete("lock", next, default));
        Assert.Null(objects.Read("lock", default));
        Assert.Null(objects.TryReplace("lock", [5], next, default));
    }

    [Fact]
    public void What_is_no_note_of_a_holder_goes_stale_too()
    {
        _place.Server.AddObject(GcsPlace.Bucket, Lock, "no json"u8);
        Assert.Equal(FailureKind.Locked, GcsPlace.Fails(() => _place.NewStore().AcquireLease("config", default).Dispose()).Kind);
        _serverClock.Now += TimeSpan.FromMinutes(6);

        _place.NewStore().AcquireLease("config", default).Dispose();
    }

    [Fact]
    public void Without_the_network_a_lease_is_neither_had_nor_proven()
    {
        var store = _place.NewStore(byProxy: true);
        using var lease = store.AcquireLease("config", default);
        _place.Proxy.Refuse();

        Assert.Equal(FailureKind.StoreUnreachable, GcsPlace.Fails(() => lease.Demand(default)).Kind);
        Assert.Equal(FailureKind.StoreUnreachable, GcsPlace.Fails(() => store.AcquireLease("volumes", default).Dispose()).Kind);
        _place.Proxy.Mend();
        lease.Demand(default);
    }

    public void Dispose() => _place.Dispose();

    // Puts the note of another machine there, as if that one held the lease.
    private void Pretend(string host)
    {
        var text = Encoding.UTF8.GetString(_place.Server.Content(GcsPlace.Bucket, Lock)).Replace(Environment.MachineName, host, StringComparison.Ordinal);
        _place.Server.AddObject(GcsPlace.Bucket, Lock, Encoding.UTF8.GetBytes(text));
    }
}
