using System.Management.Automation;
using BotCore.Backup.Cmdlets.Completion;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Journal;
using BotCore.Backup.Engine.Retention;

namespace BotCore.Backup.Cmdlets.Commands;

/// <summary>Removes backups that are named: manifest first, then the rest.</summary>
[Cmdlet(VerbsCommon.Remove, "BotBackup", DefaultParameterSetName = ByObject, SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(BotBackupRemoval))]
public sealed class RemoveBotBackup : ConfiguredCmdlet
{
    private const string ByObject = "InputObject";
    private const string ById = "Id";

    private readonly List<BotBackup> _backups = [];

    /// <summary>Backups, as Get-BotBackup gives them.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = ByObject)]
    [ValidateNotNull]
    public BotBackup[] InputObject { get; set; } = [];

    /// <summary>Backups by id.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = ById)]
    [ArgumentCompleter(typeof(IdCompleter))]
    public string[] Id { get; set; } = [];

    /// <summary>The store to find ids in; the local one where none is named.</summary>
    [Parameter(ParameterSetName = ById)]
    [ArgumentCompleter(typeof(StoreCompleter))]
    [ValidateNotNullOrEmpty]
    public string? Store { get; set; }

    /// <summary>Do not ask, and remove also the newest good backup, what others stand on, and what is pinned.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override RunHead? Head => new("Remove-BotBackup", RunKind.CleanUp, []);

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (string.Equals(ParameterSetName, ByObject, StringComparison.Ordinal))
        {
            _backups.AddRange(InputObject);
            return;
        }

        foreach (var id in Id)
            Try(() => _backups.Add(BackupCatalog.FindById(Store is null ? Session.Local : Session.StoreNamed(Store), id, Stopped)));
    }

    /// <inheritdoc/>
    protected override void Finish()
    {
        var questions = new Questions(this, Force);
        // Newest first in the catalog's order would ask for the last good one before its elders are gone; each is judged as the store stands.
        foreach (var backup in _backups)
        {
            RemovalStep? step = null;
            if (Try(() => step = BackupRemover.Plan(backup, Force, Stopped)) && questions.Approve(step!.Target, step.Action, $"Remove {step.Target}?"))
                Relay(BackupRemover.Run([step], Stopped));
        }
    }
}
