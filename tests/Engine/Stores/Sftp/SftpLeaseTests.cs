using System.Text;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Stores.Leases;
using BotCore.Backup.Engine.Stores.Sftp;
using BotCore.Backup.TestServers;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Stores.Sftp;

[NeedsTools("sshd", "ssh", "ssh-keygen")]
public sealed class SftpLeaseTests : IClassFixture<SftpPlaceFixture>, IDisposable
{
    private const string Key = ".botbackup/config.lease";
    private static readonly LeaseTimes Patient = new() { Beat = TimeSpan.FromMinutes(10), Stale = TimeSpan.FromHours(1) };

    private readonly SftpPlaceFixture _place;
    private readonly string _folder;
    private readonly SftpStore _store;
    private readonly SftpStore _again;

    public SftpLeaseTests(SftpPlaceFixture place)
    {
        _place = place;
        _folder = place.NewFolder();
        _store = place.Open(_folder, lease: Patient);
        _again = place.Open(_folder, lease: Patient);
    }

    private static CancellationToken None => CancellationToken.None;

    private string Leases => Path.Combine(_folder, ".botbackup");

    [ServerFact]
    public void Of_many_at_once_one_gets_the_lease()
    {
        for (var round = 0; round < 5; round++)
        {
            var stores = Enumerable.Range(0, 6).Select(_ => _place.Open(_folder, lease: Patient)).ToArray();
            var leases = new StoreLease?[stores.Length];
            using (var begin = new Barrier(stores.Length))
            {
                Run(stores.Length, i =>
                {
                    stores[i].Find("a", None);
                    begin.SignalAndWait();
                    try
                    {
                        leases[i] = stores[i].AcquireLease("config", None);
                    }
                    catch (BackupException locked) when (locked.Failure.Kind == FailureKind.Locked)
                    {
                        // As all but one.
                    }
                });
            }

            Assert.Single(leases, lease => lease is not null);
            leases.Single(lease => lease is not null)!.Demand(None);
            foreach (var lease in leases)
                lease?.Dispose();
            foreach (var store in stores)
                store.Dispose();
        }

        _store.AcquireLease("config", None).Dispose();
    }

    [ServerFact]
    public void Of_many_that_replace_one_version_one_does()
    {
        var stores = Enumerable.Range(0, 6).Select(_ => _place.Open(_folder)).ToArray();
        var objects = stores.Select(_ => new SftpLockObjects(new SftpSession(new SftpStoreOptions(_place.Options(), _folder), StoreRetry.None))).ToArray();
        var tag = objects[0].TryCreate(Key, "first"u8.ToArray(), None)!;
        for (var round = 0; round < 5; round++)
        {
            var next = new string?[objects.Length];
            using var begin = new Barrier(objects.Length);
            Run(objects.Length, i =>
            {
                begin.SignalAndWait();
                next[i] = objects[i].TryReplace(Key, Encoding.UTF8.GetBytes($"{i}"), tag, None);
            });
            var winner = Array.FindIndex(next, t => t is not null);

            Assert.Single(next, t => t is not null);
            Assert.Equal($"{winner}", Encoding.UTF8.GetString(objects[0].Read(Key, None)!.Content));
            tag = next[winner]!;
        }

        // Who was away for long comes back to find that its version is no more.
        Assert.Null(objects[1].TryReplace(Key, "late"u8.ToArray(), "1", None));
        Assert.Equal(tag, objects[0].Read(Key, None)!.Tag);
        foreach (var store in stores)
            store.Dispose();
    }

    [ServerFact]
    public void A_lease_that_was_taken_over_is_lost_to_who_had_it()
    {
        using var first = _store.AcquireLease("config", None);
        first.Demand(None);
        Age(TimeSpan.FromHours(2));
        using var second = _again.AcquireLease("config", None);

        Assert.Equal(FailureKind.Locked, Assert.Throws<BackupException>(() => first.Demand(None)).Failure.Kind);
        first.Dispose();
        second.Demand(None);
        Assert.Equal(FailureKind.Locked, Assert.Throws<BackupException>(() => _store.AcquireLease("config", None)).Failure.Kind);
    }

    [ServerFact]
    public void A_lease_is_kept_by_its_beats()
    {
        using var beating = _place.Open(_folder, lease: new LeaseTimes { Beat = TimeSpan.FromMilliseconds(100), Stale = TimeSpan.FromMinutes(5) });
        using var lease = beating.AcquireLease("config", None);
        Age(TimeSpan.FromHours(2));
        var top = Top();
        SpinWait.SpinUntil(() => Top() > top + 1, TimeSpan.FromSeconds(20));

        Assert.Equal(FailureKind.Locked, Assert.Throws<BackupException>(() => _again.AcquireLease("config", None)).Failure.Kind);
        lease.Demand(None);
    }

