using System.Text.Json;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Journal;
using BotCore.Backup.Engine.Notices;
using BotCore.Backup.Engine.Tests.Configuration;
using BotCore.Backup.Engine.Tests.Stores;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Notices;

/// <summary>What is told at first, what is told again, and what is told once it is good: each run by a process of its own.</summary>
public sealed class NoticeLimiterTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly NoticeServer _server = new();
    private DateTimeOffset _now = Runs.Night;

    private string State => Path.Combine(_folder.Path, "logs", NoticeMemory.FileName);

    public void Dispose()
    {
        _server.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void What_goes_on_failing_is_told_at_first_and_then_every_six_hours_and_once_when_it_is_good()
    {
        Assert.Equal("FAILED prod-1 Invoke-BotBackup: MongoDb a in local", After(TimeSpan.Zero, Runs.Bad("a")));
        for (var hour = 1; hour < 6; hour++)
            Assert.Null(After(TimeSpan.FromHours(1), Runs.Bad("a")));
        Assert.Equal("FAILED prod-1 Invoke-BotBackup: MongoDb a in local still failing, 7 runs since 2025-11-18 03:00:00Z", After(TimeSpan.FromHours(1), Runs.Bad("a")));
        Assert.Null(After(TimeSpan.FromHours(1), Runs.Bad("a")));
        Assert.Equal("GOOD prod-1 Invoke-BotBackup: MongoDb a in local good again after 8 h", After(TimeSpan.FromHours(1), Runs.Good("a")));
        Assert.Null(After(TimeSpan.FromHours(1), Runs.Good("a")));
        Assert.Equal("FAILED prod-1 Invoke-BotBackup: MongoDb a in local", After(TimeSpan.FromHours(1), Runs.Bad("a")));
    }

    [Fact]
    public void Another_thing_that_fails_or_is_good_again_is_told_at_once()
    {
        After(TimeSpan.Zero, Runs.Bad("a"), Runs.Good("b"));

        Assert.Equal("FAILED prod-1 Invoke-BotBackup: MongoDb a in local, MongoDb b in s3", After(TimeSpan.FromMinutes(1), Runs.Bad("a"), Runs.Bad("b", store: "s3")));
        Assert.Equal("FAILED prod-1 Invoke-BotBackup: MongoDb a in local still failing, 3 runs since 2025-11-18 03:00:00Z", After(TimeSpan.FromMinutes(1), Runs.Bad("a"), Runs.Good("b", store: "s3")));
        Assert.Contains("- MongoDb b in s3", Text(_server.Posted[^1]), StringComparison.Ordinal);
        Assert.Null(After(TimeSpan.FromMinutes(1), Runs.Bad("a"), Runs.Good("b", store: "s3")));
    }

    [Fact]
    public void An_increment_that_works_mends_no_full_backup_and_another_component_nothing()
    {
        After(TimeSpan.Zero, Runs.Bad("a"));

        Assert.Null(After(TimeSpan.FromMinutes(15), Runs.Good("a", BackupType.Incremental)));
        Assert.Null(After(TimeSpan.FromMinutes(15), Runs.Good("a") with { Component = Component.Volume }));
        Assert.Null(After(TimeSpan.FromMinutes(15), Runs.Good("a", store: "s3")));
        Assert.StartsWith("GOOD", After(TimeSpan.FromMinutes(15), Runs.Good("a")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_proof_that_fails_is_another_thing_than_a_backup()
    {
        After(TimeSpan.Zero, Runs.Bad("a"));

        Assert.NotNull(Told(Runs.Of(_now, Runs.Bad("a")) with { Kind = RunKind.Verification, Command = "Test-BotBackup" }));
        Assert.Null(Told(Runs.Of(_now, Runs.Bad("a")) with { Kind = RunKind.Verification, Command = "Test-BotBackup" }));
    }

    [Fact]
    public void A_run_that_fails_as_a_whole_is_good_again_with_the_next_good_one()
    {
        var broken = Runs.Of(_now) with { Failures = [new Failure(FailureKind.Locked, "Somebody holds the lease.", "Wait.")] };
        Assert.Equal("FAILED prod-1 Invoke-BotBackup: Locked", Told(broken));
        Assert.Null(Told(broken));
        Assert.StartsWith("GOOD", After(TimeSpan.FromHours(1), Runs.Good("a")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_report_that_says_nothing_is_no_failure_and_a_backup_that_says_nothing_is()
    {
        Assert.Null(Told(Runs.Of(_now) with { Kind = RunKind.Report }));
        Assert.Equal("FAILED prod-1 Invoke-BotBackup: no result", Told(Runs.Of(_now)));
    }

    [Fact]
    public void Always_tells_every_good_run_and_still_limits_what_fails()
    {
        const string always = "NOTICE_ON=always\nNOTICE_REPEAT=30min\n";
        Assert.Equal("GOOD prod-1 Invoke-BotBackup: 1 of 1 good", After(TimeSpan.Zero, always, Runs.Good("a")));
        Assert.NotNull(After(TimeSpan.Zero, always, Runs.Good("a")));
        Assert.NotNull(After(TimeSpan.Zero, always, Runs.Bad("a")));
        Assert.Null(After(TimeSpan.FromMinutes(29), always, Runs.Bad("a")));
        Assert.NotNull(After(TimeSpan.FromMinutes(1), always, Runs.Bad("a")));
    }

    [Fact]
    public void What_nobody_heard_is_told_again()
    {
        const string dead = "SLACK_WEBHOOK=http://127.0.0.1:1/x\n";
        After(TimeSpan.Zero, dead, Runs.Bad("a"));

        Assert.Equal("FAILED prod-1 Invoke-BotBackup: MongoDb a in local", After(TimeSpan.FromMinutes(1), Runs.Bad("a")));
        After(TimeSpan.FromMinutes(1), dead, Runs.Good("a"));
        Assert.StartsWith("GOOD", After(TimeSpan.FromMinutes(1), Runs.Good("a")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("{}")]
    [InlineData("""{"format":2,"failing":{}}""")]
    [InlineData("""{"format":1,"failing":{"Backup: MongoDb a in local":null}}""")]
    [InlineData("""{"format":1,"failing":{"Backup: MongoDb a in local":{"since":"2025-11-18T03:00:00Z","told":"2999-01-01T00:00:00Z","runs":1}}}""")]
    public void A_memory_that_cannot_be_read_or_believed_silences_nobody(string content)
    {
        After(TimeSpan.Zero, Runs.Bad("a"));
        Assert.Null(After(TimeSpan.FromMinutes(1), Runs.Bad("a")));
        File.WriteAllText(State, content);

        Assert.NotNull(After(TimeSpan.FromMinutes(1), Runs.Bad("a")));
        Assert.Null(After(TimeSpan.FromMinutes(1), Runs.Bad("a")));
    }

    [Fact]
    public void The_memory_is_its_owners_alone_and_never_half_written()
    {
        After(TimeSpan.Zero, Runs.Bad("a"));

        using var json = JsonDocument.Parse(File.ReadAllText(State));
        Assert.Equal(1, json.RootElement.GetProperty("format").GetInt32());
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(State));
        Assert.DoesNotContain(Directory.GetFiles(Path.GetDirectoryName(State)!), file => file.EndsWith(".tmp", StringComparison.Ordinal));
    }

    [Fact]
    public void A_template_that_is_good_is_the_text_and_one_that_is_not_is_told_and_left_out()
    {
        _folder.Write("good.txt", "{outcome}! {host} {command} {run} {duration}\n{failures}\n{ \"json\": 1 }");
        _folder.Write("bad.txt", "{outcome} {hots}");

        After(TimeSpan.Zero, "NOTICE_TEMPLATE=good.txt\n", Runs.Bad("a"));
        var text = Text(_server.Posted[^1]).Split('\n', 2)[1];
        Assert.StartsWith("FAILED! prod-1 Invoke-BotBackup 0123456789abcdef 30 s\n- MongoDb a in local: Failed (StoreFull).\n- StoreFull: The store is full. Make room.\n{ \"json\": 1 }", text, StringComparison.Ordinal);

        foreach (var template in new[] { "bad.txt", "absent.txt" })
        {
            var told = Sender($"NOTICE_TEMPLATE={template}\n").Tell(Runs.Of(_now, Runs.Bad(template)), CancellationToken.None);
            Assert.Null(told.Single(one => one.Channel is "slack").Failure);
            Assert.Equal(FailureKind.ConfigurationInvalid, told.Single(one => one.Channel is "template").Failure!.Kind);
            Assert.Contains("What failed:", Text(_server.Posted[^1]), StringComparison.Ordinal);
        }
    }

    private string? After(TimeSpan time, params RunResult[] results) => After(time, "", results);

    private string? After(TimeSpan time, string settings, params RunResult[] results)
    {
        _now += time;
        return Told(Runs.Of(_now, results), settings);
    }

    // The first line of what was told; null where nothing was.
    private string? Told(BotBackupRun run, string settings = "")
    {
        var before = _server.Posted.Count;
        Sender(settings).Tell(run, CancellationToken.None);
        return _server.Posted.Count == before ? null : Text(_server.Posted[^1]).Split('\n')[0];
    }

    private NoticeSender Sender(string settings) =>
        NoticeSender.From(_folder.Load($"LOG_DIR=logs\n{(settings.Contains("SLACK", StringComparison.Ordinal) ? "" : "SLACK_WEBHOOK=" + _server.Url("/geheim"))}\n{settings}"), new LeapingClock())!;

    private static string Text(Posted posted)
    {
        using var json = JsonDocument.Parse(posted.Body);
        return json.RootElement.GetProperty("text").GetString()!;
    }
}
