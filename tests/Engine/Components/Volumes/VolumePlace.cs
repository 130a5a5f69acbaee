using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Components.Volumes.Quiesce;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Engine.Tests.Outside;
using BotCore.Backup.Engine.Verification;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.Volumes;

/// <summary>A platform whose volumes are at one engine.</summary>
internal sealed class VolumePlace : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("volumes-");

    public VolumePlace(string endpoint, string volumes)
    {
        Directory.CreateDirectory(Path.Combine(Root, "project"));
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["PROJECT_ROOT"] = Path.Combine(Root, "project"),
            ["BACKUP_DIR"] = Store,
            ["LOG_DIR"] = Path.Combine(Root, "logs"),
            ["ENCRYPTION_ENABLED"] = "false",
            ["BACKUP_VOLUMES"] = volumes,
            ["DOCKER_HOST"] = endpoint,
        };
        Session = new BackupSession(BotBackupConfiguration.Load(null, new Dictionary<string, string>(StringComparer.Ordinal), settings), new SessionOptions { Threads = 2 });
    }

    public string Root => _root.FullName;

    public string Store => Path.Combine(Root, "store");

    public BackupSession Session { get; }

    public List<BackupStep> LastPlan { get; } = [];

    public IReadOnlyList<BackupEvent> Run(QuiesceMode quiesce = QuiesceMode.None, Func<string, bool>? wanted = null)
    {
        var failures = new List<BackupEvent>();
        var request = new BackupRequest { Components = [Component.Volume], Quiesce = quiesce, IsWanted = wanted ?? (_ => true) };
        LastPlan.Clear();
        LastPlan.AddRange(BackupPlanner.Plan(Session, request, failure => failures.Add(new Failed(failure)), default));
        return [.. failures, .. BackupRunner.Run(Session, LastPlan, default).ToBlockingEnumerable()];
    }

    public BotBackup BackUp(QuiesceMode quiesce = QuiesceMode.None) => Item<BotBackup>(Run(quiesce));

    public IReadOnlyList<BackupEvent> Restore(BotBackup backup, RestoreRequest request) =>
        [.. RestoreRunner.Run(Session, [RestorePlanner.Plan(Session, backup, request, default)], default).ToBlockingEnumerable()];

    public void Prove(BotBackup backup)
    {
        var events = VerificationRunner.Run(Session, [backup], new VerificationOptions { Depth = Depth.Archive }, default).ToBlockingEnumerable().ToList();
        Assert.Equal(Outcome.Succeeded, Item<BotBackupVerification>(events).Outcome);
    }

    public static T Item<T>(IReadOnlyList<BackupEvent> events)
    {
        Assert.True(!events.OfType<Failed>().Any(), string.Join("\n", events.OfType<Failed>().Select(one => one.Failure.ToString())));
        return (T)Assert.Single(events.OfType<Made>()).Item;
    }

    public static Failure Fails(IReadOnlyList<BackupEvent> events, FailureKind kind)
    {
        var failure = Assert.Single(events.OfType<Failed>()).Failure;
        Assert.Equal(kind, failure.Kind);
        Assert.Empty(events.OfType<Made>());
        return failure;
    }

    /// <summary>Odd names, links, owners, modes, attributes, and <paramref name="files"/> small files.</summary>
    public static void Fill(string folder, int files) => Shell.Run("bash", "-c", $$"""
        cd '{{folder}}'
        for d in $(seq 0 {{(files + 199) / 200}}); do mkdir -p many/$d; done
        awk 'BEGIN { for (i = 0; i < {{files}}; i++) { f = "many/" int(i / 200) "/file" i; print "content " i > f; close(f) } }'
        printf x > "$(printf 'latin\3511')"
        printf y > "$(printf 'two\nlines')"
        mkdir -p deep/er 'with space'
        printf root > deep/er/setuid; chown 12:13 deep/er/setuid; chmod 4755 deep/er/setuid; ln deep/er/setuid deep/er/other
        ln -s deep/er/setuid link; ln -s /absolute dangling; mkfifo pipe; chown -h 7:8 link
        head -c 3000000 /dev/urandom > big; chmod 0600 big; chown 1234:4321 big; touch -d '2020-02-03 04:05:06' big
        chmod 1777 'with space'; chown 99:98 deep; chmod 2750 deep
        setfattr -n user.note -v hello big 2>/dev/null || true
        chown 999:999 .; chmod 0770 .
        """);

    /// <summary>What a folder holds, by tools that are not ours: kinds, modes, owners, sizes, targets, numbers of names, and hashes; times in seconds.</summary>
    public static string Describe(string folder, bool owners = true, bool attributes = true) => Shell.Run("bash", "-c", $$"""
        cd '{{folder}}'
        find . -printf '%y %m {{(owners ? "%U:%G" : "")}} %n %l %P ' -a \( -type d -printf 'd' -o -printf '%s' \) -printf ' %Ts\0' | LC_ALL=C sort -z | tr '\0' '|'
        find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum -z | tr '\0' '|'
        {{(attributes ? "getfattr -R -h -d -m '^user' . 2>/dev/null || true" : "")}}
        """);

    public void Dispose()
    {
        Session.Dispose();
        _root.Delete(recursive: true);
    }
}
