using System.Management.Automation;
using BotCore.Backup.Engine.Schedules;

namespace BotCore.Backup.Cmdlets.Commands;

/// <summary>Takes out what Register-BotBackupSchedule scheduled, and nothing else.</summary>
[Cmdlet(VerbsLifecycle.Unregister, "BotBackupSchedule", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(BotBackupSchedule))]
public sealed class UnregisterBotBackupSchedule : BotBackupCmdlet
{
    /// <summary>Whose tasks; those of the scheduler that this machine has where none is named.</summary>
    [Parameter]
    [ValidateSet(nameof(Engine.Schedules.Scheduler.Cron), nameof(Engine.Schedules.Scheduler.Systemd), nameof(Engine.Schedules.Scheduler.TaskScheduler))]
    public Scheduler Scheduler { get; set; }

    /// <summary>The table or folder that they were written to.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Path { get; set; }

    /// <summary>Put out the tasks that were taken away.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        var request = new ScheduleRequest { Scheduler = Scheduler, Path = Path is null ? null : FullPath(Path) };
        IReadOnlyList<ScheduleStep> steps = [];
        if (!Try(() => steps = ScheduleRegistrar.Plan(request, Stopped)))
            return;
        if (steps.Count == 0)
            WriteVerbose("Nothing of ours is scheduled there.");
        var approved = steps.Where(step => ShouldProcess(step.Target, step.Action)).ToList();
        if (approved.Count > 0)
            Relay(ScheduleRegistrar.Run(request, approved, Stopped));
    }

    /// <inheritdoc/>
    protected override void Show(object item)
    {
        if (PassThru)
            WriteObject(item);
    }
}
