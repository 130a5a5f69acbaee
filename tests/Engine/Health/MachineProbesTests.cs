using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Health;
using BotCore.Backup.Engine.Metrics;
using BotCore.Backup.Engine.Schedules;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Stores.Leases;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Health;

/// <summary>The questions that the machine answers, each healthy, unhealthy and inconclusive, on a real platform.</summary>
public sealed class MachineProbesTests : IDisposable
{
    private readonly Workplace _work = new();

    private string Logs => Path.Combine(_work.Root, "logs");

    public void Dispose() => _work.Dispose();

    [Fact]
    public void Store()
    {
        Assert.Equal(HealthState.Healthy, Ask(ProbeNames.Store));
        using (_work.Local.AcquireLease("probe", CancellationToken.None))
            Assert.Equal(HealthState.Inconclusive, Ask(ProbeNames.Store));

        // An archive of ours that lost its manifest is no backup any more.
        _work.Write("a.txt", "a");
        var backup = _work.BackUp();
        File.Delete(backup.Location + BackupFiles.ManifestSuffix);
        Assert.Equal(HealthState.Unhealthy, Ask(ProbeNames.Store));
        Directory.Delete(_work.Store, recursive: true);
        File.WriteAllText(_work.Store, "a file in its place");
        Assert.Equal(HealthState.Unhealthy, Ask(ProbeNames.Store));
    }

    [Fact]
    public void FreeSpace()
    {
        Assert.Equal(HealthState.Healthy, Ask(ProbeNames.FreeSpace, new HealthOptions { MinimumFreeSpace = 1 }));
        Assert.Equal(HealthState.Unhealthy, Ask(ProbeNames.FreeSpace, new HealthOptions { MinimumFreeSpace = long.MaxValue }));
        var silent = _work.NewSession(stores: new Dictionary<string, IStore>(StringComparer.OrdinalIgnoreCase) { ["local"] = new SilentStore(_work.Local) });
        Assert.Equal(HealthState.Inconclusive, Ask(ProbeNames.FreeSpace, session: silent));
    }

    [Fact]
    public void Key()
    {
        Assert.Equal(HealthState.Inconclusive, Ask(ProbeNames.Key));
        _work.Write("a.txt", "a");
        var backup = _work.BackUp();
        Assert.Equal(HealthState.Healthy, Ask(ProbeNames.Key));
        Assert.Equal(HealthState.Unhealthy, Ask(ProbeNames.Key, session: _work.NewSession(passphrase: "another one")));
        File.Delete(backup.Location);
        using var other = new Workplace(encrypted: false);
        Assert.Equal(HealthState.Inconclusive, Ask(ProbeNames.Key));
    }

