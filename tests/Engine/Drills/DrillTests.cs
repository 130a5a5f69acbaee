using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Backups.Copying;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Drills;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Stores.Leases;
using BotCore.Backup.Engine.Tests.Components.MongoDb;
using BotCore.Backup.Engine.Tests.Components.MongoDb.Increments;
using BotCore.Backup.Engine.Tests.Stores.Sftp;
using BotCore.Backup.TestServers;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Drills;

/// <summary>Disasters that are rehearsed for real, and faults planted into each step: that step turns red, and the verdict.</summary>
[NeedsTools("sshd", "ssh", "ssh-keygen", "sftp")]
public sealed class DrillTests(SftpPlaceFixture place) : IClassFixture<SftpPlaceFixture>, IDisposable
{
    private readonly MongoPlatform _mongo = new();
    private readonly List<IDisposable> _open = [];

    private static CancellationToken None => CancellationToken.None;

    public void Dispose()
    {
        _open.ForEach(one => one.Dispose());
        _mongo.Dispose();
    }

    [Fact]
    public void A_corrupt_database_is_brought_back_to_the_newest_second_and_nothing_is_left()
    {
        var session = Platform(("DRILL_CHECKS", Checks($$"""[{"name": "all of them", "collection": "{{_mongo.Database}}.trades", "minimum": 9, "maximum": 9}, {"name": "a text", "collection": "{{_mongo.Database}}.trades", "field": "text", "equals": "xxxxxxxxxx"}]""")), ("DRILL_TARGETS", "DatabaseCorruption=10min/10min"));
        var drill = Drill(session, DrillScenario.DatabaseCorruption);

        Assert.Equal(["Prepare", "Find", "Choose", "Fetch", "Unseal", "Restore", "Compare", "Check", "Check", "CleanUp"], drill.Steps.Select(step => step.Name), StringComparer.Ordinal);
        Assert.True(drill.Outcome == Outcome.Succeeded, drill.Verdict);
        Assert.Contains("READY for DatabaseCorruption, as far as a Sandbox can tell", drill.Verdict, StringComparison.Ordinal);
        Assert.True(drill.InSandbox);
        Assert.Equal(["local"], drill.Stores, StringComparer.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_mongo.Store, ".drill-*"));
    }

    [Fact]
    public void On_a_server_of_its_own_it_uses_names_of_its_own_and_drops_them()
    {
        using var scratch = new BotCore.Backup.Sandbox.SandboxServer();
        var drill = Drill(Platform(), DrillScenario.DatabaseCorruption, request => request with { Server = SecretUri.WithPassword(scratch.ConnectionString) });
        Assert.True(drill.Outcome == Outcome.Succeeded || drill.IsRecent == false, drill.Verdict);
        Assert.All(drill.Steps, step => Assert.Equal(Outcome.Succeeded, step.Outcome));
        Assert.False(drill.InSandbox);
    }

    [Fact]
    public void A_drill_never_touches_what_is_live()
    {
        var session = Platform();
        var live = session.Configuration.DatabaseUrl!;
        foreach (var server in new[] { live.Reveal(), live.Reveal().Replace("127.0.0.1", "localhost", StringComparison.Ordinal), live.Reveal().Replace("127.0.0.1", "[::1]", StringComparison.Ordinal) })
        {
            var refused = Assert.Throws<BackupException>(() => DrillRunner.Plan(session, new DrillRequest { Scenarios = [DrillScenario.DatabaseCorruption], Server = SecretUri.WithPassword(server) }));
            Assert.Equal(FailureKind.LiveTargetRefused, refused.Failure.Kind);
        }

        var folder = Directory.CreateDirectory(Path.Combine(_mongo.Folder, "live")).FullName;
        var files = Platform(("BACKUP_DIRECTORIES", $"live={folder}"));
        Assert.Equal(FailureKind.LiveTargetRefused, Assert.Throws<BackupException>(() => DrillRunner.Plan(files, new DrillRequest { Scenarios = [DrillScenario.ServiceFailure], Folder = Path.Combine(folder, "below") })).Failure.Kind);
    }

    [Fact]
    public void What_is_measured_is_what_the_clock_saw()
    {
        var clock = new FixedClock { Now = DateTimeOffset.UtcNow };
        var session = Platform(clock, store => new PlantedStore(store) { Reading = key => clock.Now += key.Contains("full", StringComparison.Ordinal) && !BackupFiles.IsCompanion(key) ? TimeSpan.FromSeconds(90) : TimeSpan.Zero });
        var moment = BackupCatalog.List(session.Local, None).OfType<Made>().Select(made => OplogTimeline.EndOf((BotBackup)made.Item)).Max().Time;
        clock.Now = moment.AddMinutes(3);
        var drill = Drill(session, DrillScenario.DatabaseCorruption);

        Assert.Equal(TimeSpan.FromMinutes(3), drill.Rpo);
        var fetched = drill.Steps.Single(step => step.Name is "Fetch").Duration;
        Assert.True(fetched >= TimeSpan.FromSeconds(90) && fetched.Ticks % TimeSpan.FromSeconds(90).Ticks == 0, fetched.ToString());
        Assert.Equal(clock.Now - moment.AddMinutes(3), drill.Rto);
        Assert.Equal(drill.Rto, drill.Steps.Aggregate(TimeSpan.Zero, (sum, step) => sum + step.Duration));
        Assert.True(drill.Outcome == Outcome.Succeeded, drill.Verdict);
        // The same drill, of which less is allowed.
        var late = drill with { Target = new DrillTarget(drill.Rto - TimeSpan.FromSeconds(1), null) };
        Assert.Equal((Outcome.Failed, false), (late.Outcome, late.IsInTime));
        Assert.Contains("NOT READY", late.Verdict, StringComparison.Ordinal);
        Assert.Contains("would be lost", (drill with { Target = new DrillTarget(null, TimeSpan.FromMinutes(2)) }).Verdict, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("missing slice", "Choose", FailureKind.ChainBroken)]
    [InlineData("wrong key", "Unseal", FailureKind.WrongPassphrase)]
    [InlineData("damaged archive", "Fetch", FailureKind.ChecksumMismatch)]
    [InlineData("store cut off", "Find", FailureKind.StoreUnreachable)]
    [InlineData("store cut off later", "Fetch", FailureKind.StoreUnreachable)]
    [InlineData("check that fails", "Check", FailureKind.Suspect)]
    [InlineData("scratch is full of a file", "Prepare", FailureKind.AccessDenied)]
    public void A_planted_fault_turns_its_step_red_and_the_verdict(string fault, string red, FailureKind kind)
    {
        var session = fault switch
        {
            "store cut off" => Platform(null, store => new PlantedStore(store) { IsDeaf = true }),
            "store cut off later" => Platform(null, store => new PlantedStore(store) { Reading = key => { if (!BackupFiles.IsCompanion(key)) throw new BackupException(FailureKind.StoreUnreachable, "The line is cut.", "Mend it."); } }),
            "check that fails" => Platform(("DRILL_CHECKS", Checks($$"""[{"name": "half of the trades", "collection": "{{_mongo.Database}}.trades", "minimum": 1000}]"""))),
            _ => Platform(),
        };
        var request = new DrillRequest { Scenarios = [DrillScenario.DatabaseCorruption] };
        var backups = BackupCatalog.List(session.Local, None).OfType<Made>().Select(made => (BotBackup)made.Item).ToList();
        switch (fault)
        {
            case "missing slice":
                foreach (var file in Directory.GetFiles(Path.GetDirectoryName(backups[1].Location)!, Path.GetFileName(backups[1].Location) + "*"))
                    File.Delete(file);
                break;
            case "wrong key":
                File.WriteAllText(Path.Combine(_mongo.Folder, "passphrase"), "another\n");
                break;
            case "damaged archive":
                var bytes = File.ReadAllBytes(backups[0].Location);
                bytes[bytes.Length / 2] ^= 1;
                File.WriteAllBytes(backups[0].Location, bytes);
                break;
            case "scratch is full of a file":
                File.WriteAllText(Path.Combine(_mongo.Folder, "scratch"), "");
                request = request with { Folder = Path.Combine(_mongo.Folder, "scratch/below") };
                break;
        }

        var drill = Workplace.Item<BotBackupDrill>([.. DrillRunner.Run(session, request, DrillRunner.Plan(session, request), None).ToBlockingEnumerable()]);
        var failed = Assert.Single(drill.Steps, step => step.Outcome == Outcome.Failed);
        Assert.Equal((red, kind), (failed.Name, failed.Failure!.Kind));
        Assert.Equal(Outcome.Failed, drill.Outcome);
        Assert.StartsWith("NOT READY for DatabaseCorruption: " + red, drill.Verdict, StringComparison.Ordinal);
        Assert.Null(drill.Rto);
        Assert.Empty(Directory.GetFileSystemEntries(_mongo.Store, ".drill-*"));
    }

    [ServerTheory]
    [InlineData(DrillScenario.RegionalOutage)]
    [InlineData(DrillScenario.CompleteFailure)]
    public void A_lost_region_and_a_lost_machine_come_back_from_another_store_alone(DrillScenario scenario)
    {
        var sftp = place.Open(place.NewFolder());
        _open.Add(sftp);
        var session = Files(sftp);
        // The local store is gone with its region: who reads it now is found out.
        var local = (FolderStore)session.Local;
        foreach (var backup in BackupCatalog.List(local, None).OfType<Made>().Select(made => (BotBackup)made.Item))
            Assert.DoesNotContain(CopyRunner.Run([CopyRunner.Plan(backup, sftp, force: false, None)], None).ToBlockingEnumerable(), happened => happened is Failed);
        Directory.Delete(local.Location, recursive: true);

        var drill = Drill(session, scenario);
        Assert.True(drill.Outcome == Outcome.Succeeded, drill.Verdict);
        Assert.Equal(["sftp"], drill.Stores, StringComparer.Ordinal);
        Assert.Equal(["Config", "Volume data"], drill.Steps.Where(step => step.Name is "Compare").Select(step => step.Subject), StringComparer.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(local.Location, "config")));
        Assert.Equal(Outcome.Succeeded, drill.Steps.Single(step => step.Name is "BreakGlass").Outcome);
    }

    [ToolFact("gpg", "tar", "gzip", "sha256sum", "awk", "sh", "diff")]
    public void What_lies_beside_the_backups_brings_an_encrypted_platform_back_without_this_module()
    {
        var session = Platform(("CONFIG_PATHS", "config"));
        Directory.CreateDirectory(Path.Combine(_mongo.Folder, "config"));
        File.WriteAllText(Path.Combine(_mongo.Folder, "config/grid.json"), "{ \"levels\": 7 }");
        var steps = BackupPlanner.Plan(session, new BackupRequest { Components = [Component.Config] }, failure => throw new BackupException(failure), None);
        Assert.DoesNotContain(BackupRunner.Run(session, steps, None).ToBlockingEnumerable(), happened => happened is Failed);
        var drill = Drill(session, DrillScenario.CompleteFailure);
        Assert.All(drill.Steps, step => Assert.True(step.Outcome == Outcome.Succeeded, step.ToString()));
        Assert.Contains("4 archives were checked", drill.Steps.Single(step => step.Name is "BreakGlass").Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_another_store_a_lost_region_is_the_end()
    {
        var drill = Drill(Files(sftp: null), DrillScenario.RegionalOutage);
        Assert.Equal(("Find", FailureKind.ConfigurationMissing), (drill.Steps.Single(step => step.Outcome == Outcome.Failed).Name, drill.Steps.Single(step => step.Outcome == Outcome.Failed).Failure!.Kind));
    }

    [Fact]
    public void A_service_comes_back_with_its_files_and_the_admins_own_questions()
    {
        var session = Files(sftp: null, ("DRILL_CHECKS", Checks("""[{"name": "port", "file": "app.json", "contains": "8080"}, {"name": "no database, no question", "collection": "bot.trades"}]""")));
        var drill = Drill(session, DrillScenario.ServiceFailure);
        Assert.True(drill.Outcome == Outcome.Succeeded, drill.Verdict);
        Assert.Equal("port", Assert.Single(drill.Steps, step => step.Name is "Check").Subject);
        Assert.NotNull(drill.Rpo);
        Assert.Null(drill.Target.Rpo);
    }

    [Theory]
    [InlineData("correct horse", true)]
    [InlineData("another", false)]
    [InlineData(null, false)]
    public void A_lost_key_is_made_good_by_a_copy_that_opens_the_oldest_and_the_newest(string? copy, bool good)
    {
        var file = Path.Combine(_mongo.Folder, "escrow");
        if (copy is not null)
        {
            File.WriteAllText(file, copy + "\n");
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        var session = copy is null ? Platform() : Platform(("DRILL_KEY_FILE", file));
        using var key = KeyCopies.Open(session.Configuration, passphrase: null);
        var drill = Drill(session, DrillScenario.KeyLoss, request => request.With(key));
        Assert.Equal(good ? Outcome.Succeeded : Outcome.Failed, drill.Outcome);
        Assert.Equal(2, drill.Steps.Count(step => step.Name is "Open"));
        Assert.Equal(good ? 0 : 2, drill.Steps.Count(step => step is { Name: "Open", Outcome: Outcome.Failed }));
        Assert.Contains(DrillScenario.KeyLoss, DrillRunner.Possible(session, hasKeyCopy: true));
    }

    [Theory]
    [InlineData("DatabaseCorruption=1h/5min", true)]
    [InlineData("databasecorruption=90s/-, RegionalOutage=-/15min", true)]
    [InlineData("DatabaseCorruption=1h", false)]
    [InlineData("Earthquake=1h/5min", false)]
    [InlineData("1=1h/5min", false)]
    [InlineData("DatabaseCorruption=soon/5min", false)]
    public void Targets_are_read_or_refused(string text, bool good) => Assert.Equal(good, DrillTargets.TryParse(text, out _));

    [Theory]
    [InlineData("{}")]
    [InlineData("[{}]")]
    [InlineData("[{\"name\": \"x\"}]")]
    [InlineData("[{\"name\": \"x\", \"collection\": \"trades\"}]")]
    [InlineData("[{\"name\": \"x\", \"file\": \"a\", \"url\": \"http://a\"}]")]
    [InlineData("[{\"name\": \"x\", \"url\": \"file:///etc/passwd\"}]")]
    [InlineData("[{\"name\": \"x\", \"file\": \"a\", \"hole\": 1}]")]
    [InlineData("[{\"name\": \"x\", \"collection\": \"a.b\", \"filter\": 1}]")]
    public void Checks_that_are_none_are_refused_before_anything_is_done(string text) =>
        Assert.Equal(FailureKind.ConfigurationInvalid, Assert.Throws<BackupException>(() => DrillRunner.Plan(Files(sftp: null, ("DRILL_CHECKS", Checks(text))), new DrillRequest { Scenarios = [DrillScenario.ServiceFailure] })).Failure.Kind);

    private static BotBackupDrill Drill(BackupSession session, DrillScenario scenario, Func<DrillRequest, DrillRequest>? change = null)
    {
        var request = new DrillRequest { Scenarios = [scenario] };
        request = change?.Invoke(request) ?? request;
        return Workplace.Item<BotBackupDrill>([.. DrillRunner.Run(session, request, DrillRunner.Plan(session, request), None).ToBlockingEnumerable()]);
    }

    private string Checks(string text)
    {
        var path = Path.Combine(_mongo.Folder, $"checks-{Guid.NewGuid():N}.json");
        File.WriteAllText(path, text);
        return path;
    }

    private BackupSession Platform(params (string Key, string Value)[] more) => Platform(null, null, more);

    // A full backup and two increments, of nine documents.
    private BackupSession Platform(TimeProvider? clock, Func<IStore, IStore>? wrap, params (string Key, string Value)[] more)
    {
        var first = _mongo.Session();
        if (!Directory.Exists(_mongo.Store))
        {
            Slices.Write(_mongo);
            _mongo.BackUp(first);
            Slices.Write(_mongo);
            Slices.Take(first);
            Slices.Write(_mongo);
            Slices.Take(first);
        }

        var stores = wrap is null ? null : new Dictionary<string, IStore>(StringComparer.OrdinalIgnoreCase) { ["local"] = wrap(first.Local) };
        return _mongo.Session(more: more.ToDictionary(one => one.Key, one => one.Value, StringComparer.Ordinal), clock: clock, stores: stores);
    }

    // A platform of files, without a database.
    private BackupSession Files(IStore? sftp, params (string Key, string Value)[] more)
    {
        var root = Directory.CreateDirectory(Path.Combine(_mongo.Folder, "platform")).FullName;
        File.WriteAllText(Path.Combine(root, "app.json"), "{ \"port\": 8080 }");
        Directory.CreateDirectory(Path.Combine(root, "data"));
        File.WriteAllText(Path.Combine(root, "data/dump"), "REDIS");
        var settings = more.ToDictionary(one => one.Key, one => one.Value, StringComparer.Ordinal);
        settings["PROJECT_ROOT"] = root;
        settings["CONFIG_PATHS"] = "app.json";
        settings["BACKUP_DIRECTORIES"] = "data=" + Path.Combine(root, "data");
        settings["BACKUP_DIR"] = Path.Combine(_mongo.Folder, "files");
        settings["ENCRYPTION_ENABLED"] = "false";
        if (sftp is not null)
        {
            foreach (var (key, value) in new[] { ("ENABLE_SFTP_BACKUP", "true"), ("SFTP_HOST", "localhost"), ("SFTP_DIR", "/tmp"), ("STORES_VOLUMES", "local,sftp") })
                settings[key] = value;
        }

        var session = new BackupSession(BotBackupConfiguration.Load(null, new Dictionary<string, string>(StringComparer.Ordinal), settings), new SessionOptions { Threads = 1 })
        {
            StandIns = sftp is null ? new Dictionary<string, IStore>(StringComparer.OrdinalIgnoreCase) : new Dictionary<string, IStore>(StringComparer.OrdinalIgnoreCase) { ["sftp"] = sftp },
        };
        _open.Add(session);
        var steps = BackupPlanner.Plan(session, new BackupRequest { Components = [Component.Config, Component.Volume], Stores = ["local"] }, failure => throw new BackupException(failure), None);
        Assert.DoesNotContain(BackupRunner.Run(session, steps, None).ToBlockingEnumerable(), happened => happened is Failed);
        return session;
    }

    /// <summary>A store with a fault planted into its readings.</summary>
    private sealed class PlantedStore(IStore inner) : IStore
    {
        public bool IsDeaf { get; init; }

        public Action<string>? Reading { get; init; }

        public string Name => inner.Name;

        public string Location => inner.Location;

        public long? FreeSpace => inner.FreeSpace;

        public IEnumerable<StoredObject> List(string prefix, CancellationToken token) => IsDeaf ? throw new BackupException(FailureKind.StoreUnreachable, "It does not answer.", "Wait.") : inner.List(prefix, token);

        public StoredObject? Find(string key, CancellationToken token) => inner.Find(key, token);

        public Stream OpenRead(string key, long offset, CancellationToken token)
        {
            Reading?.Invoke(key);
            return inner.OpenRead(key, offset, token);
        }

        public StoreWriter Create(string key, CancellationToken token, string? runId = null) => inner.Create(key, token, runId);

        public void Delete(string key, CancellationToken token) => inner.Delete(key, token);

        public IReadOnlyList<string> RemovePartials(string folder, Func<string, bool> isMine, CancellationToken token) => inner.RemovePartials(folder, isMine, token);

        public StoreLease AcquireLease(string folder, CancellationToken token) => inner.AcquireLease(folder, token);

        public string Locate(string key) => inner.Locate(key);
    }
}
