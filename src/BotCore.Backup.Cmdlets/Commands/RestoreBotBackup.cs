using System.Collections;
using System.Management.Automation;
using System.Security;
using BotCore.Backup.Engine;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;

namespace BotCore.Backup.Cmdlets.Commands;

/// <summary>Restores backups: proven first, what is overwritten kept in a snapshot, then written and compared.</summary>
[Cmdlet(VerbsData.Restore, "BotBackup", DefaultParameterSetName = ByObject, SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(BotBackupRestore))]
public sealed class RestoreBotBackup : BackupInputCmdlet
{
    private readonly List<BotBackup> _backups = [];

    /// <summary>
    /// The folder to restore into, or for a database the server: mongodb://user:password@host/database, or mongodb+srv://. Where the backup came from, as the settings
    /// name it, where none is given. A database in the URI takes what the backup has of its one database.
    /// </summary>
    [Parameter]
    [ValidateNotNull]
    public RestoreDestination? Destination { get; set; }

    /// <summary>What to call databases and collections of a MongoDB backup: @{ 'database' = 'database' } or @{ 'database.collection' = 'database.collection' }.</summary>
    [Parameter]
    [ValidateNotNull]
    public Hashtable Rename { get; set; } = [];

    /// <summary>
    /// Entries to restore: paths as they stand in the archive, with *, ? and **; one without a slash is found at any depth. Of a database: collections as
    /// database.collection, or the name of a database or collection alone, with * and ?.
    /// </summary>
    [Parameter]
    [SupportsWildcards]
    public string[] Include { get; set; } = [];

    /// <summary>Entries to leave out, by the same patterns; they win over -Include.</summary>
    [Parameter]
    [SupportsWildcards]
    public string[] Exclude { get; set; } = [];

    /// <summary>A passphrase in place of GPG_PASSPHRASE_FILE.</summary>
    [Parameter]
    public SecureString? Passphrase { get; set; }

    /// <summary>Make device nodes, which give access to hardware.</summary>
    [Parameter]
    public SwitchParameter AllowDevices { get; set; }

    /// <summary>Keep no copy of what is overwritten.</summary>
    [Parameter]
    public SwitchParameter NoSnapshot { get; set; }

    /// <summary>Do not ask.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord() => _backups.AddRange(Backups());

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        // All is planned before anything is changed: what cannot be planned stops nothing that was not begun.
        var steps = new List<RestoreStep>();
        var request = new RestoreRequest
        {
            Destination = Destination?.Folder is { } folder ? FullPath(folder) : null,
            Server = Destination?.Server,
            Renames = Renames(),
            Include = Include,
            Exclude = Exclude,
            AllowDevices = AllowDevices,
            NoSnapshot = NoSnapshot,
            Force = Force,
        };
        var planned = AllOpened;
        foreach (var backup in _backups)
            planned &= Try(() => steps.Add(RestorePlanner.Plan(Session, backup, request, Stopped)));
        if (!planned)
            return;

        var questions = new Questions(this, Force);
        var approved = steps.Where(step => questions.Approve(step.Target, step.Action, $"Restore {step.Backup.Key} into {step.Target}?")).ToList();
        if (approved.Count > 0)
            Relay(RestoreRunner.Run(Session, approved, Stopped));
    }

    private Dictionary<string, string> Renames()
    {
        var renames = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (DictionaryEntry rename in Rename)
        {
            var (from, to) = (rename.Key.ToString() ?? "", rename.Value?.ToString() ?? "");
            if (from.Length == 0 || to.Length == 0)
                Fail(new Failure(FailureKind.ConfigurationInvalid, $"-Rename gives '{from}' the name '{to}'.", "Give a name on both sides: @{ 'database.collection' = 'database.collection' }.", from));
            renames[from] = to;
        }

        return renames;
    }

    /// <inheritdoc/>
    protected override SessionOptions Options() => new() { Passphrase = Passphrase };
}
