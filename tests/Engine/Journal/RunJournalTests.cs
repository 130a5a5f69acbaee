using System.Text.Json;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Journal;
using BotCore.Backup.Engine.Metrics;
using BotCore.Backup.Engine.Notices;
using BotCore.Backup.Engine.Tests.Retention;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Journal;

/// <summary>One record of a run, and what is told from it: docs/operations.md has the table, a test a cell.</summary>
public sealed class RunJournalTests : IDisposable
{
    private static readonly DateTimeOffset Night = new(2025, 11, 18, 2, 0, 0, TimeSpan.Zero);

    private readonly TemporaryFolder _folder = new();
    private readonly FixedClock _clock = new() { Now = Night };
    private readonly Teller _teller = new();

    private string Logs => _folder.Of("logs");

    private string Metrics => _folder.Of("metrics/backup.prom");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_good_run_is_good_everywhere()
    {
        var journal = Journal();
        journal.Expect(new RunSubject(Component.MongoDb, "mongodb", BackupType.Full, ["local", "s3"]));
        journal.Hear(new Made(Made(("local", null), ("s3", null))));
        Assert.Empty(Close(journal));

        Assert.True(journal.Last!.IsGood);
        Assert.Equal(2, journal.Last.Results.Count);
        Assert.Equal(["SUCCESS", "SUCCESS", "SUCCESS"], Levels("mongodb-backup-20251118.log").Where(level => level is not "INFO"), StringComparer.Ordinal);
        Assert.Equal(1, Metric(MetricFamilies.GuideSuccess, ("type", "full")));
        Assert.Equal(Night.ToUnixTimeSeconds(), Metric(MetricFamilies.GuideSuccessTime, ("type", "full")));
        Assert.Same(journal.Last, _teller.Told);
        Assert.Equal("Succeeded", Events().Last().GetProperty("outcome").GetString());
    }

    [Fact]
    public void A_store_that_fails_fails_the_run_and_leaves_the_last_success_as_it_was()
    {
        var good = Journal();
        good.Hear(new Made(Made(("local", null), ("s3", null))));
        Close(good);
        _clock.Now += TimeSpan.FromDays(1);

        var journal = Journal();
        journal.Hear(new Made(Made(("local", null), ("s3", Failure("The bucket is away.")))));
        journal.Hear(new Failed(Failure("The bucket is away.")) { IsOfOneStore = true });
        Close(journal);

        var run = journal.Last!;
        Assert.Equal(Outcome.Failed, run.Outcome);
        Assert.Equal([Outcome.Succeeded, Outcome.Failed], run.Results.Select(result => result.Outcome));
        // Told twice, of the object and of the stream, it is one.
        Assert.Single(run.Failures);
        Assert.Contains("ERROR", Levels("mongodb-backup-20251119.log"), StringComparer.Ordinal);
        Assert.Equal(0, Metric(MetricFamilies.GuideSuccess, ("type", "full")));
        Assert.Equal(Night.ToUnixTimeSeconds(), Metric(MetricFamilies.GuideSuccessTime, ("type", "full")));
        (string, string)[] Of(string store) => [("component", "mongodb"), ("name", "mongodb"), ("type", "full"), ("store", store)];
        Assert.Equal((1, 0), (Metric(MetricFamilies.Success, Of("local")), Metric(MetricFamilies.Success, Of("s3"))));
        Assert.Equal(Night.AddDays(1).ToUnixTimeSeconds(), Metric(MetricFamilies.SuccessTime, Of("local")));
        Assert.Equal(Night.ToUnixTimeSeconds(), Metric(MetricFamilies.SuccessTime, Of("s3")));
        Assert.Equal(Night.AddDays(1).ToUnixTimeSeconds(), Metric(MetricFamilies.Attempt, Of("s3")));
        Assert.Equal(Outcome.Failed, _teller.Told!.Outcome);
    }

    [Fact]
    public void What_was_to_be_done_and_nobody_spoke_of_has_failed()
    {
        var journal = Journal();
        journal.Expect(new RunSubject(Component.MongoDb, "mongodb", BackupType.Full, ["local", "s3"]));
        journal.Hear(new Said("It went away."));
        journal.Close(interrupted: true, CancellationToken.None);

        var run = journal.Last!;
        Assert.True(run.Interrupted);
        Assert.Equal([("local", FailureKind.Cancelled), ("s3", FailureKind.Cancelled)], run.Results.Select(result => (result.Store, result.Failure!.Kind)));
        Assert.Equal(0, Metric(MetricFamilies.GuideSuccess, ("type", "full")));
        Assert.Null(Metric(MetricFamilies.GuideSuccessTime, ("type", "full")));
    }

