using System.Management.Automation;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Health;
using BotCore.Backup.Engine.Reports;

namespace BotCore.Backup.Cmdlets.Commands;

/// <summary>Says in one line a component how its backups stand; with -AsText the daily status report, for mail.</summary>
[Cmdlet(VerbsCommon.Get, "BotBackupStatus", DefaultParameterSetName = "Status")]
[OutputType(typeof(BotBackupStatus), ParameterSetName = ["Status"])]
[OutputType(typeof(string), ParameterSetName = ["Text"])]
public sealed class GetBotBackupStatus : ConfiguredCmdlet
{
    /// <summary>Components; all where none is named.</summary>
    [Parameter(Position = 0, ParameterSetName = "Status")]
    public Component[] Component { get; set; } = [];

    /// <summary>The daily status report as one text: the last day, storage, the last backup, issues.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Text")]
    public SwitchParameter AsText { get; set; }

    /// <summary>How old the newest good backup may be; 25 hours where nothing is given.</summary>
    [Parameter]
    public TimeSpan? MaximumAge { get; set; }

    /// <inheritdoc/>
    protected override void Finish()
    {
        var options = HealthOptions.Of(Session.Configuration);
        options = options with { MaximumAge = MaximumAge ?? options.MaximumAge };
        Try(() =>
        {
            if (AsText)
                WriteObject(DailyReport.Write(Session, options, Stopped));
            else
                WriteObject(StatusMaker.Make(Session, options, Stopped).Where(line => Component.Length == 0 || Component.Contains(line.Component)), enumerateCollection: true);
        });
    }
}
