using System.Management.Automation;
using BotCore.Backup.Engine.Health;
using BotCore.Backup.Engine.Journal;

namespace BotCore.Backup.Cmdlets.Commands;

/// <summary>
/// Asks how the backups are: age, number, proofs, lag, key, stores, space, logs, metrics, schedule. Each answer is Healthy, Unhealthy or Inconclusive, and what nobody could find out never reads as healthy.
/// </summary>
[Cmdlet(VerbsDiagnostic.Test, "BotBackupHealth")]
[OutputType(typeof(BotBackupHealth), typeof(bool))]
public sealed class TestBotBackupHealth : ConfiguredCmdlet
{
    /// <summary>Questions to ask, by name; all where none is named; wildcards.</summary>
    [Parameter(Position = 0)]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(Completion.ProbeCompleter))]
    public string[] Name { get; set; } = [];

    /// <summary>Questions not to ask, beside those of HEALTH_EXCLUDE; wildcards.</summary>
    [Parameter]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(Completion.ProbeCompleter))]
    public string[] Exclude { get; set; } = [];

    /// <summary>How old the newest good backup may be; 25 hours where nothing is given.</summary>
    [Parameter]
    public TimeSpan? MaximumAge { get; set; }

    /// <summary>How long ago a component may have been proven to its end; eight days where nothing is given.</summary>
    [Parameter]
    public TimeSpan? MaximumProofAge { get; set; }

    /// <summary>How far the newest moment that can be restored may be behind; RECOVERY_POINT, 15 minutes, where nothing is given.</summary>
    [Parameter]
    public TimeSpan? MaximumLag { get; set; }

    /// <summary>Bytes that must be free in the local store; 10GB where nothing is given.</summary>
    [Parameter]
    [ValidateRange(0L, long.MaxValue)]
    public long? MinimumFreeSpace { get; set; }

    /// <summary>Full backups that there must be of the last seven days; 7 where nothing is given.</summary>
    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    public int? MinimumCount { get; set; }

    /// <summary>Answer with one bool: true only where every answer is Healthy.</summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    /// <inheritdoc/>
    protected override RunHead? Head => new("Test-BotBackupHealth", RunKind.Health, []);

    /// <inheritdoc/>
    protected override void Finish()
    {
        var (wanted, unwanted) = (Wildcards.Of(Name), Exclude.Length == 0 ? null : Wildcards.Of(Exclude));
        var usual = HealthOptions.Of(Session.Configuration);
        Relay(HealthRunner.Run(Session, usual with
        {
            // What is named is asked, whatever the settings leave out.
            IsWanted = name => wanted.IsMatch(name) && unwanted?.IsMatch(name) != true && (Name.Length > 0 || usual.IsWanted(name)),
            MaximumAge = MaximumAge ?? usual.MaximumAge,
            MaximumProofAge = MaximumProofAge ?? usual.MaximumProofAge,
            MaximumLag = MaximumLag ?? usual.MaximumLag,
            MinimumFreeSpace = MinimumFreeSpace ?? usual.MinimumFreeSpace,
            MinimumCount = MinimumCount ?? usual.MinimumCount,
        }, Stopped));
    }

    /// <inheritdoc/>
    protected override void Show(object item)
    {
        if (item is BotBackupHealth health && Quiet)
            WriteObject(health.State == HealthState.Healthy);
        else
            WriteObject(item);
    }
}
