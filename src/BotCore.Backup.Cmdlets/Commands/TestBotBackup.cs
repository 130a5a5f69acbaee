using System.Management.Automation;
using System.Security;
using BotCore.Backup.Cmdlets.Completion;
using BotCore.Backup.Engine;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Journal;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Verification;
using BotCore.Backup.Engine.Verification.Budgets;

namespace BotCore.Backup.Cmdlets.Commands;

/// <summary>
/// Proves backups by reading them back, and records it beside each. A flaw is an error and a result that says Failed. With -Budget it takes, for that time, what waits longest or matters most, and says by when every
/// byte will have been read.
/// </summary>
[Cmdlet(VerbsDiagnostic.Test, "BotBackup", DefaultParameterSetName = ByBudget)]
[OutputType(typeof(BotBackupVerification), typeof(BotBackupBudget), typeof(bool))]
public sealed class TestBotBackup : BackupInputCmdlet
{
    private const string ByBudget = "Budget";

    private readonly List<BotBackup> _given = [];
    private bool _asked;
    private bool _good = true;
    private bool _testedLocal;

    /// <summary>The time to spend, such as 30min, 10s or 2h: on the backups that are given, and on everything in the store where none are.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ByBudget)]
    [Parameter(ParameterSetName = ByObject)]
    [Parameter(ParameterSetName = ByPath)]
    [Parameter(ParameterSetName = ByLiteralPath)]
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
    protected override RunHead? Head => new("Test-BotBackup", RunKind.Verification, []);

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        _asked = true;
        if (IsEverything)
            return;
        var backups = Backups();
        // What could not even be opened was told, and is not good; a wildcard that matched nothing proved nothing.
        _good &= AllOpened && backups.Count > 0;
        if (Budget is not null)
            _given.AddRange(backups);
        else if (backups.Count > 0)
            Relay(VerificationRunner.Run(Session, backups, Asked(), Stopped));
    }

    /// <inheritdoc/>
    protected override void Finish()
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
            _good &= budget.Outcome == Outcome.Succeeded;
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

    private bool IsEverything => string.Equals(ParameterSetName, ByBudget, StringComparison.Ordinal);

    private void Spend(TimeSpan time)
    {
        var stores = new List<IStore>();
        foreach (var name in Store)
            _good &= Try(() => stores.Add(Session.StoreNamed(name)));
        // None of those that were named can be had: the local one was not asked for.
        if (Store.Length > 0 && stores.Count == 0)
            return;
        Relay(BudgetRunner.Run(Session, new BudgetRequest { Budget = time, Options = Asked(), Backups = IsEverything ? null : _given, Stores = stores, Components = Component }, Stopped));
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
