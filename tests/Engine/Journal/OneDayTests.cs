using System.Text.Json;
using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Health;
using BotCore.Backup.Engine.Journal;
using BotCore.Backup.Engine.Metrics;
using BotCore.Backup.Engine.Notices;
using BotCore.Backup.Engine.Reports;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Engine.Retention;
using BotCore.Backup.Engine.Verification;
using Xunit;
using Xunit.Abstractions;

namespace BotCore.Backup.Engine.Tests.Journal;

/// <summary>A whole day of the timetable on a real store, with a clock that jumps: logs, metrics, notices and manifests must tell of the same runs.</summary>
public sealed class OneDayTests(ITestOutputHelper output)
{
    private static readonly DateTimeOffset Midnight = new(2025, 11, 18, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void After_a_day_logs_metrics_notices_and_manifests_agree_to_the_run()
    {
        using var day = new Day(Midnight);
        var watch = System.Diagnostics.Stopwatch.StartNew();
        for (var at = 0; at < 288; at++)
        {
            day.Clock.Now = Midnight.AddMinutes(at * 5).AddSeconds(1);
            // Three times another machine is at it.
            using var taken = at is 50 or 51 or 200 ? day.Session.Local.AcquireLease(ArchiveName(), CancellationToken.None) : null;
            day.Increment();
            switch (at)
            {
                case 24:
                    day.Full();
                    break;
                case 36:
                    day.Verify();
                    break;
                case 48:
                    day.CleanUp();
                    break;
                case 60:
                    day.Restore();
                    break;
                case 108:
                    day.Report();
                    break;
                case 72 or 144 or 216 or 287:
                    day.Health();
                    break;
            }
        }

        output.WriteLine($"{watch.Elapsed.TotalSeconds:0.0} s");
        var told = day.Teller.Told;
        var records = day.Events().Where(line => line.TryGetProperty("kind", out _)).ToList();
        // Notices and logs: the same runs with the same outcome, in the same order.
        Assert.Equal(288 + 1 + 1 + 1 + 1 + 1 + 4, told.Count);
        Assert.Equal(told.Select(run => (run.RunId, run.Kind.ToString(), run.Outcome.ToString())), records.Select(line => (Text(line, "run"), Text(line, "kind"), Text(line, "outcome"))));
        Assert.Equal(told.Count, told.Select(run => run.RunId).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(3, told.Count(run => run is { Kind: RunKind.Backup, Outcome: Outcome.Failed }));
        // Logs for people: one last line a run, of the level that its record has.
        var last = day.Lines().Where(line => line.Contains("] Invoke-BotBackup ended", StringComparison.Ordinal) || line.Contains("] Invoke-BotBackup FAILED", StringComparison.Ordinal)).ToList();
        Assert.Equal(289, last.Count);
        Assert.Equal(3, last.Count(line => line.Contains("] [ERROR] [", StringComparison.Ordinal)));
        // Metrics: as many runs of each kind and outcome, and the last of each.
        var metrics = new MetricBook(MetricsFile.Read(day.Metrics)!);
        foreach (var group in told.GroupBy(run => (run.Kind, run.IsGood)))
            Assert.Equal(group.Count(), metrics.Find(MetricFamilies.Runs, ("kind", RunMetrics.WordOf(group.Key.Kind)), ("outcome", group.Key.IsGood ? "succeeded" : "failed")));
        foreach (var group in told.GroupBy(run => run.Kind))
        {
            Assert.Equal(group.Last().Ended.ToUnixTimeSeconds(), metrics.Find(MetricFamilies.RunTime, ("kind", RunMetrics.WordOf(group.Key))));
            Assert.Equal(group.LastOrDefault(run => run.IsGood)?.Ended.ToUnixTimeSeconds(), metrics.Find(MetricFamilies.RunSuccessTime, ("kind", RunMetrics.WordOf(group.Key))));
        }

        // Manifests: each good run of a backup made the one that bears its id, and no other is there.
        var made = BackupCatalog.List(day.Session.Local, CancellationToken.None).OfType<Made>().Select(one => ((BotBackup)one.Item).RunId).Order(StringComparer.Ordinal);
        Assert.Equal(told.Where(run => run.Kind == RunKind.Backup && run.Results.Any(result => result.Outcome == Outcome.Succeeded)).Select(run => run.RunId).Order(StringComparer.Ordinal), made);
        (string, string)[] labels = [("component", "config"), ("name", "config"), ("store", "local")];
        Assert.Equal(told.Where(run => run.Kind == RunKind.Backup).SkipWhile(run => run.Started < Midnight.AddHours(2)).SkipWhile(run => run.Results.All(result => result.Type != BackupType.Full)).Count(run => run.IsGood) - 1, metrics.Find(MetricFamilies.ChainLength, labels));
    }

    private static string ArchiveName() => "config";

    private static string Text(JsonElement line, string name) => line.GetProperty(name).GetString()!;

    private sealed class Day : IDisposable
    {
        private readonly TemporaryFolder _folder = new();
        private readonly BotBackupConfiguration _settings;
        private readonly List<BackupSession> _sessions = [];
        private int _written;

        public Day(DateTimeOffset begins)
        {
            Clock = new FixedClock { Now = begins };
            Directory.CreateDirectory(_folder.Of("project"));
            File.WriteAllText(_folder.Of("project/first"), "first");
            _settings = BotBackupConfiguration.Load(null, new Dictionary<string, string>(StringComparer.Ordinal), new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["PROJECT_ROOT"] = _folder.Of("project"),
                ["CONFIG_PATHS"] = ".",
                ["BACKUP_DIR"] = _folder.Of("store"),
                ["LOG_DIR"] = Logs,
                ["METRICS_FILE"] = Metrics,
                ["ENCRYPTION_ENABLED"] = "false",
                ["DOCKER_HOST"] = "unix:///nothing/docker.sock",
            });
        }

        public FixedClock Clock { get; }

        public Teller Teller { get; } = new();

        public BackupSession Session => _sessions[^1];

        public string Metrics => _folder.Of("backup.prom");

        private string Logs => _folder.Of("logs");

        public void Full() => Backup(BackupType.Full);

        public void Increment()
        {
            File.WriteAllText(_folder.Of($"project/file{_written++ % 7}"), $"text {_written}");
            Backup(BackupType.Incremental);
        }

        public void Verify() => Run(RunKind.Verification, "Test-BotBackup", session => VerificationRunner.Run(session, [Newest(session)], new VerificationOptions { Depth = Depth.Archive }, CancellationToken.None));

        public void Restore() => Run(RunKind.Restore, "Restore-BotBackup", session =>
            RestoreRunner.Run(session, [RestorePlanner.Plan(session, Newest(session), new RestoreRequest { Destination = _folder.Of("restored"), NoSnapshot = true }, CancellationToken.None)], CancellationToken.None));

        public void Report() => Run(RunKind.Report, "Export-BotBackupReport", session =>
            ReportRunner.Run(session, ReportRunner.Plan(new ReportRequest { Path = ReportRunner.DefaultPath(session), Stores = ["local"] }), CancellationToken.None));

        public void Health() => Run(RunKind.Health, "Test-BotBackupHealth", session => HealthRunner.Run(session, new HealthOptions { MinimumFreeSpace = 1, IsWanted = name => name is not ProbeNames.Schedule }, CancellationToken.None));

        public void CleanUp()
        {
            var session = NewSession();
            var journal = NewJournal(session, RunKind.CleanUp, "Remove-BotBackupExpired");
            Assert.Empty(Engine.Retention.CleanUp.Plan(Engine.Retention.CleanUp.Decide(session, session.Local, new CleanUpRequest { Policy = RetentionPolicy.Of(_settings, null) }, failure => throw new BackupException(failure), CancellationToken.None)));
            journal.NoteNothingToDo();
            Assert.Empty(journal.Close(interrupted: false, CancellationToken.None));
        }

        public IEnumerable<JsonElement> Events() => Directory.GetFiles(Logs, "*.jsonl").Order(StringComparer.Ordinal).SelectMany(File.ReadLines).Select(line => JsonDocument.Parse(line).RootElement);

        public IEnumerable<string> Lines() => Directory.GetFiles(Logs, "config-backup-*.log").SelectMany(File.ReadLines);

        public void Dispose()
        {
            _sessions.ForEach(session => session.Dispose());
            _folder.Dispose();
        }

        private void Backup(BackupType type)
        {
            var session = NewSession();
            var journal = NewJournal(session, RunKind.Backup, "Invoke-BotBackup");
            var steps = BackupPlanner.Plan(session, new BackupRequest { Components = [Component.Config], Type = type, OnGap = GapAction.Full, Lost = journal.Lose }, failure => journal.Hear(new Failed(failure)), CancellationToken.None);
            foreach (var step in steps)
                journal.Expect(step.Subject);
            Hear(journal, BackupRunner.Run(session, steps, CancellationToken.None));
        }

        private void Run(RunKind kind, string command, Func<BackupSession, IAsyncEnumerable<BackupEvent>> run)
        {
            var session = NewSession();
            Hear(NewJournal(session, kind, command), run(session));
        }

        private static void Hear(RunJournal journal, IAsyncEnumerable<BackupEvent> run)
        {
            foreach (var happened in run.ToBlockingEnumerable())
                journal.Hear(happened);
            Assert.Empty(journal.Close(interrupted: false, CancellationToken.None));
        }

        private static BotBackup Newest(BackupSession session) => BackupCatalog.List(session.Local, CancellationToken.None).OfType<Made>().Select(made => (BotBackup)made.Item).Last();

        private RunJournal NewJournal(BackupSession session, RunKind kind, string command) => new(_settings, session.RunId, new RunHead(command, kind, kind == RunKind.Backup ? [Component.Config] : []), Clock, Teller);

        // A command a session, as a user types it.
        private BackupSession NewSession()
        {
            _sessions.Add(new BackupSession(_settings, new SessionOptions { Threads = 1 }) { Clock = Clock });
            return Session;
        }
    }

    private sealed class Teller : INoticeTeller
    {
        public List<BotBackupRun> Told { get; } = [];

        public void Begin(string runId, RunKind kind)
        {
        }

        public IReadOnlyList<RunTelling> Tell(BotBackupRun run, CancellationToken token)
        {
            Told.Add(run);
            return [];
        }
    }
}