    [Fact]
    public void A_step_that_failed_is_told_of_each_of_its_stores_with_the_reason()
    {
        var journal = Journal();
        var subject = new RunSubject(Component.MongoDb, "mongodb", BackupType.Incremental, ["local"]);
        journal.Expect(subject);
        journal.Hear(new Failed(Failure("The server is away.", FailureKind.SourceUnreachable)) { About = subject });
        Close(journal);

        var result = Assert.Single(journal.Last!.Results);
        Assert.Equal((Outcome.Failed, FailureKind.SourceUnreachable), (result.Outcome, result.Failure!.Kind));
        Assert.Equal(0, Metric(MetricFamilies.GuideSuccess, ("type", "incremental")));
        Assert.Null(Metric(MetricFamilies.GuideSuccess, ("type", "full")));
    }

    [Fact]
    public void An_increment_that_became_a_full_backup_is_what_was_asked_for()
    {
        var journal = Journal();
        journal.Expect(new RunSubject(Component.MongoDb, "mongodb", BackupType.Incremental, ["local"]));
        journal.Hear(new Made(Made(("local", null))));
        Close(journal);
        Assert.True(journal.Last!.IsGood);
        Assert.Single(journal.Last.Results);
    }

    [Fact]
    public void Full_and_incremental_do_not_overwrite_each_other()
    {
        var full = Journal();
        full.Hear(new Made(Made(("local", null))));
        Close(full);
        _clock.Now += TimeSpan.FromMinutes(5);
        var increment = Journal();
        increment.Hear(new Made(Made(("local", null)) with { Type = BackupType.Incremental }));
        Close(increment);

        Assert.Equal(Night.ToUnixTimeSeconds(), Metric(MetricFamilies.GuideSuccessTime, ("type", "full")));
        Assert.Equal(Night.AddMinutes(5).ToUnixTimeSeconds(), Metric(MetricFamilies.GuideSuccessTime, ("type", "incremental")));
        Assert.Equal(1, Metric(MetricFamilies.ChainLength, ("component", "mongodb"), ("name", "mongodb"), ("store", "local")));
    }

    [Fact]
    public void A_notice_that_fails_is_a_warning_and_a_metric_and_the_run_stays_good()
    {
        _teller.Answer = [new RunTelling("slack", Failure("Slack answered 500.", FailureKind.StoreUnreachable)), new RunTelling("email", null)];
        var journal = Journal();
        journal.Hear(new Made(Made(("local", null))));
        Assert.Contains("Slack answered 500.", Assert.Single(Close(journal)), StringComparison.Ordinal);

        Assert.True(journal.Last!.IsGood);
        Assert.Equal((0, 1), (Metric(MetricFamilies.NoticeSuccess, ("channel", "slack")), Metric(MetricFamilies.NoticeSuccess, ("channel", "email"))));
        Assert.Equal((1, 0), (Metric(MetricFamilies.NoticeFailures, ("channel", "slack")), Metric(MetricFamilies.NoticeFailures, ("channel", "email"))));
        Assert.Equal(1, Metric(MetricFamilies.GuideSuccess, ("type", "full")));
        Assert.Contains("WARN", Levels("mongodb-backup-20251118.log"), StringComparer.Ordinal);
    }

    [Fact]
    public void Logs_and_metrics_that_cannot_be_written_are_warnings_and_the_run_stays_good()
    {
        File.WriteAllText(Logs, "a file where the folder should be");
        File.WriteAllText(_folder.Of("metrics"), "");
        var journal = Journal();
        journal.Hear(new Made(Made(("local", null))));
        var problems = Close(journal);
        Assert.Equal(2, problems.Count);
        Assert.True(journal.Last!.IsGood);
    }

