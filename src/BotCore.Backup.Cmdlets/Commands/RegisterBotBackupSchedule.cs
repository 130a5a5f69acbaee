using System.Management.Automation;
using BotCore.Backup.Cmdlets.Completion;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Schedules;

namespace BotCore.Backup.Cmdlets.Commands;

/// <summary>
/// Schedules the platform's timetable: increments every five minutes, a full backup at 02:00, everything else at 03:00, clean-up at 04:00, proofs and test restores on Sundays, a drill a month, health every six hours, the
/// report at 09:00. Doing it twice is doing it once, and what else is scheduled stays as it is. -WhatIf prints it.
/// </summary>
[Cmdlet(VerbsLifecycle.Register, "BotBackupSchedule", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(BotBackupSchedule))]
public sealed class RegisterBotBackupSchedule : ConfiguredCmdlet
{
    /// <summary>Tasks of the timetable; all where none is named; wildcards.</summary>
    [Parameter(Position = 0)]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(TaskCompleter))]
    public string[] Name { get; set; } = [];

    /// <summary>Who starts them: cron, systemd or the Windows Task Scheduler; the one that this machine has where none is named.</summary>
    [Parameter]
    [ValidateSet(nameof(Engine.Schedules.Scheduler.Cron), nameof(Engine.Schedules.Scheduler.Systemd), nameof(Engine.Schedules.Scheduler.TaskScheduler))]
    public Scheduler Scheduler { get; set; }

    /// <summary>A table of cron, such as /etc/cron.d/botbackup, or a folder for units or XML, in place of the user's crontab or systemd's folder.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Path { get; set; }

    /// <summary>From one increment to the next: five minutes where none is given, an hour by choice.</summary>
    [Parameter]
    public TimeSpan Interval { get; set; } = Timetable.DefaultInterval;

    /// <summary>The script that is started; the module's own examples/Nightly.ps1 where none is given.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Script { get; set; }

    /// <inheritdoc/>
    protected override void Finish()
    {
        var names = Wildcards.Of(Name);
        ScheduleRequest? request = null;
        IReadOnlyList<ScheduleStep> steps = [];
        if (!Try(() => steps = ScheduleRegistrar.Plan(
            request = new ScheduleRequest { Scheduler = Scheduler, Path = Path is null ? null : FullPath(Path), IsWanted = name => names.IsMatch(name) && (Name.Length > 0 || IsOfUse(name)), Interval = Interval, Command = Command() },
            Stopped)))
        {
            return;
        }

        if (steps.Count == 0)
        {
            WriteVerbose("All of that is scheduled already.");
            WriteObject(ScheduleRegistrar.List(request!.Path, WriteVerbose, Stopped).Where(task => names.IsMatch(task.Name)), enumerateCollection: true);
            return;
        }

        var approved = steps.Where(step => ShouldProcess(step.Target, step.Action)).ToList();
        if (approved.Count > 0)
            Relay(ScheduleRegistrar.Run(request!, approved, Stopped));
        else if (IsWhatIf)
            WriteObject(steps.SelectMany(step => step.Tasks), enumerateCollection: true);
    }

    // Without a database its tasks would fail every night.
    private bool IsOfUse(string name) => Session.Configuration.DatabaseUrl is not null || name is not ("incremental" or "full");

    private TaskCommand Command()
    {
        var script = Script is null ? System.IO.Path.Join(MyInvocation.MyCommand.Module?.ModuleBase, "examples", "Nightly.ps1") : FullPath(Script);
        return new TaskCommand(Shell(), script, EnvFile, Session.Configuration.LogDirectory);
    }

    // A host that is no pwsh, such as an editor's, must not be what cron starts.
    private static string Shell()
    {
        var name = OperatingSystem.IsWindows() ? "pwsh.exe" : "pwsh";
        if (Environment.ProcessPath is { } own && string.Equals(System.IO.Path.GetFileName(own), name, StringComparison.OrdinalIgnoreCase))
            return own;
        return (Environment.GetEnvironmentVariable("PATH") ?? "").Split(System.IO.Path.PathSeparator).Select(folder => System.IO.Path.Join(folder, name)).FirstOrDefault(File.Exists)
            ?? throw new BackupException(FailureKind.ToolMissing, "pwsh is not on PATH, and a scheduler has to start it.", "Install PowerShell 7.6 for all users.", name);
    }
}
