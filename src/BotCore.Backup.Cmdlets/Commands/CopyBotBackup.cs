using System.Management.Automation;
using BotCore.Backup.Cmdlets.Completion;
using BotCore.Backup.Engine.Backups.Copying;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Journal;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Cmdlets.Commands;

/// <summary>Copies backups into another store. What stands there already is left alone; what is copied is compared on its way and read back.</summary>
[Cmdlet(VerbsCommon.Copy, "BotBackup", DefaultParameterSetName = ByObject, SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(BotBackup))]
public sealed class CopyBotBackup : BackupInputCmdlet
{
    private readonly List<BotBackup> _backups = [];

    /// <summary>The store to copy into: local, s3, gcs or sftp, or a folder by its path.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [ArgumentCompleter(typeof(StoreCompleter))]
    [ValidateNotNullOrEmpty]
    public string Destination { get; set; } = "";

    /// <summary>Replace what stands there under the same name, whatever it is.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override RunHead? Head => new("Copy-BotBackup", RunKind.Copy, []);

    /// <inheritdoc/>
    protected override void ProcessRecord() => _backups.AddRange(Backups());

    /// <inheritdoc/>
    protected override void Finish()
    {
        if (_backups.Count == 0)
            return;
        IStore? to = null;
        if (!Try(() => to = Session.StoreAt(Destination, FullPath)))
            return;
        // The list may be long, and each step looks at the store: copied one by one, so that what was done stays done.
        foreach (var backup in _backups)
        {
            CopyStep? step = null;
            if (Try(() => step = CopyRunner.Plan(backup, to!, Force, Stopped)) && (step!.There is not null || ShouldProcess(step.Target, step.Action)))
                Relay(CopyRunner.Run([step], Stopped));
        }
    }
}