    [ServerFact]
    public void The_lease_of_a_dead_process_of_this_machine_is_taken_at_once()
    {
        Directory.CreateDirectory(Leases);
        File.WriteAllText(
            Path.Combine(Leases, "config.lease.7"),
            $$"""{"token":"dead","host":"{{Environment.MachineName}}","process":2147483,"processBegan":"2026-01-01T00:00:00Z","since":"2026-01-01T00:00:00Z"}""");
        if (Environment.ProcessId == 1 || File.Exists("/.dockerenv") || File.Exists("/run/.containerenv"))
            Age(TimeSpan.FromHours(2));
        using var lease = _store.AcquireLease("config", None);

        lease.Demand(None);
        Assert.True(Top() > 7);
    }

    [ServerFact]
    public void Who_holds_it_is_told()
    {
        using var lease = _store.AcquireLease("config", None);

        Assert.Contains($"process {Environment.ProcessId} on", Assert.Throws<BackupException>(() => _again.AcquireLease("config", None)).Message, StringComparison.Ordinal);
    }

    [ServerFact]
    public void The_age_is_by_the_servers_clock()
    {
        using var lease = _store.AcquireLease("config", None);
        Age(TimeSpan.FromHours(2));
        var objects = new SftpLockObjects(new SftpSession(new SftpStoreOptions(_place.Options(), _folder), StoreRetry.None));

        Assert.InRange(objects.Read(Key, None)!.Age, TimeSpan.FromHours(2) - TimeSpan.FromMinutes(1), TimeSpan.FromHours(2) + TimeSpan.FromMinutes(1));
    }

    [ServerFact]
    public void A_cut_line_loses_no_lease()
    {
        using var proxy = new FaultProxy(_place.Server.Port);
        using var store = _place.Open(_folder, proxy.Port, stall: TimeSpan.FromSeconds(2), lease: Patient);
        using var lease = store.AcquireLease("config", None);
        for (var bytes = 100; bytes < 3000; bytes += 200)
        {
            proxy.Break(Fault.Reset, toClient: bytes);
            lease.Demand(None);
        }

        Assert.True(proxy.Struck >= 5);
        Assert.Equal(FailureKind.Locked, Assert.Throws<BackupException>(() => _again.AcquireLease("config", None)).Failure.Kind);
    }

    [ServerFact]
    public void What_stays_behind_is_little_and_is_not_listed()
    {
        for (var round = 0; round < 5; round++)
            _store.AcquireLease("config", None).Dispose();

        Assert.InRange(Directory.GetFiles(Leases, "*", new EnumerationOptions { AttributesToSkip = default }).Length, 1, 2);
        Assert.Empty(_again.List("", None));
    }

    [ServerFact]
    public void What_a_process_left_that_died_while_it_took_a_lease_is_swept()
    {
        _store.AcquireLease("config", None).Dispose();
        File.WriteAllText(Path.Combine(Leases, ".config.lease.01234567.partial"), "{}");
        File.WriteAllText(Path.Combine(Leases, ".volumes.lease.01234567.partial"), "{}");
        Age(TimeSpan.FromHours(2));
        File.WriteAllText(Path.Combine(Leases, ".config.lease.89abcdef.partial"), "{}");
        _again.AcquireLease("config", None).Dispose();

        Assert.Equal(
            [".config.lease.89abcdef.partial", ".volumes.lease.01234567.partial"],
            Directory.GetFiles(Leases, ".*", new EnumerationOptions { AttributesToSkip = default }).Select(Path.GetFileName).Order(StringComparer.Ordinal),
            StringComparer.Ordinal);
    }

    [ServerFact]
    public void A_lease_is_let_go_of_soon_on_a_line_that_is_dead()
    {
        using var proxy = new FaultProxy(_place.Server.Port);
        using var store = _place.Open(_folder, proxy.Port, stall: TimeSpan.FromSeconds(1), lease: new LeaseTimes { Beat = TimeSpan.FromMilliseconds(50), Stale = TimeSpan.FromMinutes(5) }, attempts: 50);
        var lease = store.AcquireLease("config", None);
        proxy.Refuse();
        var watch = System.Diagnostics.Stopwatch.StartNew();
        lease.Dispose();

        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(20));
    }

    public void Dispose()
    {
        _store.Dispose();
        _again.Dispose();
    }

    private static void Run(int count, Action<int> action) => Task.WaitAll([.. Enumerable.Range(0, count).Select(i => Task.Factory.StartNew(() => action(i), TaskCreationOptions.LongRunning))]);

    private long Top() => Directory.GetFiles(Leases, "config.lease.*").Max(file => long.Parse(Path.GetExtension(file)[1..], System.Globalization.CultureInfo.InvariantCulture));

    private void Age(TimeSpan by)
    {
        foreach (var file in Directory.GetFiles(Leases))
            File.SetLastWriteTimeUtc(file, DateTime.UtcNow - by);
    }
}
