using System.Globalization;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Components.Files;
using BotCore.Backup.Engine.Components.MongoDb;
using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Engine.Backups;

/// <summary>What to back up.</summary>
public sealed record BackupRequest
{
    /// <summary>Components; none means all that are configured.</summary>
    public IReadOnlyList<Component> Components { get; init; } = [];

    /// <summary>Whether a name (of a volume or folder, or the component's own word) is asked for.</summary>
    public Func<string, bool> IsWanted { get; init; } = _ => true;

    /// <summary>Stores by name; none means what the settings say for each component.</summary>
    public IReadOnlyList<string> Stores { get; init; } = [];
}

/// <summary>One archive into one store.</summary>
public sealed record BackupStep : Step
{
    internal BackupStep(ArchiveJob job, IStore store, string estimate)
        : base(store.Location, $"Back up {job.Name} ({job.Component}): {estimate}")
    {
        Job = job;
        Store = store;
    }

    internal ArchiveJob Job { get; }

    internal IStore Store { get; }
}

/// <summary>Turns a request into steps by looking at what is there; changes nothing.</summary>
public static class BackupPlanner
{
    private const string MongoName = "mongodb";

    /// <summary>The steps, in the order in which they run. What cannot be planned is told through <paramref name="failed"/>, and the rest goes on.</summary>
    public static IReadOnlyList<BackupStep> Plan(BackupSession session, BackupRequest request, Action<Failure> failed, CancellationToken token)
    {
        var steps = new List<BackupStep>();
        foreach (var component in request.Components.Count > 0 ? request.Components.Distinct() : Configured(session.Configuration))
        {
            try
            {
                if (component == Component.MongoDb)
                {
                    AddDatabase(session, request, steps, failed, token);
                    continue;
                }

                foreach (var (name, scope, type) in Sources(session, component).Where(source => request.IsWanted(source.Name)))
                    AddSteps(session, request, component, name, scope, type, steps, failed, token);
            }
            catch (BackupException wrong)
            {
                failed(wrong.Failure);
            }
        }

        return steps;
    }

    private static void AddSteps(
        BackupSession session, BackupRequest request, Component component, string name, FileTreeScope scope, BackupType type, List<BackupStep> steps, Action<Failure> failed, CancellationToken token)
    {
        FileTreeEstimate estimate;
        try
        {
            estimate = FileTreeEstimate.Measure(scope, token);
        }
        catch (BackupException wrong)
        {
            failed(wrong.Failure);
            return;
        }

        var job = new ArchiveJob(component, name, type, (_, _) => new FileTreeSource(scope), scope.Root, estimate.Bytes);
        var text = string.Create(CultureInfo.InvariantCulture, $"{estimate.Entries:N0} entries, {new ByteSize(estimate.Bytes)}");
        AddStores(session, request, job, text, steps, failed);
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
        var options = new DumpOptions(session.Codec, session.Level, session.DumpThreads, session.SpillFolder);
        var job = new ArchiveJob(Component.MongoDb, MongoName, BackupType.Full, (name, tell) => new MongoDumpSource(target, new DumpSelection(target.Database), options, name, tell), new EntryPath(target.Name), size);
        var what = target.Database is { } one ? $"database {one}" : string.Create(CultureInfo.InvariantCulture, $"{databases:N0} databases");
        AddStores(session, request, job, $"{what} of {target.Name}, about {new ByteSize(size)} of documents", steps, failed);
    }

    private static void AddStores(BackupSession session, BackupRequest request, ArchiveJob job, string estimate, List<BackupStep> steps, Action<Failure> failed)
    {
        foreach (var store in request.Stores.Count > 0 ? request.Stores : StoresOf(session, job.Component))
        {
            try
            {
                steps.Add(new BackupStep(job, session.StoreNamed(store), estimate));
            }
            catch (BackupException wrong)
            {
                failed(wrong.Failure);
            }
        }
    }

    private static IReadOnlyList<string> StoresOf(BackupSession session, Component component) =>
        component switch
        {
            Component.Volume => session.Configuration.StoresVolumes,
            Component.MongoDb => session.Configuration.StoresMongoDb,
            _ => session.Configuration.StoresConfig,
        };

    // Without a word about it, everything that the settings name is backed up.
    private static IEnumerable<Component> Configured(BotBackupConfiguration settings) =>
        settings.DatabaseUrl is null ? [Component.Config, Component.Volume] : [Component.MongoDb, Component.Config, Component.Volume];

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
                if (settings.Volumes.Count > 0)
                {
                    throw new BackupException(
                        FailureKind.ToolMissing, "BACKUP_VOLUMES names Docker volumes, and this version backs up folders only.", "Name their folders in BACKUP_DIRECTORIES, or take BACKUP_VOLUMES out, until a version that has it.", "BACKUP_VOLUMES");
                }

                foreach (var directory in settings.Directories)
                    yield return (directory.Name, new FileTreeScope(new EntryPath(directory.Path)) { LeaveOut = leaveOut, Setting = "BACKUP_DIRECTORIES" }, BackupType.Full);
                break;
            default:
                throw new BackupException(
                    FailureKind.ToolMissing, $"This version does not back up {component} yet.", "Ask for MongoDb, Config or Volume.", component.ToString());
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
    private static bool IsThere(string path)
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