    [Fact]
    public void Secrets_are_not_in_the_logs_whatever_says_them()
    {
        var journal = Journal(("DATABASE_URL", "mongodb://bot:p%40ssw0rd@db/bot"), ("SMTP_USER", "bot"), ("SMTP_PASSWORD", "smtp-secret-1"), ("SLACK_WEBHOOK", "https://hooks.slack.com/services/T0/B0/slacksecret"));
        journal.Hear(new Said("mongodb://bot:p%40ssw0rd@db/bot p@ssw0rd"));
        journal.Hear(new Warned("smtp-secret-1 https://hooks.slack.com/services/T0/B0/slacksecret ftp://x:y-z-secret@host/"));
        journal.Hear(new Failed(Failure("p%40ssw0rd")));
        Close(journal);
        var all = string.Concat(Directory.GetFiles(Logs).Where(file => !file.EndsWith(".lock", StringComparison.Ordinal)).Select(File.ReadAllText)) + File.ReadAllText(Metrics);
        foreach (var secret in new[] { "p%40ssw0rd", "p@ssw0rd", "smtp-secret-1", "slacksecret", "y-z-secret" })
            Assert.DoesNotContain(secret, all, StringComparison.Ordinal);
        Assert.Contains("***", all, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_to_do_is_good_and_nothing_said_is_not()
    {
        var cleanUp = Journal(RunKind.CleanUp);
        cleanUp.NoteNothingToDo();
        Close(cleanUp);
        Assert.Equal((Outcome.Skipped, true), (cleanUp.Last!.Outcome, cleanUp.Last.IsGood));

        var test = Journal(RunKind.Verification);
        test.Hear(new Said("There is nothing to test."));
        Close(test);
        Assert.Equal((Outcome.Unknown, false), (test.Last!.Outcome, test.Last.IsGood));
        Assert.Equal(0, Metric(MetricFamilies.RunSuccess, ("kind", "verification")));
    }

    [Fact]
    public void Runs_at_the_same_time_keep_each_others_lines_and_metrics()
    {
        const int Runs = 24;
        Parallel.For(0, Runs, new ParallelOptions { MaxDegreeOfParallelism = 8 }, at =>
        {
            var journal = Journal();
            journal.Hear(new Made(Made(("local", null)) with { Name = $"db{at}" }));
            Assert.Empty(Close(journal));
        });
        Assert.Equal(Runs, Metric(MetricFamilies.Runs, ("kind", "backup"), ("outcome", "succeeded")));
        Assert.Equal(Runs, Events().Count(line => line.TryGetProperty("outcome", out _)));
        Assert.All(File.ReadLines(Path.Combine(Logs, "mongodb-backup-20251118.log")), line => Assert.StartsWith("[2025-11-18 02:00:00] [", line, StringComparison.Ordinal));
    }

    private static IReadOnlyList<string> Close(RunJournal journal) => journal.Close(interrupted: false, CancellationToken.None);

    private RunJournal Journal(params (string Key, string Value)[] settings) => Journal(RunKind.Backup, settings);

    private RunJournal Journal(RunKind kind, params (string Key, string Value)[] settings)
    {
        var all = settings.ToDictionary(setting => setting.Key, setting => setting.Value, StringComparer.Ordinal);
        all["BACKUP_DIR"] = _folder.Of("store");
        all["LOG_DIR"] = Logs;
        all["METRICS_FILE"] = Metrics;
        all["ENCRYPTION_ENABLED"] = "false";
        return new RunJournal(BotBackupConfiguration.Load(null, new Dictionary<string, string>(StringComparer.Ordinal), all), "0123456789abcdef", new RunHead("Invoke-BotBackup", kind, [Component.MongoDb]), _clock, _teller);
    }

    private BotBackup Made(params (string Store, Failure? Failure)[] stores) => KeptHistory.Full(_clock.Now) with
    {
        Outcome = stores.All(store => store.Failure is null) ? Outcome.Succeeded : Outcome.Failed,
        Stores = [.. stores.Select(store => new StoreOutcome(store.Store, "/store/archive", store.Failure is null ? Outcome.Succeeded : Outcome.Failed, store.Failure))],
    };

    private static Failure Failure(string message, FailureKind kind = FailureKind.StoreUnreachable) => new(kind, message, "Look at it.");

    private IEnumerable<string> Levels(string file) => File.ReadLines(Path.Combine(Logs, file)).Select(line => line.Split("] [")[1]);

    private IEnumerable<JsonElement> Events() => Directory.GetFiles(Logs, "*.jsonl").SelectMany(File.ReadLines).Select(line => JsonDocument.Parse(line).RootElement);

    private double? Metric(string name, params (string, string)[] labels) => new MetricBook(MetricsFile.Read(Metrics)!).Find(name, labels);

    private sealed class Teller : INoticeTeller
    {
        public BotBackupRun? Told { get; private set; }

        public IReadOnlyList<RunTelling> Answer { get; set; } = [];

        public void Begin(string runId, RunKind kind)
        {
        }

        public IReadOnlyList<RunTelling> Tell(BotBackupRun run, CancellationToken token)
        {
            Told = run;
            return Answer;
        }
    }
}
