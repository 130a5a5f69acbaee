using System.Management.Automation;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Retention.Pins;

namespace BotCore.Backup.Cmdlets.Commands;

/// <summary>Pins backups: no policy removes them, nor what they stand on, until then or until they are unpinned. The pin stands beside the backup in its store; a copy elsewhere is pinned by itself.</summary>
[Cmdlet(VerbsCommon.Set, "BotBackup", DefaultParameterSetName = ByPin, SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Low)]
[OutputType(typeof(BotBackup))]
public sealed class SetBotBackup : ConfiguredCmdlet
{
    private const string ByPin = "Pin";
    private const string ByUnpin = "Unpin";

    private readonly List<BotBackup> _backups = [];

    /// <summary>Backups, as Get-BotBackup gives them.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true)]
    [ValidateNotNull]
    public BotBackup[] InputObject { get; set; } = [];

    /// <summary>Why they stay; shown wherever it matters.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = ByPin)]
    [ValidateNotNullOrEmpty]
    public string Pin { get; set; } = "";

    /// <summary>Up to when; for as long as they are pinned where it is not given.</summary>
    [Parameter(ParameterSetName = ByPin)]
    public DateTimeOffset? Until { get; set; }

    /// <summary>Let the policy decide again.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ByUnpin)]
    public SwitchParameter Unpin { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord() => _backups.AddRange(InputObject);

    /// <inheritdoc/>
    protected override void Finish()
    {
        foreach (var backup in _backups)
        {
            PinStep? step = null;
            if (Try(() => step = PinRunner.Plan(Session, backup, Unpin ? null : new BackupPin(Until, Pin))) && ShouldProcess(step!.Target, step.Action))
                Relay(PinRunner.Run(Session, [step], Stopped));
        }
    }
}
