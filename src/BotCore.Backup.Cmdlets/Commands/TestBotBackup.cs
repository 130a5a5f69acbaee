using System.Management.Automation;
using System.Security;
using BotCore.Backup.Cmdlets.Completion;
using BotCore.Backup.Engine;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Verification;
using BotCore.Backup.Engine.Verification.Budgets;

namespace BotCore.Backup.Cmdlets.Commands;

/// <summary>
/// Proves backups by reading them back, and records it beside each. A flaw is an error and a result that says Failed. With -Budget it takes, for that time, what waits longest or matters most, and says by when every
/// byte will have been read.
/// </summary>
[Cmdlet(VerbsDiagnostic.Test, "BotBackup", DefaultParameterSetName = ByObject)]
[OutputType(typeof(BotBackupVerification), typeof(BotBackupBudget), typeof(bool))]
public sealed class TestBotBackup : BackupInputCmdlet
{
    private const string ByBudget = "Budget";

    private readonly List<BotBackup> _piped = [];
    private bool _asked;
    private bool _good = true;
    private bool _testedLocal;

    /// <inheritdoc/>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = ByObject)]
    [Parameter(ValueFromPipeline = true, ParameterSetName = ByBudget)]
    [ValidateNotNull]
    public override BotBackup[] InputObject { get; set; } = [];

    /// <summary>The time to spend, such as 30min, 10s or 2h: on what comes through the pipeline, else on everything in the store.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ByBudget)]
    [ValidateNotNull]
    public TimeBudget? Budget { get; set; }

    /// <summary>With -Budget: components; all where none is named.</summary>
    [Parameter(ParameterSetName = ByBudget)]
    public Component[] Component { get; set; } = [];

    /// <summary>With -Budget: stores; the local one where none is named.</summary>
    [Parameter(ParameterSetName = ByBudget)]
    [ArgumentCompleter(typeof(StoreCompleter))]
    public string[] Store { get; set; } = [];

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
        if (Budget is not null)
        {
            _piped.AddRange(InputObject);
            return;
        }

        var backups = Backups();
        // What could not even be opened was told, and is not good; a wildcard that matched nothing proved nothing.
        _good &= AllOpened && backups.Count > 0;
        if (backups.Count > 0)
            Relay(VerificationRunner.Run(Session, backups, Asked(), Stopped));
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        if (Budget is { } budget && _asked)
            Spend(budget.Time);
        if (_testedLocal)
            Relay(VerificationRunner.Conclude(Session, Stopped));
        if (Quiet && _asked)
            WriteObject(_good);
    }

    /// <inheritdoc/>
    protected override void Show(object item)
    {
        if (item is BotBackupBudget budget)
        {
            _good &= budget.Tested > 0;
            if (!Quiet)
                WriteObject(budget);
            return;
        }

        var verification = (BotBackupVerification)item;
        _testedLocal |= verification.Backup is { } tested && Session.IsLocal(tested.Store);
        _good &= verification.Outcome == Outcome.Succeeded;
        if (Quiet)
            return;
        WriteObject(verification);
        if (verification.Failure is { } failure)
            Fail(failure);
    }

    private void Spend(TimeSpan time)
    {
        var isEverything = !MyInvocation.ExpectingInput && _piped.Count == 0;
        if (!isEverything && (Component.Length > 0 || Store.Length > 0))
            Fail(new Failure(FailureKind.ConfigurationInvalid, "-Component and -Store choose among everything, and backups were given.", "Choose with Get-BotBackup, or give none.", time));
        var stores = Store.Select(Session.StoreNamed).ToList();
        Relay(BudgetRunner.Run(Session, new BudgetRequest { Budget = time, Options = Asked(), Backups = isEverything ? null : _piped, Stores = stores, Components = Component }, Stopped));
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
