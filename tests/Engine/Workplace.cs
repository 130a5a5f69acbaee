using System.Security.Cryptography;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Tests.Outside;
using BotCore.Backup.Engine.Verification;
using Xunit;

namespace BotCore.Backup.Engine.Tests;

/// <summary>A platform of one test: project, store, passphrase file and destination in a folder that goes with it.</summary>
internal sealed class Workplace : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("work-");
    private readonly bool _encrypted;
    private readonly string? _store;
    private readonly string _compression;
    private readonly string _target;
    private readonly List<BackupSession> _others = [];

    /// <summary><paramref name="store"/> is a folder elsewhere, such as a small disk; <paramref name="compression"/> a codec, with a level or without, or auto, with <paramref name="target"/>.</summary>
    public Workplace(bool encrypted = true, TimeProvider? clock = null, string? store = null, string compression = "gzip", string target = "")
    {
        _compression = compression;
        _target = target;
        _encrypted = encrypted;
        _store = store;
        Directory.CreateDirectory(Project);
        Session = NewSession(clock: clock);
    }

    public static CancellationToken None => CancellationToken.None;

    public string Root => _root.FullName;

    public string Project => Path.Combine(Root, "project");

    public string Store => _store ?? Path.Combine(Root, "store");

    /// <summary>Not there until a restore makes it.</summary>
    public string Destination => Path.Combine(Root, "destination");

    public BackupSession Session { get; }

    public IStore Local => Session.Local;

    /// <summary>A session of the same platform with another passphrase or clock.</summary>
    public BackupSession NewSession(string passphrase = "correct horse", TimeProvider? clock = null, IReadOnlyDictionary<string, IStore>? stores = null)
    {
        var file = Path.Combine(Root, $"passphrase-{_others.Count}");
        File.WriteAllText(file, passphrase + "\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["PROJECT_ROOT"] = Project,
            ["CONFIG_PATHS"] = ".",
            ["BACKUP_DIR"] = Store,
            ["LOG_DIR"] = Path.Combine(Root, "logs"),
            ["GPG_PASSPHRASE_FILE"] = file,
            ["COMPRESSION"] = _compression.Split(' ')[0],
            ["COMPRESSION_TARGET"] = _target,
            ["COMPRESSION_LEVEL"] = _compression.Split(' ') is [_, var level] ? level : "",
            ["ENCRYPTION_ENABLED"] = _encrypted ? "true" : "false",
        };
        var configuration = BotBackupConfiguration.Load(null, new Dictionary<string, string>(StringComparer.Ordinal), settings);
        var session = new BackupSession(configuration, new SessionOptions { Threads = 2 }) { Clock = clock ?? TimeProvider.System, StandIns = stores ?? new Dictionary<string, IStore>(StringComparer.Ordinal) };
        _others.Add(session);
        return session;
    }

    /// <summary>Writes a file of the project and returns its path.</summary>
    public string Write(string name, ReadOnlySpan<byte> content)
    {
        var path = Path.Combine(Project, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
        return path;
    }

    public string Write(string name, string content) => Write(name, System.Text.Encoding.UTF8.GetBytes(content));

    /// <summary>Writes a file that does not compress.</summary>
    public void WriteNoise(string name, int length) => Write(name, RandomNumberGenerator.GetBytes(length));

    /// <summary>All events of a backup of the project.</summary>
    public IReadOnlyList<BackupEvent> RunBackup(BackupSession? session = null, params string[] stores)
    {
        var failures = new List<BackupEvent>();
        var used = session ?? Session;
        var steps = BackupPlanner.Plan(used, new BackupRequest { Components = [Component.Config], Stores = stores }, failure => failures.Add(new Failed(failure)), None);
        return [.. failures, .. BackupRunner.Run(used, steps, None).ToBlockingEnumerable()];
    }

    /// <summary>A backup that must succeed.</summary>
    public BotBackup BackUp() => Item<BotBackup>(RunBackup());

    /// <summary>A backup of made-up entries.</summary>
    public BotBackup BackUp(IEntrySource source, IStore? store = null, Action<BackupEvent>? tell = null) =>
        BackupRunner.NewMaker(Session, store ?? Local, tell ?? (_ => { })).Make(new ArchiveJob(Component.Config, "config", BackupType.Full, (_, _) => source, new EntryPath(Project), 0), "run", None);

    /// <summary>The backup as the store has it now.</summary>
    public BotBackup Reopen(BotBackup backup) => BackupCatalog.OpenFile(Local, backup.Location, None);

    public BotBackupVerification Prove(BotBackup backup, Depth depth = Depth.Archive, BackupSession? session = null) =>
        Item<BotBackupVerification>([.. VerificationRunner.Run(session ?? Session, [backup], depth, None).ToBlockingEnumerable()]);

    /// <summary>All events of a restore into <see cref="Destination"/>, unless <paramref name="request"/> says where to.</summary>
    public IReadOnlyList<BackupEvent> RunRestore(BotBackup backup, RestoreRequest? request = null, BackupSession? session = null)
    {
        var asked = request ?? new RestoreRequest();
        var used = session ?? Session;
        var step = RestorePlanner.Plan(used, backup, asked with { Destination = asked.Destination ?? Destination }, None);
        return [.. RestoreRunner.Run(used, [step], None).ToBlockingEnumerable()];
    }

    /// <summary>A restore that must succeed.</summary>
    public BotBackupRestore Restore(BotBackup backup, RestoreRequest? request = null) => Item<BotBackupRestore>(RunRestore(backup, request));

    /// <summary>A restore that must fail, and leave no destination.</summary>
    public FailureKind Refuse(BotBackup backup, RestoreRequest? request = null, BackupSession? session = null)
    {
        var kind = Failure(RunRestore(backup, request, session)).Kind;
        Assert.False(Path.Exists(Destination), $"{kind} was told, but something was written.");
        return kind;
    }

    /// <summary>The one result among <paramref name="events"/>; a failure fails the test with its text.</summary>
    public static T Item<T>(IReadOnlyList<BackupEvent> events)
    {
        var failed = events.OfType<Failed>().FirstOrDefault();
        Assert.True(failed is null, failed?.Failure.ToString());
        return Assert.IsType<T>(Assert.Single(events.OfType<Made>()).Item);
    }

    /// <summary>The one failure among <paramref name="events"/>.</summary>
    public static Failure Failure(IReadOnlyList<BackupEvent> events)
    {
        Assert.Empty(events.OfType<Made>());
        return Assert.Single(events.OfType<Failed>()).Failure;
    }

    /// <summary>Every file and folder below a folder with its length and content's hash; hidden ones too, leases left out.</summary>
    public static IReadOnlyList<string> Describe(string folder) => !Directory.Exists(folder) ? [] :
    [
        .. new DirectoryInfo(folder).EnumerateFileSystemInfos("*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = default, IgnoreInaccessible = false })
            .Where(item => !item.Name.EndsWith(".lease", StringComparison.Ordinal) && !string.Equals(item.Name, ".botbackup", StringComparison.Ordinal))
            .Select(item => Path.GetRelativePath(folder, item.FullName) + " " + Content(item))
            .Order(StringComparer.Ordinal),
    ];

    public void Dispose()
    {
        foreach (var session in _others)
            session.Dispose();
        // .NET cannot name what is not UTF-8, so it cannot remove it either.
        if (OperatingSystem.IsLinux())
            Shell.Run("rm", "-rf", Root);
        else
            _root.Delete(recursive: true);
    }

    private static string Content(FileSystemInfo item) => item switch
    {
        { LinkTarget: { } target } => "-> " + target,
        FileInfo { Length: > 0 } file => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file.FullName))),
        FileInfo => "empty",
        _ => "folder",
    };
}
