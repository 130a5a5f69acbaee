using System.Globalization;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Components.Files;
using BotCore.Backup.Engine.Components.Models;
using BotCore.Backup.Engine.Components.MongoDb;
using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Components.Volumes.Quiesce;
using BotCore.Backup.Engine.Compression;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Journal;
using BotCore.Backup.Engine.Measurements;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Engine.Backups;

/// <summary>What to back up.</summary>
public sealed record BackupRequest
{
    /// <summary>Components; none means all that are configured.</summary>
    public IReadOnlyList<Component> Components { get; init; } = [];

    /// <summary>Whether a name (of a volume or folder, or the component's own word) is asked for.</summary>
    public Func<string, bool> IsWanted { get; init; } = _ => true;

    /// <summary>Full or incremental; a model is always whole, and made where its content is another.</summary>
    public BackupType Type { get; init; } = BackupType.Full;

    /// <summary>What an increment does where the oplog no longer holds the end of the chain.</summary>
    public GapAction OnGap { get; init; } = GapAction.Fail;

    /// <summary>What is done to running containers while a volume that they mount is read.</summary>
    public QuiesceMode Quiesce { get; init; } = QuiesceMode.None;

    /// <summary>Gets what is not configured, and so left out; nobody where null.</summary>
    public Action<string>? Said { get; init; }

    /// <summary>Gets what may be missing from the run though nothing that is configured says so; nobody where null.</summary>
    public Action<Failure>? Warned { get; init; }

    /// <summary>Gets what could not be planned, beside its failure; nobody where null.</summary>
    public Action<RunSubject, Failure>? Lost { get; init; }

    /// <summary>Stores by name; none means what the settings say for each component.</summary>
    public IReadOnlyList<string> Stores { get; init; } = [];

    /// <summary>Whether the plan is only there to be measured, so that no codec is chosen for it.</summary>
    internal bool OnlyMeasures { get; init; }
}

/// <summary>What an increment does where there is nothing that it can go on from.</summary>
public enum GapAction
{
    /// <summary>Say so and make nothing.</summary>
    Fail = 0,

    /// <summary>Make a full backup, which begins a new chain.</summary>
    Full,
}

/// <summary>Turns a request into steps by looking at what is there; changes nothing.</summary>
public static class BackupPlanner
{
    private const string MongoName = "mongodb";

    /// <summary>The steps, in the order in which they run. What cannot be planned is told through <paramref name="failed"/>, and the rest goes on.</summary>
    public static IReadOnlyList<BackupStep> Plan(BackupSession session, BackupRequest request, Action<Failure> failed, CancellationToken token)
    {
        var steps = new List<BackupStep>();
        foreach (var component in Components(session, request))
        {
            var lost = Losing(component, component == Component.MongoDb ? MongoName : component == Component.Config ? "config" : "");
            try
            {
                if (component == Component.MongoDb)
                {
                    if (request.Type == BackupType.Incremental)
                        AddIncrements(session, request, steps, lost, token);
                    else
                        AddDatabase(session, request, steps, lost, token);
                    continue;
                }

                if (component == Component.Volume)
                    VolumeSteps.Plan(session, request, planned => AddStep(session, request, component, planned.ToStep, steps, lost), lost, token);
                foreach (var (name, scope, type) in Sources(session, component).Where(source => request.IsWanted(source.Name)))
                    AddSteps(session, request, component, name, scope, type, steps, Losing(component, name), token);
            }
            catch (BackupException wrong)
            {
                lost(wrong.Failure);
            }
        }

        return steps;

        Action<Failure> Losing(Component component, string name) => failure =>
        {
            var stores = request.Stores.Count > 0 ? request.Stores : session.Configuration.StoresOf(component);
            request.Lost?.Invoke(new RunSubject(component, name, component == Component.Model ? BackupType.Full : request.Type, stores), failure);
            failed(failure);
        };
    }

