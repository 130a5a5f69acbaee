using System.Management.Automation;
using BotCore.Backup.Cmdlets.Completion;
using BotCore.Backup.Engine.Schedules;

namespace BotCore.Backup.Cmdlets.Commands;

/// <summary>Lists what is scheduled: in the user's crontab, in /etc/cron.d, as timers of systemd. A task whose script is gone is a warning.</summary>
[Cmdlet(VerbsCommon.Get, "BotBackupSchedule")]
[OutputType(typeof(BotBackupSchedule))]
public sealed class GetBotBackupSchedule : BotBackupCmdlet
{
    /// <summary>Tasks by name; wildcards.</summary>
    [Parameter(Position = 0)]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(TaskCompleter))]
    public string[] Name { get; set; } = [];

    /// <summary>A table or folder, in place of the usual places.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Path { get; set; }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        var names = Wildcards.Of(Name);
        Try(() =>
        {
            foreach (var task in ScheduleRegistrar.List(Path is null ? null : FullPath(Path), place => WriteWarning($"{place} cannot be read, so what it starts is not known."), Stopped).Where(task => names.IsMatch(task.Name)))
            {
                WriteObject(task);
                foreach (var missing in task.Missing)
                    WriteWarning($"The task {task.Name} in {task.Location} cannot begin: {missing} is not there.");
            }
        });
    }
}
