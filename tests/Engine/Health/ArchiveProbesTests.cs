using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Health;
using BotCore.Backup.Engine.Tests.Retention;
using BotCore.Backup.Engine.Verification;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Health;

/// <summary>The questions that listings answer, each healthy, unhealthy and inconclusive.</summary>
public sealed class ArchiveProbesTests
{
    private static readonly DateTimeOffset Now = new(2025, 11, 18, 9, 0, 0, TimeSpan.Zero);

    private static readonly StoreView Away = new("local", Backups: null, new Failure(FailureKind.StoreUnreachable, "The disk is away.", "Bring it back."), []);

    [Fact]
    public void Age()
    {
        Assert.Equal(HealthState.Healthy, State(Probes([Full(7)]).Age()));
        Assert.Equal(HealthState.Healthy, State(Probes([Full(25)]).Age()));
        Assert.Equal(HealthState.Unhealthy, State(Probes([Full(25.1)]).Age()));
        Assert.Equal(HealthState.Unhealthy, State(Probes([]).Age()));
        Assert.Equal(HealthState.Inconclusive, State(Probes(Away).Age()));
    }

    [Fact]
    public void A_damaged_a_future_dated_or_an_incremental_backup_makes_nothing_young()
    {
        Assert.Equal(HealthState.Unhealthy, State(Probes([Full(30), KeptHistory.Damaged(Full(2))]).Age()));
        Assert.Equal(HealthState.Unhealthy, State(Probes([Full(30), Full(-30)]).Age()));
        Assert.Equal(HealthState.Unhealthy, State(Probes([Full(30), KeptHistory.Slice(Now.AddHours(-30), Now)]).Age()));
    }

