using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Stores.Leases;
using BotCore.Backup.TestServers;
using Xunit;

namespace BotCore.Backup.Adapters.Tests.AmazonS3;

/// <summary>Leases, on a server that heeds conditions and behind a proxy that takes them away.</summary>
[NeedsTools("ceph", "ceph-authtool", "monmaptool", "ceph-mon", "ceph-osd", "radosgw", "radosgw-admin")]
[Collection(S3Tests.Name)]
public sealed class S3LeaseTests
{
    private static readonly LeaseTimes NoBeat = new() { Beat = TimeSpan.FromHours(1), Stale = TimeSpan.FromHours(2) };
    private static readonly LeaseTimes AtOnce = new() { Beat = TimeSpan.FromHours(1), Stale = TimeSpan.FromSeconds(-1) };

    private readonly S3Server _server;
    private readonly string _bucket;
    private readonly HttpFaultProxy _proxy;

    public S3LeaseTests(S3Server server)
    {
        _server = server;
        _bucket = server.NewBucket();
        _proxy = server.NewProxy();
    }

    private static CancellationToken None => CancellationToken.None;

    [ServerTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void One_at_a_time_holds_it_and_hears_who_does(bool conditions)
    {
        using (var lease = Open(conditions, NoBeat).AcquireLease("config", None))
        {
            lease.Demand(None);
            var failure = Fails(() => Open(conditions, NoBeat).AcquireLease("config", None));
            Assert.Equal(FailureKind.Locked, failure.Kind);
            Assert.Contains($"process {Environment.ProcessId}", failure.Message, StringComparison.Ordinal);
            Open(conditions, NoBeat).AcquireLease("volumes", None).Dispose();
            lease.Demand(None);
        }

        Open(conditions, NoBeat).AcquireLease("config", None).Dispose();
        Assert.Empty(_server.Requests.Keys(_bucket));
    }

    [ServerTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void Who_went_stale_is_taken_over_and_finds_out(bool conditions)
    {
        using var first = Open(conditions, NoBeat).AcquireLease("config", None);
        using var second = Open(conditions, AtOnce).AcquireLease("config", None);

        second.Demand(None);
        Assert.Equal(FailureKind.Locked, Fails(() => first.Demand(None)).Kind);
        first.Dispose();
        second.Demand(None);
    }

    [ServerTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void Of_many_at_once_at_most_one_holds_it(bool conditions)
    {
        var stores = Enumerable.Range(0, 6).Select(_ => Open(conditions, NoBeat)).ToList();
        for (var round = 0; round < 4; round++)
        {
            using var start = new Barrier(stores.Count);
            var folder = $"folder{round}";
            var held = stores.AsParallel().WithDegreeOfParallelism(stores.Count).WithExecutionMode(ParallelExecutionMode.ForceParallelism).Select(store =>
            {
                start.SignalAndWait();
                try
                {
                    return store.AcquireLease(folder, None);
                }
                catch (BackupException locked) when (locked.Failure.Kind == FailureKind.Locked)
                {
                    return null;
                }
            }).Where(lease => lease is not null).ToList();

            // With conditions exactly one; without, all may have withdrawn, and the next comes through.
            Assert.InRange(held.Count, conditions ? 1 : 0, 1);
            if (held.Count == 0)
                held.Add(stores[0].AcquireLease(folder, None));
            held[0]!.Demand(None);
            held[0]!.Dispose();
        }

        Assert.Empty(_server.Requests.Keys(_bucket));
    }

    [ServerFact]
    public void A_sign_of_life_whose_answer_was_lost_does_not_lose_the_lease()
    {
        var store = Open(conditions: true, NoBeat);
        using var lease = store.AcquireLease("config", None);
        _proxy.Add(new() { Of = r => r.Method is "PUT", CutsAnswer = 0 });
        lease.Demand(None);
        lease.Demand(None);

        Assert.Equal(1, _proxy.Struck);
    }

    [ServerFact]
    public void A_lease_that_was_removed_by_hand_is_lost()
    {
        var store = Open(conditions: true, NoBeat);
        using var lease = store.AcquireLease("config", None);
        store.Delete(".botbackup/config.lease", None);

        Assert.Equal(FailureKind.Locked, Fails(() => lease.Demand(None)).Kind);
    }

    [ServerFact]
    public void A_holder_whose_sign_of_life_came_in_between_is_not_taken_over()
    {
        var first = _server.Open(_server.Options(_bucket) with { Lease = NoBeat }).AcquireLease("config", None);
        // The other has read the lease as stale, and is held up before it takes it.
        var between = 0;
        _proxy.Add(new()
        {
            Of = request =>
            {
                if (request.Method is "PUT" && request["If-Match"] is not null && request.Target.EndsWith(".lease", StringComparison.Ordinal))
                {
                    first.Demand(None);
                    between++;
                }

                return false;
            },
        });

        Assert.Equal(FailureKind.Locked, Fails(() => Open(conditions: true, AtOnce).AcquireLease("config", None)).Kind);
        Assert.NotEqual(0, between);
        first.Demand(None);
        first.Dispose();
    }

    [ServerFact]
    public void In_a_bucket_with_versions_signs_of_life_leave_none()
    {
        _server.Requests.KeepVersions(_bucket);
        var store = Open(conditions: true, NoBeat);
        using (var lease = store.AcquireLease("config", None))
        {
            for (var beat = 0; beat < 5; beat++)
                lease.Demand(None);
        }

        Assert.Empty(_server.Requests.Keys(_bucket));
        Assert.Empty(_server.Requests.Versions(_bucket));
    }

    private IStore Open(bool conditions, LeaseTimes times)
    {
        _proxy.Without = conditions ? [] : ["If-Match", "If-None-Match"];
        return _server.Open(_server.Options(_bucket) with { Lease = times, Endpoint = _proxy.Endpoint });
    }

    private static Failure Fails(Action action) => Assert.Throws<BackupException>(action).Failure;
}
