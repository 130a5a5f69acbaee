using System.Collections;
using System.Management.Automation;
using System.Security;
using BotCore.Backup.Cmdlets.Completion;
using BotCore.Backup.Engine;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Components.MongoDb.Damage;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Journal;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Cmdlets.Commands;

/// <summary>Restores backups: proven first, what is overwritten kept in a snapshot, then written and compared.</summary>
[Cmdlet(VerbsData.Restore, "BotBackup", DefaultParameterSetName = ByMenu, SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(BotBackupRestore))]
public sealed class RestoreBotBackup : BackupInputCmdlet
{
    private const string ByMoment = "Moment";
    private const string ByEvent = "Event";
    private const string ByStore = "Store";
    private const string ByRun = "Run";
    private const string ByMenu = "Menu";

    private readonly List<BotBackup> _backups = [];
    private readonly List<BotOplogEvent> _events = [];

    /// <summary>Components to bring back to a moment or a run, or from a store; all where none is named.</summary>
    [Parameter(Position = 0, ParameterSetName = ByMoment)]
    [Parameter(Position = 0, ParameterSetName = ByRun)]
    [Parameter(Position = 0, ParameterSetName = ByStore)]
    [ValidateSet(nameof(Engine.Components.Component.MongoDb), nameof(Engine.Components.Component.Config), nameof(Engine.Components.Component.Volume), nameof(Engine.Components.Component.Model))]
    public Component[] Component { get; set; } = [];