    [Fact]
    public void A_young_one_that_was_never_proven_is_no_answer()
    {
        var probe = Assert.Single(Probes([Full(30), Full(2) with { Proof = Proof.None, Manifest = null }]).Age());
        Assert.Equal(HealthState.Inconclusive, probe.State);
        Assert.Contains("never proven", probe.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_is_configured_and_old_is_late_though_others_are_young()
    {
        var settings = Settings(("BACKUP_DIRECTORIES", "redis=/data/redis,grafana=/data/grafana"), ("DATABASE_URL", ""));
        BotBackup Volume(string name, double hours) => KeptHistory.File(Component.Volume, Now.AddHours(-hours), name);
        Assert.Equal(HealthState.Healthy, State(new ArchiveProbes(settings, new HealthOptions(), [View([Volume("redis", 5), Volume("grafana", 6), Volume("gone", 900)])], Now).Age()));
        var late = Assert.Single(new ArchiveProbes(settings, new HealthOptions(), [View([Volume("redis", 5), Volume("grafana", 60)])], Now).Age());
        Assert.Equal(HealthState.Unhealthy, late.State);
        Assert.Contains("grafana", late.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Volumes_that_only_a_label_names_are_asked_for_once_there_are_some()
    {
        var settings = Settings(("DATABASE_URL", ""), ("DOCKER_HOST", "unix:///nothing/docker.sock"));
        Assert.Empty(new ArchiveProbes(settings, new HealthOptions(), [View([])], Now).Age());
        Assert.Equal(HealthState.Unhealthy, State(new ArchiveProbes(settings, new HealthOptions(), [View([KeptHistory.File(Component.Volume, Now.AddHours(-60), "redis")])], Now).Age()));
    }

    [Fact]
    public void Count()
    {
        Assert.Equal(HealthState.Healthy, State(Probes([.. Enumerable.Range(0, 7).Select(day => Full((day * 24) + 7))]).Count()));
        Assert.Equal(HealthState.Unhealthy, State(Probes([.. Enumerable.Range(0, 6).Select(day => Full((day * 24) + 7))]).Count()));
        // Seven there are, one of them damaged.
        Assert.Equal(HealthState.Unhealthy, State(Probes([KeptHistory.Damaged(Full(7)), .. Enumerable.Range(1, 6).Select(day => Full((day * 24) + 7))]).Count()));
        Assert.Equal(HealthState.Inconclusive, State(Probes(Away).Count()));
    }

    [Fact]
    public void Proof_of_the_whole_archive_within_a_week_and_a_day()
    {
        BotBackup Proven(double age, Depth depth, double proven) => Full(age * 24) with { Proof = KeptHistory.Proven(depth, Now.AddDays(-proven)) };
        Assert.Equal(HealthState.Healthy, State(Probes([Proven(20, Depth.Archive, 2), Full(2)]).Proof()));
        Assert.Equal(HealthState.Healthy, State(Probes([Proven(20, Depth.Restore, 7.9)]).Proof()));
        Assert.Equal(HealthState.Unhealthy, State(Probes([Proven(20, Depth.Archive, 8.1), Full(2)]).Proof()));
        Assert.Equal(HealthState.Unhealthy, State(Probes([Proven(20, Depth.Checksum, 1)]).Proof()));
        Assert.Equal(HealthState.Unhealthy, State(Probes([Proven(20, Depth.Restore, 1), KeptHistory.Damaged(Full(2))]).Proof()));
        // Of a platform that is a day old nobody knows yet.
        Assert.Equal(HealthState.Inconclusive, State(Probes([Full(24)]).Proof()));
        Assert.Equal(HealthState.Inconclusive, State(Probes(Away).Proof()));
    }

    [Fact]
    public void IncrementalLag_is_the_age_of_the_newest_moment_that_can_be_restored()
    {
        var full = KeptHistory.Full(Now.AddHours(-7));
        BotBackup To(double minutes) => KeptHistory.Slice(Now.AddHours(-7), Now.AddMinutes(-minutes));
        Assert.Equal(HealthState.Healthy, State(Probes([full, To(4)]).IncrementalLag()));
        Assert.Equal(HealthState.Unhealthy, State(Probes([full, To(16)]).IncrementalLag()));
        Assert.Equal(HealthState.Unhealthy, State(Probes([full]).IncrementalLag()));
        Assert.Equal(HealthState.Unhealthy, State(Probes([]).IncrementalLag()));
        Assert.Equal(HealthState.Inconclusive, State(Probes(Away).IncrementalLag()));
        // An increment that hangs on nothing restores nothing.
        Assert.Equal(HealthState.Unhealthy, State(Probes([KeptHistory.Slice(Now.AddHours(-7), Now.AddMinutes(-1))]).IncrementalLag()));
    }

    [Fact]
    public void A_server_without_an_oplog_is_not_late()
    {
        var full = KeptHistory.Full(Now.AddHours(-7));
        Assert.Empty(Probes([full with { Manifest = full.Manifest! with { MongoDb = full.Manifest.MongoDb! with { Oplog = null } } }]).IncrementalLag());
    }

    [Fact]
    public void The_whole_is_as_bad_as_the_worst_and_nothing_asked_is_not_healthy()
    {
        BotBackupHealth Of(params HealthState[] states) => new() { Time = Now, Host = "h", Probes = [.. states.Select(state => new BotBackupProbe("Age", "", state, "."))] };
        Assert.Equal(HealthState.Healthy, Of(HealthState.Healthy, HealthState.Healthy).State);
        Assert.Equal(HealthState.Inconclusive, Of(HealthState.Healthy, HealthState.Inconclusive).State);
        Assert.Equal(HealthState.Unhealthy, Of(HealthState.Inconclusive, HealthState.Unhealthy).State);
        Assert.Equal(HealthState.Inconclusive, Of().State);
        Assert.Equal(HealthState.Inconclusive, default(HealthState));
    }

    private static HealthState State(IEnumerable<BotBackupProbe> probes) => Assert.Single(probes).State;

    private static BotBackup Full(double hours) => KeptHistory.Full(Now.AddHours(-hours));

    private static ArchiveProbes Probes(IReadOnlyList<BotBackup> backups) => Probes(View(backups));

    private static ArchiveProbes Probes(StoreView view) => new(Settings(("DATABASE_URL", "mongodb://db/bot")), new HealthOptions(), [view], Now);

    private static StoreView View(IReadOnlyList<BotBackup> backups) => new("local", backups, Failure: null, []);

    private static BotBackupConfiguration Settings(params (string Key, string Value)[] settings)
    {
        var all = settings.ToDictionary(setting => setting.Key, setting => setting.Value, StringComparer.Ordinal);
        all["BACKUP_DIR"] = "/store";
        all["PROJECT_ROOT"] = "/nothing/there";
        return BotBackupConfiguration.Load(null, new Dictionary<string, string>(StringComparer.Ordinal), all);
    }
}
