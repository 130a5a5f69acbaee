using System.Management.Automation;
using System.Security;
using BotCore.Backup.Engine;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Verification;

namespace BotCore.Backup.Cmdlets.Commands;

/// <summary>Proves backups by reading them back. A flaw is an error and a result that says Failed.</summary>
[Cmdlet(VerbsDiagnostic.Test, "BotBackup", DefaultParameterSetName = ByObject)]
[OutputType(typeof(BotBackupVerification), typeof(bool))]
public sealed class TestBotBackup : BackupInputCmdlet
{
    private bool _asked;
    private bool _good = true;

    /// <summary>
    /// Checksum: the bytes are those that were sealed. Archive: unsealed to the end, every entry hashed and compared, every document of a database parsed. Restore: restored into
    /// scratch and compared as well.
    /// </summary>
    [Parameter]
    [ValidateSet(nameof(Engine.Verification.Depth.Checksum), nameof(Engine.Verification.Depth.Archive), nameof(Engine.Verification.Depth.Restore))]
    public Depth Depth { get; set; } = Depth.Checksum;

    /// <summary>
    /// Where -Depth Restore gets its scratch: for a database a server, mongodb://user:password@host; the Sandbox in this process where none is given, and the proof then reads
    /// Restore (Sandbox). For files a folder; BACKUP_DIR where none is given.
    /// </summary>
    [Parameter]
    [ValidateNotNull]
    public RestoreDestination? Destination { get; set; }

    /// <summary>A passphrase in place of GPG_PASSPHRASE_FILE.</summary>
    [Parameter]
    public SecureString? Passphrase { get; set; }

    /// <summary>Threads that decompress; one a processor where none is given.</summary>
    [Parameter]
    [ValidateRange(1, 64)]
    public int? ThrottleLimit { get; set; }

    /// <summary>Answer with one bool for all: true only where every backup was proven. Flaws are not told otherwise.</summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        _asked = true;
        var backups = Backups();
        // What could not even be opened was told, and is not good; a wildcard that matched nothing proved nothing.
        _good &= AllOpened && backups.Count > 0;
        if (backups.Count > 0)
            Relay(VerificationRunner.Run(Session, backups, Asked(), Stopped));
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        if (Quiet && _asked)
            WriteObject(_good);
    }

    /// <inheritdoc/>
    protected override void Show(object item)
    {
        var verification = (BotBackupVerification)item;
        _good &= verification.Outcome == Outcome.Succeeded;
        if (Quiet)
            return;
        WriteObject(verification);
        if (verification.Failure is { } failure)
            Fail(failure);
    }

    private VerificationOptions Asked()
    {
        if (Destination is not null && Depth != Depth.Restore)
            Fail(new Failure(FailureKind.ConfigurationInvalid, "-Destination is for a restore into scratch, and the depth is another.", "Add -Depth Restore, or leave -Destination out.", Depth));
        return new VerificationOptions { Depth = Depth, Server = Destination?.Server, Folder = Destination?.Folder is { } folder ? FullPath(folder) : null };
    }

    /// <inheritdoc/>
    protected override SessionOptions Options() => new() { Passphrase = Passphrase, Threads = ThrottleLimit };
}