    /// <summary>Names of what to bring back; wildcards.</summary>
    [Parameter(ParameterSetName = ByMoment)]
    [Parameter(ParameterSetName = ByRun)]
    [Parameter(ParameterSetName = ByStore)]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(NameCompleter))]
    public string[] Name { get; set; } = [];

    /// <summary>A run of Invoke-BotBackup: all that it made is brought back together, configuration first, then the database, volumes and models, of which the versions are taken that stood then.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ByRun)]
    [ValidateNotNullOrEmpty]
    public string RunId { get; set; } = "";

    /// <summary>
    /// The moment to go back to: a time, or an entry of the oplog as seconds:ordinal. A time means all of its second. A database then holds that moment, inclusive; of everything else the newest
    /// backup before it is taken, and the plan says how far that is from it. With backups from the pipeline the moment is one of their history; else of the only history in the store that holds it.
    /// </summary>
    [Parameter(Mandatory = true, ParameterSetName = ByMoment)]
    [Parameter(ParameterSetName = ByObject)]
    [ValidateNotNull]
    public PointInTime? PointInTime { get; set; }

    /// <summary>Events, as Find-BotOplogEvent gives them.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = ByEvent)]
    [ValidateNotNull]
    public BotOplogEvent[] Event { get; set; } = [];

    /// <summary>Restore to the moment before each event: its collection or database alone, unless -Include names others.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ByEvent)]
    public SwitchParameter Before { get; set; }

    /// <summary>
    /// The store to look in; the local one where none is named. Without a moment, an event or backups from the pipeline: the newest of everything that this store has is brought back,
    /// configuration first, then databases, volumes and models.
    /// </summary>
    [Parameter(ParameterSetName = ByMoment)]
    [Parameter(ParameterSetName = ByRun)]
    [Parameter(ParameterSetName = ByEvent)]
    [Parameter(Mandatory = true, ParameterSetName = ByStore)]
    [ArgumentCompleter(typeof(StoreCompleter))]
    [ValidateNotNullOrEmpty]
    public string? Store { get; set; }

    /// <summary>
    /// The folder to restore into, or for a database the server: mongodb://user:password@host/database, or mongodb+srv://. Where the backup came from, as the settings
    /// name it, where none is given. Of a volume's backup it may be volume:NAME, or a name that is no folder: that volume is emptied, or made. A database in the URI takes what the backup has of its one database.
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
    protected override RunHead? Head => new("Restore-BotBackup", RunKind.Restore, []);

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (ParameterSetName is ByEvent)
            _events.AddRange(Event);
        else if (ParameterSetName is not (ByMoment or ByStore or ByRun or ByMenu))
            _backups.AddRange(Backups());
    }

    /// <inheritdoc/>
    protected override void Finish()
    {
        // All is planned before anything is changed: what cannot be planned stops nothing that was not begun.
        var steps = new List<RestoreStep>();
        if (!Plan(Request(), steps))
            return;

        var questions = new Questions(this, Force);
        var approved = steps.Where(step => questions.Approve(step.Target, step.Action, $"Restore {What(step)} into {step.Target}?")).ToList();
        if (approved.Count > 0)
            Relay(RestoreRunner.Run(Session, approved, Stopped));
    }

    private static string What(RestoreStep step) => step.PointInTime is { } moment ? $"{moment.Base.Key} and {moment.Slices.Count} increments up to {moment.UpTo}" : step.Backup.Key;

    private bool Plan(RestoreRequest request, List<RestoreStep> steps)
    {
        switch (ParameterSetName)
        {
            case ByMenu:
                // An empty pipeline is no question.
                return !MyInvocation.ExpectingInput && Ask(request, steps);
            case ByRun:
                return PlanRun(RunId, request, steps);
            case ByMoment when Component is not [Engine.Components.Component.MongoDb]:
                return Try(() => steps.AddRange(PlatformRestore.PlanAt(Session, Selection, request, WarnOf, Stopped)));
            case ByStore when !Try(() => _backups.AddRange(NewestBackups.Of(Session.StoreNamed(Store!), Component, Wildcards.Of(Name).IsMatch, Fail, Stopped, WarnOf))):
                return false;
            case ByMoment:
                return Try(() => steps.Add(RestorePlanner.PlanMoment(Session, request, ChainStore, Stopped, WarnOf)));
            case ByEvent when !Before:
                Fail(new Failure(FailureKind.ConfigurationInvalid, "An event is restored to the moment before it, and -Before is off.", "Give -Before, or restore to a moment with -PointInTime.", nameof(Before)));
                return false;
            case ByEvent:
                return Try(() => steps.AddRange(RestorePlanner.PlanBefore(Session, _events, request, ChainStore, Stopped, WarnOf)));
            default:
                var planned = AllOpened;
                foreach (var backup in _backups)
                    planned &= Try(() => steps.AddRange(RestorePlanner.PlanBeside(steps, Session, backup, request, Stopped, WarnOf) is { } step ? [step] : Array.Empty<RestoreStep>()));
                return planned;
        }
    }

    private bool Ask(RestoreRequest request, List<RestoreStep> steps)
    {
        var choice = new RestoreChoice();
        if (!Try(() => choice = RestoreMenu.Ask(Host?.UI, ChainStore, Stopped)))
            return false;
        if (choice.RunId is { } run)
            return PlanRun(run, request, steps);
        return choice.Backup is { } backup && Try(() => steps.Add(RestorePlanner.Plan(Session, backup, request, Stopped, WarnOf)));
    }

    private bool PlanRun(string run, RestoreRequest request, List<RestoreStep> steps) => Try(() => steps.AddRange(PlatformRestore.PlanRun(Session, Selection, run, request, WarnOf, Stopped)));

    private PlatformSelection Selection => new(ChainStore, Component, Wildcards.Of(Name).IsMatch);

    private IStore ChainStore => Store is null ? Session.Local : Session.StoreNamed(Store);

    private RestoreRequest Request() => new()
    {
        Destination = Destination?.Folder is { } folder ? FullPath(folder) : null,
        DestinationName = Destination?.Folder,
        Volume = Destination?.Volume,
        Server = Destination?.Server,
        Renames = Renames(),
        Include = Include,
        Exclude = Exclude,
        PointInTime = PointInTime,
        AllowDevices = AllowDevices,
        NoSnapshot = NoSnapshot,
        Force = Force,
        OnlyPlans = IsWhatIf,
    };

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
