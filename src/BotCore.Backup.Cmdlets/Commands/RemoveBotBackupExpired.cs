using System.Management.Automation;
using BotCore.Backup.Cmdlets.Completion;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Journal;
using BotCore.Backup.Engine.Retention;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Cmdlets.Commands;

/// <summary>Removes what the policy of the settings, or -Policy, lets go; -WhatIf gives a decision with its reason for every backup.</summary>
[Cmdlet(VerbsCommon.Remove, "BotBackupExpired", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(BotBackupRemoval), typeof(BotBackupDecision))]
public sealed class RemoveBotBackupExpired : ConfiguredCmdlet
{
    /// <summary>Components to clean up; all where none is named.</summary>
    [Parameter(Position = 0)]
    public Component[] Component { get; set; } = [];

    /// <summary>Stores to clean up; every one that is enabled where none is named.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(StoreCompleter))]
    public string[] Store { get; set; } = [];

    /// <summary>Days in place of RETENTION_*: 'daily=7,weekly=28,monthly=365,config=90,volumes=7,snapshots=7,zone=Europe/Berlin'; what is not named stays as the settings have it.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Policy { get; set; }

    /// <summary>The moment to decide for, in place of now; with -WhatIf it shows what will be gone by then.</summary>
    [Parameter]
    public DateTimeOffset? AsOf { get; set; }

    /// <summary>Do not ask.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override RunHead? Head => new("Remove-BotBackupExpired", RunKind.CleanUp, []);

    /// <inheritdoc/>
    protected override void Finish()
    {
        CleanUpRequest? request = null;
        if (!Try(() => request = new CleanUpRequest { Policy = RetentionPolicy.Of(Session.Configuration, Policy), Components = Component, AsOf = AsOf }))
            return;
        var questions = new Questions(this, Force);
        foreach (var name in Store.Length > 0 ? Store : Session.Configuration.EnabledStores)
        {
            IStore? store = null;
            IReadOnlyList<BotBackupDecision> decisions = [];
            if (Try(() => decisions = CleanUp.Decide(Session, store = Session.StoreNamed(name), request!, WarnOf, Stopped)))
                CleanUpStore(store!, request!, decisions, questions);
        }
    }

    private void CleanUpStore(IStore store, CleanUpRequest request, IReadOnlyList<BotBackupDecision> decisions, Questions questions)
    {
        foreach (var decision in decisions)
        {
            if (IsWhatIf)
                WriteObject(decision);
            else if (decision.Rule is RetentionRules.FutureDated)
                WriteWarning($"{decision.Backup.Location} stays: {decision.Reason}.");
            else
                WriteVerbose(decision.ToString());
        }

        var steps = CleanUp.Plan(decisions);
        var approved = steps.Where(step => questions.Approve(step.Target, step.Action, $"Remove {step.Target}?")).ToList();
        if (steps.Count == 0)
            Journal?.NoteNothingToDo();
        if (approved.Count > 0)
            Relay(CleanUp.Run(Session, store, request, approved, Stopped));
    }
}
