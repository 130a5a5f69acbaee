using System.Management.Automation;
using BotCore.Backup.Cmdlets.Completion;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Journal;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Retention;
using BotCore.Backup.Engine.Retention.Undo;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Cmdlets.Commands;

/// <summary>
/// Removes what the policy of the settings, or -Policy, lets go; -WhatIf gives a decision with its reason for every backup. What restores kept in the database for an undo goes with the snapshots; the day before, that is
/// warned of. Where -Store is given, only stores are cleaned up.
/// </summary>
[Cmdlet(VerbsCommon.Remove, "BotBackupExpired", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(BotBackupRemoval), typeof(BotBackupDecision), typeof(BotUndoRetention))]
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

        if (Store.Length == 0 && (Component.Length == 0 || Component.Contains(Engine.Components.Component.MongoDb)))
            CleanUpUndo(request!, questions);
    }

    private void CleanUpUndo(CleanUpRequest request, Questions questions)
    {
        IReadOnlyList<BotUndoRetention> decisions = [];
        try
        {
            decisions = UndoCleanUp.Decide(Session, request.Policy, request.AsOf, Stopped);
        }
        catch (BackupException away)
        {
            // What is in the stores was cleaned up, and what the database keeps costs room and no more.
            WarnOf(away.Failure with { Message = $"What restores kept in the database was not looked at: {away.Failure.Message}" });
        }

        foreach (var decision in decisions)
        {
            if (IsWhatIf)
                WriteObject(decision);
            else
                WriteVerbose(decision.ToString());
        }

        foreach (var announcement in UndoCleanUp.Announcements(decisions))
            Relay(new Warned(announcement));
        var approved = UndoCleanUp.Plan(decisions).Where(step => questions.Approve(step.Target, step.Action, $"Drop what restore {step.Decision.Id} kept?")).ToList();
        if (approved.Count > 0)
            Relay(UndoCleanUp.Run(Session, approved, Stopped));
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