    private static void AddSteps(
        BackupSession session, BackupRequest request, Component component, string name, FileTreeScope scope, BackupType type, List<BackupStep> steps, Action<Failure> failed, CancellationToken token)
    {
        FileTreeEstimate estimate;
        CodecChoice? compression;
        try
        {
            estimate = FileTreeEstimate.Measure(scope, token);
            compression = Choose(session, request, estimate.Bytes, size => DataSample.OfFiles(scope, estimate, size, token), token);
        }
        catch (BackupException wrong)
        {
            failed(wrong.Failure);
            return;
        }

        var job = new ArchiveJob(component, name, type, (_, _) => new FileTreeSource(scope), scope.Root, estimate.Bytes)
        {
            Compression = compression,
            Sample = (size, stop) => DataSample.OfFiles(scope, estimate, size, stop),
        };
        var text = string.Create(CultureInfo.InvariantCulture, $"{estimate.Entries:N0} entries, {new ByteSize(estimate.Bytes)}{By(compression)}");
        var plan = new FileIncrementPlan(component, name, scope);
        AddStep(session, request, component, stores => (component, request.Type) switch
        {
            (Component.Model, _) => new BackupStep(_ => job with { IsKnownByContent = true }, stores, $"{text}, where its content is another than that of the newest version") { Model = plan },
            (_, BackupType.Incremental) => new BackupStep(_ => job, stores, $"what of {text} has changed") { FileIncrement = plan, OnGap = request.OnGap },
            _ => new BackupStep(_ => job, stores, text),
        }, steps, failed);
    }

    private static void AddDatabase(BackupSession session, BackupRequest request, List<BackupStep> steps, Action<Failure> failed, CancellationToken token)
    {
        if (!request.IsWanted(MongoName))
            return;
        var target = MongoTarget.Of(session.Configuration);
        var (databases, size) = target.Guard("looking at what there is", () =>
        {
            using var client = target.Connect(requirePrimary: false, token);
            var catalog = new ServerCatalog(client, token);
            var names = catalog.Databases(new DumpSelection(target.Database));
            return (names.Count, catalog.EstimateSize(names));
        });
        var compression = Choose(session, request, size, bytes => DataSample.OfDatabase(target, new DumpSelection(target.Database), bytes, token), token);
        var plan = NewPlan(session, target, compression);
        var what = target.Database is { } one ? $"database {one}" : string.Create(CultureInfo.InvariantCulture, $"{databases:N0} databases");
        var text = $"{what} of {target.Name}, about {new ByteSize(size)} of documents{By(compression)}";
        AddStep(session, request, Component.MongoDb, stores => new BackupStep(store => FullOf(plan, store, size, token) with { Compression = compression }, stores, text), steps, failed);
    }

    // Looks at the store alone: what the server still has of it is for the run to find out.
    private static void AddIncrements(BackupSession session, BackupRequest request, List<BackupStep> steps, Action<Failure> failed, CancellationToken token)
    {
        if (!request.IsWanted(MongoName))
            return;
        var plan = NewPlan(session, MongoTarget.Of(session.Configuration));
        AddStep(session, request, Component.MongoDb, Step, steps, failed);

        BackupStep Step(IReadOnlyList<IStore> stores) =>
            new(store => FullOf(plan, store, 0, token), stores, Describe(plan, LastIn(stores, plan, token), request.OnGap, session.Clock)) { Increment = plan, OnGap = request.OnGap };
    }

    // Only to say it: a store that does not answer is for the run to find out, which has others to go to.
    private static BotBackup? LastIn(IReadOnlyList<IStore> stores, IncrementPlan plan, CancellationToken token)
    {
        foreach (var store in stores)
        {
            try
            {
                return BackupStep.Chains(store, _ => { }, token).Timelines.LastOrDefault(one => string.Equals(one.Database, plan.Target.Database, StringComparison.Ordinal))?.LikelyTip;
            }
            catch (BackupException) when (stores.Count > 1)
            {
                // The next one may answer.
            }
        }

        return null;
    }

    private static string Describe(IncrementPlan plan, BotBackup? last, GapAction onGap, TimeProvider clock)
    {
        if (last is null)
            return onGap == GapAction.Full ? $"a full backup of {plan.Target.Name}, since there is none that an increment could stand on" : $"the oplog of {plan.Target.Name}, once there is a full backup to stand on";
        var end = OplogTimeline.EndOf(last);
        var age = clock.GetUtcNow() - end.Time;
        var text = age < TimeSpan.FromMinutes(2) ? $"{Math.Max(0, age.TotalSeconds):0} s" : age < TimeSpan.FromHours(2) ? $"{age.TotalMinutes:0} min" : $"{age.TotalHours:0} h";
        return string.Create(CultureInfo.InvariantCulture, $"the oplog of {plan.Target.Name} since {end} ({end.Time:u}, {text} ago), where {last.Key} ends");
    }

    private static IncrementPlan NewPlan(BackupSession session, MongoTarget target, CodecChoice? measured = null)
    {
        var compression = measured ?? session.Compression;
        return new IncrementPlan(target, new DumpSelection(target.Database), new DumpOptions(compression.Codec, compression.Level, session.DumpThreads, session.SpillFolder));
    }

    // Null where nothing is to be measured.
    internal static CodecChoice? Choose(BackupSession session, BackupRequest request, long size, Func<int, byte[]> sample, CancellationToken token) =>
        session.MeasuresCodecs && !request.OnlyMeasures ? MeasureRunner.Choose(session, size, sample, token) : null;

