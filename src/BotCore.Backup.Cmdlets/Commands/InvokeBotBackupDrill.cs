using System.Management.Automation;
using System.Security;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Drills;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Journal;

namespace BotCore.Backup.Cmdlets.Commands;

/// <summary>
/// Rehearses a disaster: fetches from the store that would still be there, unseals, restores into scratch to the newest second, compares, asks the admin's own questions, measures, and leaves nothing. What is live is never
/// touched.
/// </summary>
[Cmdlet(VerbsLifecycle.Invoke, "BotBackupDrill", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(BotBackupDrill))]
public sealed class InvokeBotBackupDrill : ConfiguredCmdlet
{
    private const string All = "All";

    /// <summary>The disaster, or All of those that can happen to what is configured.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateSet(nameof(DrillScenario.DatabaseCorruption), nameof(DrillScenario.CompleteFailure), nameof(DrillScenario.ServiceFailure), nameof(DrillScenario.RegionalOutage), nameof(DrillScenario.KeyLoss), All)]
    public string[] Scenario { get; set; } = [];

    /// <summary>Components to bring back; those of the disaster where none is named.</summary>
    [Parameter]
    public Component[] Component { get; set; } = [];

    /// <summary>Scratch: a server that is not the live one, mongodb://user:password@host, or a folder; the Sandbox and BACKUP_DIR where none is given.</summary>
    [Parameter]
    [ValidateNotNull]
    public RestoreDestination? Destination { get; set; }

    /// <summary>For KeyLoss: the copy of the passphrase that is kept elsewhere; DRILL_KEY_FILE where none is given.</summary>
    [Parameter]
    public SecureString? Passphrase { get; set; }

    /// <summary>Never ask.</summary>
    [Parameter]
    public SwitchParameter Automated { get; set; }

    /// <inheritdoc/>
    protected override RunHead? Head => new("Invoke-BotBackupDrill", RunKind.Drill, []);

    /// <inheritdoc/>
    protected override void Finish()
    {
        if (Destination?.Volume is not null)
            Fail(new Failure(FailureKind.ConfigurationInvalid, "A drill takes a server or a folder as its scratch, and no volume.", "Give -Destination a folder or mongodb://....", Destination));
        using var copy = KeyCopies.Open(Session.Configuration, Passphrase);
        var request = new DrillRequest { Scenarios = Scenarios(copy is not null), Components = Component, Server = Destination?.Server, Folder = Destination?.Folder is { } folder ? FullPath(folder) : null }.With(copy);
        IReadOnlyList<DrillStep> steps = [];
        if (!Try(() => steps = DrillRunner.Plan(Session, request)))
            return;
        var approved = steps.Where(step => Automated && !IsWhatIf ? true : ShouldProcess(step.Target, step.Action)).ToList();
        if (approved.Count > 0)
            Relay(DrillRunner.Run(Session, request, approved, Stopped));
    }

    private IReadOnlyList<DrillScenario> Scenarios(bool hasKeyCopy)
    {
        if (!Scenario.Contains(All, StringComparer.OrdinalIgnoreCase))
            return [.. Scenario.Select(name => Enum.Parse<DrillScenario>(name, ignoreCase: true))];
        return DrillRunner.Possible(Session, hasKeyCopy);
    }
}
