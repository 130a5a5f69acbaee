using System.Management.Automation;
using BotCore.Backup.Cmdlets.Completion;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Drills;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Journal;
using BotCore.Backup.Engine.Reports;
using BotCore.Backup.Engine.Verification;

namespace BotCore.Backup.Cmdlets.Commands;

/// <summary>Writes the verification report: of all that the stores have and how well each of it was proven, or of what is piped in.</summary>
[Cmdlet(VerbsData.Export, "BotBackupReport", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Low)]
[OutputType(typeof(FileInfo))]
public sealed class ExportBotBackupReport : ConfiguredCmdlet
{
    private readonly List<BotBackup> _backups = [];
    private readonly List<BotBackupVerification> _verifications = [];
    private readonly List<BotBackupDrill> _drills = [];

    /// <summary>What Test-BotBackup, Get-BotBackup or Invoke-BotBackupDrill give. Without it the stores are reported on whole, by the proofs that are recorded there.</summary>
    [Parameter(ValueFromPipeline = true)]
    [ValidateNotNull]
    public object[] InputObject { get; set; } = [];

    /// <summary>The file to write, one that is there is replaced; BACKUP_DIR/verification-report-YYYYMMDD.txt where none is given.</summary>
    [Parameter(Position = 0)]
    [ValidateNotNullOrEmpty]
    public string? Path { get; set; }

    /// <summary>As what; by the ending of -Path where this is not given: .md, .html, .json, text for any other.</summary>
    [Parameter]
    [ValidateSet(nameof(ReportForm.Text), nameof(ReportForm.Markdown), nameof(ReportForm.Html), nameof(ReportForm.Json), nameof(ReportForm.Daily))]
    public ReportForm As { get; set; }

    /// <summary>Stores to report on; every one that is enabled where none is named.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(StoreCompleter))]
    public string[] Store { get; set; } = [];

    /// <summary>Components to report on; all where none is named.</summary>
    [Parameter]
    public Component[] Component { get; set; } = [];

    /// <summary>How old the newest good backup may be; 25 hours where nothing is given.</summary>
    [Parameter]
    public TimeSpan? MaximumAge { get; set; }

    /// <summary>How long ago a backup may have been proven; 35 days where nothing is given.</summary>
    [Parameter]
    public TimeSpan? MaximumProofAge { get; set; }

    /// <inheritdoc/>
    protected override RunHead? Head => new("Export-BotBackupReport", RunKind.Report, []);

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var item in InputObject.Select(one => one is PSObject wrapped ? wrapped.BaseObject : one))
        {
            if (item is BotBackup backup)
                _backups.Add(backup);
            else if (item is BotBackupDrill drill)
                _drills.Add(drill);
            else if (item is BotBackupVerification verification)
                _verifications.Add(verification);
            else
                Fail(new Failure(FailureKind.ConfigurationInvalid, $"A {item.GetType().Name} is not what a report is made of.", "Pipe in what Test-BotBackup, Get-BotBackup or Invoke-BotBackupDrill give.", item));
        }
    }

    /// <inheritdoc/>
    protected override void Finish()
    {
        var isGiven = _backups.Count + _verifications.Count > 0;
        if (MyInvocation.ExpectingInput && !isGiven && _drills.Count == 0)
            return;
        if (isGiven && _drills.Count > 0)
            Fail(new Failure(FailureKind.ConfigurationInvalid, "Drills and backups are reported on apart.", "Pipe in one kind, then the other.", nameof(InputObject)));
        var request = new ReportRequest
        {
            Path = Path is not null ? FullPath(Path) : _drills.Count > 0 ? ReportRunner.DrillPath(Session) : As == ReportForm.Daily ? DailyReport.DefaultPath(Session) : ReportRunner.DefaultPath(Session),
            Form = As,
            Stores = Store.Length > 0 ? Store : Session.Configuration.EnabledStores,
            Components = Component,
            Backups = isGiven ? _backups : null,
            Verifications = _verifications,
            Drills = _drills,
        };
        request = request with { MaximumAge = MaximumAge ?? request.MaximumAge, MaximumProofAge = MaximumProofAge ?? request.MaximumProofAge };
        ReportStep? step = null;
        if (Try(() => step = ReportRunner.Plan(request)) && ShouldProcess(step!.Target, step.Action))
            Relay(ReportRunner.Run(Session, step, Stopped));
    }
}