    [Fact]
    public void Errors()
    {
        var today = DateTime.UtcNow.ToString("yyyyMMdd", System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(HealthState.Inconclusive, Ask(ProbeNames.Errors));
        Directory.CreateDirectory(Logs);
        Assert.Equal(HealthState.Inconclusive, Ask(ProbeNames.Errors));
        // What a check itself wrote is not what it asks for.
        File.WriteAllText(Path.Combine(Logs, $"health-check-{today}.log"), "[2025-11-18 02:00:00] [ERROR] [run] Unhealthy.\n");
        Assert.Equal(HealthState.Inconclusive, Ask(ProbeNames.Errors));
        File.WriteAllText(Path.Combine(Logs, $"backup-all-{today}.log"), "[2025-11-18 02:00:00] [INFO] [run] no [ERROR] here\n");
        Assert.Equal(HealthState.Healthy, Ask(ProbeNames.Errors));
        // As the old scripts wrote it.
        File.WriteAllText(Path.Combine(Logs, $"mongodb-backup-{today}.log"), "[2025-11-18 02:00:00] [ERROR] mongodump failed\n");
        Assert.Equal(HealthState.Unhealthy, Ask(ProbeNames.Errors));
    }

    [Fact]
    public void Metrics()
    {
        Assert.Empty(Probes(ProbeNames.Metrics));
        var path = Path.Combine(_work.Root, "backup.prom");
        using var session = WithMetrics(path);
        Assert.Equal(HealthState.Unhealthy, Ask(ProbeNames.Metrics, session: session));
        MetricsFile.Update(path, book => book.Set(MetricFamilies.RunTime, DateTimeOffset.UtcNow.AddHours(-30), ("kind", "backup")), CancellationToken.None);
        Assert.Equal(HealthState.Unhealthy, Ask(ProbeNames.Metrics, session: session));
        MetricsFile.Update(path, book => book.Set(MetricFamilies.RunTime, DateTimeOffset.UtcNow, ("kind", "verification")), CancellationToken.None);
        Assert.Equal(HealthState.Healthy, Ask(ProbeNames.Metrics, session: session));
        File.WriteAllText(path, "what is this?\n");
        Assert.Equal(HealthState.Inconclusive, Ask(ProbeNames.Metrics, session: session));
    }

    [Fact]
    public void Schedule()
    {
        var table = Path.Combine(_work.Root, "table");
        File.WriteAllText(table, "0 1 * * * /usr/bin/other\n");
        Assert.Equal(HealthState.Unhealthy, Ask(ProbeNames.Schedule, schedule: table));
        var script = Path.Combine(_work.Root, "Nightly.ps1");
        File.WriteAllText(script, "");
        var command = new TaskCommand("/bin/sh", script, null, Logs);
        File.WriteAllText(table, CrontabText.With("", CrontabText.Block(Timetable.Of(Timetable.DefaultInterval).Where(task => task.Name is "health"), command, null)));
        Assert.Equal(HealthState.Unhealthy, Ask(ProbeNames.Schedule, schedule: table));
        File.WriteAllText(table, CrontabText.With("", CrontabText.Block(Timetable.Of(Timetable.DefaultInterval), command, null)));
        Assert.Equal(HealthState.Healthy, Ask(ProbeNames.Schedule, schedule: table));
        File.Delete(script);
        Assert.Equal(HealthState.Unhealthy, Ask(ProbeNames.Schedule, schedule: table));
        File.Delete(table);
        File.CreateSymbolicLink(table, table);
        Assert.Equal(HealthState.Inconclusive, Ask(ProbeNames.Schedule, schedule: table));
    }

    [Fact]
    public void A_store_that_cannot_be_listed_leaves_its_questions_open_and_the_whole_unhealthy()
    {
        var deaf = _work.NewSession(stores: new Dictionary<string, IStore>(StringComparer.OrdinalIgnoreCase) { ["local"] = new SilentStore(_work.Local) { IsDeaf = true } });
        var health = Health(deaf, new HealthOptions { IsWanted = name => name is not ProbeNames.Schedule });
        Assert.Equal(HealthState.Unhealthy, health.State);
        Assert.All(health.Probes.Where(probe => probe.Name is ProbeNames.Age or ProbeNames.Count or ProbeNames.Proof), probe => Assert.Equal(HealthState.Inconclusive, probe.State));
    }

    private HealthState Ask(string name, HealthOptions? options = null, BackupSession? session = null, string? schedule = null) => Assert.Single(Probes(name, options, session, schedule)).State;

    private IReadOnlyList<BotBackupProbe> Probes(string name, HealthOptions? options = null, BackupSession? session = null, string? schedule = null) =>
        Health(session ?? _work.Session, (options ?? new HealthOptions()) with { IsWanted = asked => string.Equals(asked, name, StringComparison.Ordinal) }, schedule).Probes;

    private static BotBackupHealth Health(BackupSession session, HealthOptions options, string? schedule = null) =>
        (BotBackupHealth)HealthRunner.Run(session, options, schedule, CancellationToken.None).ToBlockingEnumerable().OfType<Made>().Single().Item;

    private BackupSession WithMetrics(string path) => new(BotBackupConfiguration.Load(
        null, new Dictionary<string, string>(StringComparer.Ordinal), new Dictionary<string, string>(StringComparer.Ordinal) { ["BACKUP_DIR"] = _work.Store, ["METRICS_FILE"] = path, ["ENCRYPTION_ENABLED"] = "false" }));

    /// <summary>A store whose disk does not say what is free.</summary>
    private sealed class SilentStore(IStore inner) : IStore
    {
        public string Name => inner.Name;

        public string Location => inner.Location;

        public long? FreeSpace => null;

        public bool IsDeaf { get; init; }

        public IEnumerable<StoredObject> List(string prefix, CancellationToken token) => IsDeaf ? throw new BackupException(FailureKind.StoreUnreachable, "It does not answer.", "Wait.") : inner.List(prefix, token);

        public StoredObject? Find(string key, CancellationToken token) => inner.Find(key, token);

        public Stream OpenRead(string key, long offset, CancellationToken token) => inner.OpenRead(key, offset, token);

        public StoreWriter Create(string key, CancellationToken token, string? runId = null) => inner.Create(key, token, runId);

        public void Delete(string key, CancellationToken token) => inner.Delete(key, token);

        public IReadOnlyList<string> RemovePartials(string folder, Func<string, bool> isMine, CancellationToken token) => inner.RemovePartials(folder, isMine, token);

        public StoreLease AcquireLease(string folder, CancellationToken token) => IsDeaf ? throw new BackupException(FailureKind.StoreUnreachable, "It does not answer.", "Wait.") : inner.AcquireLease(folder, token);

        public string Locate(string key) => inner.Locate(key);
    }
}
