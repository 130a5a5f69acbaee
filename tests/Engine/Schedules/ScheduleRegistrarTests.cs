using System.Diagnostics;
using System.Xml.Linq;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Outside.Programs;
using BotCore.Backup.Engine.Schedules;
using BotCore.Backup.Engine.Tests.Journal;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Schedules;

/// <summary>Tables, units and XML as files, and what the programs that read them say.</summary>
public sealed class ScheduleRegistrarTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TaskCommand _command;

    public ScheduleRegistrarTests()
    {
        // What stands in for pwsh says that it was started.
        File.WriteAllText(_folder.Of("shell"), "#!/bin/sh\necho \"$@\" >'" + _folder.Of("started") + "'\n");
        File.WriteAllText(_folder.Of("Nightly 100%.ps1"), "exit 0\n");
        File.WriteAllText(_folder.Of(".env"), "");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(_folder.Of("shell"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        _command = new TaskCommand(_folder.Of("shell"), _folder.Of("Nightly 100%.ps1"), _folder.Of(".env"), _folder.Of("logs"));
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(Scheduler.Cron, "table")]
    [InlineData(Scheduler.Systemd, "units")]
    [InlineData(Scheduler.TaskScheduler, "xml")]
    public void Twice_is_once_and_what_is_taken_away_leaves_the_rest(Scheduler scheduler, string place)
    {
        var path = _folder.Of(place);
        if (scheduler == Scheduler.Cron)
            File.WriteAllText(path, "0 1 * * * /usr/bin/other\n");
        else
            Directory.CreateDirectory(path);
        var request = new ScheduleRequest { Scheduler = scheduler, Path = path, Command = _command };

        Assert.Equal(9, Run(request).Count);
        Assert.Empty(ScheduleRegistrar.Plan(request, CancellationToken.None));
        var listed = ScheduleRegistrar.List(path, unread => Assert.Fail(unread), CancellationToken.None);
        Assert.Equal(Timetable.Of(Timetable.DefaultInterval).Select(task => task.Name).Order(StringComparer.Ordinal), listed.Select(task => task.Name).Order(StringComparer.Ordinal));
        Assert.All(listed, task => Assert.Empty(task.Missing));
        Assert.True(Directory.Exists(_command.LogFolder));

        Run(request with { IsWanted = name => name is "full" });
        Assert.Equal(["full"], ScheduleRegistrar.List(path, unread => Assert.Fail(unread), CancellationToken.None).Select(task => task.Name), StringComparer.Ordinal);
        Run(request with { Command = null });
        Assert.Empty(ScheduleRegistrar.List(path, unread => Assert.Fail(unread), CancellationToken.None));
        if (scheduler == Scheduler.Cron)
            Assert.Equal("0 1 * * * /usr/bin/other\n", File.ReadAllText(path));
        else
            Assert.Empty(Directory.GetFiles(path));
    }

    [Fact]
    public void A_script_that_is_not_there_is_refused_and_later_reported()
    {
        var request = new ScheduleRequest { Scheduler = Scheduler.Cron, Path = _folder.Of("table"), Command = _command };
        Run(request);
        File.Delete(_command.Script);
        Assert.Equal(FailureKind.ConfigurationInvalid, Assert.Throws<BackupException>(() => ScheduleRegistrar.Plan(request, CancellationToken.None)).Failure.Kind);
        Assert.Contains(ScheduleRegistrar.List(request.Path, _ => { }, CancellationToken.None)[0].Missing, missing => missing.Contains("Nightly", StringComparison.Ordinal));
    }

    [Fact]
    public void A_file_of_somebody_else_is_not_replaced()
    {
        var units = Directory.CreateDirectory(_folder.Of("units")).FullName;
        File.WriteAllText(Path.Combine(units, "botbackup-full.timer"), "[Timer]\n");
        var request = new ScheduleRequest { Scheduler = Scheduler.Systemd, Path = units, Command = _command };
        Assert.Equal(FailureKind.DestinationNotEmpty, Assert.Throws<BackupException>(() => ScheduleRegistrar.Plan(request, CancellationToken.None)).Failure.Kind);
        Assert.Equal(["botbackup-full.timer"], Directory.GetFiles(units).Select(Path.GetFileName), StringComparer.Ordinal);
    }

    [Fact]
    public void XML_is_what_the_schema_asks_for()
    {
        var xml = Directory.CreateDirectory(_folder.Of("xml")).FullName;
        Run(new ScheduleRequest { Scheduler = Scheduler.TaskScheduler, Path = xml, Command = _command });
        XNamespace schema = "http://schemas.microsoft.com/windows/2004/02/mit/task";
        var drill = XDocument.Load(Path.Combine(xml, "botbackup-drill.xml")).Root!;
        Assert.Equal(["RegistrationInfo", "Triggers", "Principals", "Settings", "Actions"], drill.Elements().Select(element => element.Name.LocalName), StringComparer.Ordinal);
        Assert.Equal("1", drill.Descendants(schema + "Week").Single().Value);
        Assert.Equal("IgnoreNew", drill.Descendants(schema + "MultipleInstancesPolicy").Single().Value);
        Assert.Equal($"-NoProfile -NonInteractive -File \"{_command.Script}\" -Task drill -Configuration {_command.Settings}", drill.Descendants(schema + "Arguments").Single().Value);
        Assert.Equal("PT5M", XDocument.Load(Path.Combine(xml, "botbackup-incremental.xml")).Descendants(schema + "Interval").Single().Value);
    }

    [ToolFact("systemd-analyze")]
    public void Systemd_accepts_the_units()
    {
        var units = Directory.CreateDirectory(_folder.Of("units")).FullName;
        Run(new ScheduleRequest { Scheduler = Scheduler.Systemd, Path = units, Command = _command });
        foreach (var timer in Directory.GetFiles(units, "*.timer").Order(StringComparer.Ordinal))
        {
            var answer = ProgramRun.TryRun("systemd-analyze", ["verify", "--man=no", "--recursive-errors=no", timer], "", CancellationToken.None)!;
            Assert.True(answer.ExitCode == 0 && !answer.Errors.Contains(units, StringComparison.Ordinal), $"{timer}: {answer.Errors}");
        }

        foreach (var task in Timetable.Of(Timetable.DefaultInterval))
            Assert.True(ProgramRun.TryRun("systemd-analyze", ["calendar", "--iterations=1", task.Calendar], "", CancellationToken.None) is { ExitCode: 0 }, task.Calendar);
    }

    [ToolFact("cron", "crontab")]
    public void Cron_takes_the_table_and_runs_a_task_of_it()
    {
        // The table of this user, as it was before, is put back.
        if (!Environment.IsPrivilegedProcess)
            return;
        var before = ProgramRun.TryRun("crontab", ["-l"], "", CancellationToken.None)!;
        var request = new ScheduleRequest { Scheduler = Scheduler.Cron, Command = _command, Interval = TimeSpan.FromMinutes(1) };
        using var cron = StartCron();
        try
        {
            Run(request);
            Assert.Equal(9, ScheduleRegistrar.List(null, _ => { }, CancellationToken.None).Count(task => task.Command.Contains(_command.Script, StringComparison.Ordinal)));
            // A minute begins every minute.
            Assert.True(SpinWait.SpinUntil(() => File.Exists(_folder.Of("started")) && new FileInfo(_folder.Of("started")).Length > 0, TimeSpan.FromSeconds(75)), "cron started nothing.");
            Assert.Equal($"-NoProfile -NonInteractive -File {_command.Script} -Task incremental -Configuration {_command.Settings}", File.ReadAllText(_folder.Of("started")).Trim());
        }
        finally
        {
            ProgramRun.TryRun("crontab", before.ExitCode == 0 ? ["-"] : ["-r"], before.ExitCode == 0 ? before.Output : "", CancellationToken.None);
            cron.Kill();
            cron.WaitForExit();
        }
    }

    private static List<BotBackupSchedule> Run(ScheduleRequest request)
    {
        var steps = ScheduleRegistrar.Plan(request, CancellationToken.None);
        Assert.NotEmpty(steps);
        var events = ScheduleRegistrar.Run(request, steps, CancellationToken.None).ToBlockingEnumerable().ToList();
        Assert.Empty(events.OfType<Failed>());
        return [.. events.OfType<Made>().Select(made => (BotBackupSchedule)made.Item)];
    }

    // One that runs already does it as well, and this one then ends by itself.
    private static Process StartCron() => Process.Start(new ProcessStartInfo("/usr/sbin/cron", "-f -L 0") { UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true })!;
}
