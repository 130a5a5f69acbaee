using System.Management.Automation;
using System.Security;
using BotCore.Backup.Engine;
using BotCore.Backup.Engine.Exports;

namespace BotCore.Backup.Cmdlets.Commands;

/// <summary>Writes a backup as what other tools read: not encrypted, proven first, read back and compared.</summary>
[Cmdlet(VerbsData.Export, "BotBackup", DefaultParameterSetName = ByObject, SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(FileInfo), typeof(DirectoryInfo))]
public sealed class ExportBotBackup : BackupInputCmdlet
{
    /// <summary>MongodumpArchive: one file, for mongorestore --archive. Folder: a database as a folder of mongodump, anything else as its files.</summary>
    [Parameter(Mandatory = true)]
    public ExportForm As { get; set; }

    /// <summary>
    /// The file or folder to make. It is not called -Path, since -Path names what is exported, as in every cmdlet that takes backups, and as Copy-Item has it. Several backups need a name each:
    /// -Destination { "./$($_.Id).archive" }.
    /// </summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string Destination { get; set; } = "";

    /// <summary>Write the archive of mongodump as gzip data, for mongorestore --gzip --archive.</summary>
    [Parameter]
    public SwitchParameter Gzip { get; set; }

    /// <summary>A passphrase in place of GPG_PASSPHRASE_FILE.</summary>
    [Parameter]
    public SecureString? Passphrase { get; set; }

    /// <summary>Replace a file that is there. A folder that holds something is never replaced.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        var steps = new List<ExportStep>();
        var request = new ExportRequest { Form = As, Destination = FullPath(Destination), Gzip = Gzip, Force = Force };
        foreach (var backup in Backups())
            Try(() => steps.Add(ExportPlanner.Plan(backup, request)));
        var approved = steps.Where(step => ShouldProcess(step.Target, step.Action)).ToList();
        if (approved.Count > 0)
            Relay(ExportRunner.Run(Session, approved, Stopped));
    }

    /// <inheritdoc/>
    protected override SessionOptions Options() => new() { Passphrase = Passphrase };
}
