using System.Management.Automation;
using System.Security;
using BotCore.Backup.Engine;
using BotCore.Backup.Engine.Components.MongoDb.Damage;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Journal;

namespace BotCore.Backup.Cmdlets.Commands;

/// <summary>Puts back the documents that an event destroyed, from a full backup and its increments, without touching what was written since.</summary>
[Cmdlet(VerbsData.Restore, "BotDocument", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(BotDocumentRepair))]
public sealed class RestoreBotDocument : ConfiguredCmdlet
{
    private readonly List<BotOplogEvent> _events = [];

    /// <summary>Events, as Find-BotOplogEvent gives them.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [ValidateNotNull]
    public BotOplogEvent[] InputObject { get; set; } = [];

    /// <summary>The server: mongodb://user:password@host/database, or mongodb+srv://; DATABASE_URL where none is given. A database in the URI takes the event's one.</summary>
    [Parameter]
    [ValidateNotNull]
    public RestoreDestination? Destination { get; set; }

    /// <summary>A passphrase in place of GPG_PASSPHRASE_FILE.</summary>
    [Parameter]
    public SecureString? Passphrase { get; set; }

    /// <summary>Do not ask.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override RunHead? Head => new("Restore-BotDocument", RunKind.Restore, []);

    /// <inheritdoc/>
    protected override void ProcessRecord() => _events.AddRange(InputObject);

    /// <inheritdoc/>
    protected override void Finish()
    {
        if (Destination?.Folder is { } folder)
            Fail(new Failure(FailureKind.ConfigurationInvalid, $"'{folder}' is not a MongoDB server, and documents are put back into one.", "Give -Destination mongodb://....", folder));
        // All is planned before anything is changed.
        var steps = new List<DocumentRepairStep>();
        var request = new DocumentRepairRequest { Server = Destination?.Server };
        var planned = true;
        foreach (var damage in _events)
            planned &= Try(() => steps.Add(DocumentRepairPlanner.Plan(Session, damage, request, Stopped, WarnOf)));
        if (!planned)
            return;

        var questions = new Questions(this, Force);
        var approved = steps.Where(step => questions.Approve(step.Target, step.Action, $"Put back what the {step.Event} destroyed at {step.Target}?")).ToList();
        if (approved.Count > 0)
            Relay(DocumentRepairRunner.Run(Session, approved, Stopped));
    }

    /// <inheritdoc/>
    protected override SessionOptions Options() => new() { Passphrase = Passphrase };
}