    internal static string By(CodecChoice? compression) => compression is null ? "" : $"; {compression.Reason}";

    private static ArchiveJob FullOf(IncrementPlan plan, IStore store, long size, CancellationToken token) => new(
        Component.MongoDb,
        MongoName,
        BackupType.Full,
        (name, tell) => new MongoDumpSource(plan.Target, plan.Selection, plan.Options, name, tell) { Chains = () => BackupStep.Chains(store, failure => tell(new Warned($"{failure.Message} {failure.Advice}")), token) },
        new EntryPath(plan.Target.Name),
        size)
    {
        Sample = (bytes, stop) => DataSample.OfDatabase(plan.Target, plan.Selection, bytes, stop),
    };

    private static void AddStep(BackupSession session, BackupRequest request, Component component, Func<IReadOnlyList<IStore>, BackupStep> step, List<BackupStep> steps, Action<Failure> failed)
    {
        var stores = new List<IStore>();
        var names = request.Stores.Count > 0 ? request.Stores : session.Configuration.StoresOf(component);
        // Sealed into the folder where there is one, and copied from there: a network is slower and breaks, and the source is read once.
        foreach (var name in names.Distinct(StringComparer.OrdinalIgnoreCase).OrderBy(name => !session.IsLocal(name)))
        {
            try
            {
                stores.Add(session.StoreNamed(name));
            }
            catch (BackupException wrong)
            {
                failed(wrong.Failure);
            }
        }

        if (stores.Count > 0)
            steps.Add(step(stores) with { IsOfPlatform = request.Components.Count == 0 });
    }

    private static IEnumerable<Component> Components(BackupSession session, BackupRequest request)
    {
        if (request.Type is not (BackupType.Full or BackupType.Incremental))
            throw new BackupException(FailureKind.ConfigurationInvalid, $"Nobody can ask for a {request.Type} backup.", "Ask for Full or Incremental.", request.Type.ToString());
        if (request.Components.Count == 0)
            return ConfiguredComponents.Of(session.Configuration, request.Said);
        return request.Type == BackupType.Incremental && request.Components.Contains(Component.Model)
            ? throw new BackupException(
                FailureKind.ConfigurationInvalid, "There are no increments of models: a version is whole, and is made only where the content is another.", "Back models up without -Type.", nameof(Component.Model))
            : request.Components.Distinct();
    }

    private static IEnumerable<(string Name, FileTreeScope Scope, BackupType Type)> Sources(BackupSession session, Component component)
    {
        var settings = session.Configuration;
        EntryPath[] leaveOut = [new(settings.BackupDirectory)];
        switch (component)
        {
            case Component.Config:
                var paths = settings.ConfigPathsAreDefault ? settings.ConfigPaths.Where(IsThere) : settings.ConfigPaths;
                yield return ("config", new FileTreeScope(new EntryPath(settings.ProjectRoot)) { Selections = Selected(paths), LeaveOut = leaveOut }, BackupType.Full);
                break;
            case Component.Volume:
                foreach (var directory in settings.Directories)
                    yield return (directory.Name, new FileTreeScope(new EntryPath(directory.Path)) { LeaveOut = leaveOut, Setting = "BACKUP_DIRECTORIES" }, BackupType.Full);
                break;
            case Component.Model:
                foreach (var model in NamedModel.All(settings.ModelPaths))
                    yield return (model.Name, model.Scope(leaveOut), BackupType.Full);
                break;
            default:
                throw new BackupException(
                    FailureKind.ConfigurationInvalid, $"Nothing can be backed up as {component}.", "Ask for MongoDb, Config, Volume or Model.", component.ToString());
        }
    }

    private static EntryPath[] Selected(IEnumerable<string> paths)
    {
        var selected = paths.Select(path => new EntryPath(path)).ToArray();
        return selected.Length > 0
            ? selected
            : throw new BackupException(
                FailureKind.ConfigurationMissing, "CONFIG_PATHS is not set, and none of the usual files are in PROJECT_ROOT.", "Set CONFIG_PATHS to the files and folders to back up.", "CONFIG_PATHS");
    }

    // The usual places are looked for; only what an admin named must be there.
    internal static bool IsThere(string path)
    {
        if (!path.Contains('*', StringComparison.Ordinal))
            return Path.Exists(path);
        var folder = Path.GetDirectoryName(path)!;
        try
        {
            return Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder, Path.GetFileName(path)).Any();
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            // The walk will say what is wrong with it.
            return true;
        }
    }
}
