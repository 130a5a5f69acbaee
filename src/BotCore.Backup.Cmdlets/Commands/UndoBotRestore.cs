using System.Management.Automation;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Journal;
using BotCore.Backup.Engine.Restores;

namespace BotCore.Backup.Cmdlets.Commands;

/// <summary>
/// Puts a database back as it was before a restore, in seconds: the old collections were kept under other names. The last restore is undone first. With -Id alone there is
/// no object of the restore to give back, so nothing is put out.
/// </summary>
[Cmdlet(VerbsCommon.Undo, "BotRestore", DefaultParameterSetName = ByObject, SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(BotBackupRestore))]
public sealed class UndoBotRestore : ConfiguredCmdlet
{
    private const string ByObject = "InputObject";
    private const string ById = "Id";

    private readonly List<BotBackupRestore> _restores = [];

    /// <summary>Restores, as Restore-BotBackup gives them.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = ByObject)]
    [ValidateNotNull]
    public BotBackupRestore[] InputObject { get; set; } = [];

    /// <summary>Ids of restores (Undo.Id), where the object is gone: the server itself knows what to put back.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = ById)]
    [ValidateNotNullOrEmpty]
    public string[] Id { get; set; } = [];

    /// <summary>The server that was restored into, mongodb://user:password@host; DATABASE_URL where none is given.</summary>
    [Parameter(ParameterSetName = ById)]
    [ValidateNotNull]
    public RestoreDestination? Destination { get; set; }

    /// <summary>Do not ask.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override RunHead? Head => new("Undo-BotRestore", RunKind.Restore, []);

    /// <inheritdoc/>
    protected override void ProcessRecord() => _restores.AddRange(InputObject);

    /// <inheritdoc/>
    protected override void Finish()
    {
        var questions = new Questions(this, Force);
        if (string.Equals(ParameterSetName, ById, StringComparison.Ordinal))
            UndoIds(questions);
        else
            UndoObjects(questions);
    }

    private void UndoObjects(Questions questions)
    {
        var approved = _restores
            .Where(restore => questions.Approve(restore.Destination, $"Undo restore {restore.Undo?.Id} of {restore.Backup.Key}", $"Put {restore.Destination} back as it was before {restore.Backup.Key} was restored?"))
            .ToList();
        if (approved.Count > 0)
            Relay(UndoRunner.Run(Session, approved, Stopped));
    }

    private void UndoIds(Questions questions)
    {
        if (Destination?.Folder is { } folder)
        {
            Fail(new Failure(
                FailureKind.ConfigurationInvalid, $"'{folder}' is not a MongoDB server, and only the restore of a database can be undone.", "Give -Destination mongodb://..., or restore the snapshot of a restore of files.", folder));
        }

        foreach (var id in Id)
        {
            var server = Destination?.Server ?? Session.Configuration.DatabaseUrl;
            var target = server?.Redacted ?? "DATABASE_URL";
            if (questions.Approve(target, $"Undo restore {id}", $"Put {target} back as it was before restore {id}?"))
                Relay(UndoRunner.Run(Session, id, Destination?.Server, Stopped));
        }
    }
}
