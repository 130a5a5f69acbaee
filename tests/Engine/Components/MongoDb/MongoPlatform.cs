using System.Security.Cryptography;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components.MongoDb;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Tests.Outside;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb;

/// <summary>
/// A MongoDB for one test: the server at BOTBACKUP_TEST_MONGODB when that is set, else a Sandbox of its own. Databases have names of this test alone, and are dropped at its end.
/// </summary>
internal sealed class MongoPlatform : IDisposable
{
    private readonly SandboxServer? _sandbox;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("mongo-");
    private readonly string _prefix = "t" + RandomNumberGenerator.GetHexString(8, lowercase: true);
    private readonly List<string> _databases = [];
    private readonly List<BackupSession> _sessions = [];

    /// <summary><paramref name="sandbox"/> asks for a Sandbox of that kind, whatever is set.</summary>
    public MongoPlatform(SandboxOptions? sandbox = null)
    {
        var real = Environment.GetEnvironmentVariable("BOTBACKUP_TEST_MONGODB");
        if (sandbox is not null || string.IsNullOrEmpty(real))
            _sandbox = new SandboxServer(sandbox ?? new SandboxOptions());
        Uri = _sandbox?.ConnectionString ?? real!;
        Client = MongoTarget.Of(SecretUri.WithPassword(Uri)).Connect(requirePrimary: false, None);
        Database = NewDatabase("bot_core");
    }

    public static CancellationToken None => CancellationToken.None;

    public string Uri { get; }

    public string Folder => _folder.FullName;

    public string Store => Path.Combine(Folder, "store");

    public MongoClient Client { get; }

    public SandboxServer Sandbox => _sandbox ?? throw new InvalidOperationException("This test runs on a real server.");

    /// <summary>Whether it is a Sandbox, which lets a test do what a real server does not.</summary>
    public bool IsSandbox => _sandbox is not null;

    /// <summary>The test's main database.</summary>
    public string Database { get; }

    /// <summary>A database name that nobody else uses.</summary>
    public string NewDatabase(string name)
    {
        var database = $"{_prefix}_{name}";
        _databases.Add(database);
        return database;
    }

    /// <summary>The URI with a database in it.</summary>
    public string UriOf(string database)
    {
        var query = Uri.IndexOf('?', StringComparison.Ordinal);
        var whole = query < 0 ? Uri : Uri[..query];
        var hosts = whole[(whole.IndexOf("://", StringComparison.Ordinal) + 3)..];
        var slash = hosts.IndexOf('/', StringComparison.Ordinal);
        var head = slash < 0 ? whole : whole[..^(hosts.Length - slash)];
        var options = query < 0 ? "" : Uri[query..];
        if (head.Contains('@', StringComparison.Ordinal) && !options.Contains("authSource", StringComparison.Ordinal))
            options += (options.Length == 0 ? "?" : "&") + "authSource=admin";
        return $"{head}/{database}{options}";
    }

    /// <summary>A session whose DATABASE_URL names the main database, or <paramref name="uri"/>.</summary>
    public BackupSession Session(string? uri = null, bool encrypted = true, IReadOnlyDictionary<string, string>? more = null, TimeProvider? clock = null, IReadOnlyDictionary<string, IStore>? stores = null)
    {
        var file = Path.Combine(Folder, "passphrase");
        File.WriteAllText(file, "correct horse\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var settings = new Dictionary<string, string>(more ?? new Dictionary<string, string>(StringComparer.Ordinal), StringComparer.Ordinal)
        {
            ["PROJECT_ROOT"] = Folder,
            ["BACKUP_DIR"] = Store,
            ["LOG_DIR"] = Path.Combine(Folder, "logs"),
            ["DATABASE_URL"] = uri ?? UriOf(Database),
            ["GPG_PASSPHRASE_FILE"] = file,
            ["ENCRYPTION_ENABLED"] = encrypted ? "true" : "false",
        };
        var session = new BackupSession(BotBackupConfiguration.Load(null, new Dictionary<string, string>(StringComparer.Ordinal), settings), new SessionOptions { Threads = 2 }) { Clock = clock ?? TimeProvider.System, StandIns = stores ?? new Dictionary<string, IStore>(StringComparer.Ordinal) };
        _sessions.Add(session);
        return session;
    }

    /// <summary>All events of a backup.</summary>
    public static IReadOnlyList<BackupEvent> RunBackup(BackupSession session)
    {
        var failures = new List<BackupEvent>();
        var steps = BackupPlanner.Plan(session, new BackupRequest { Components = [Engine.Components.Component.MongoDb] }, failure => failures.Add(new Failed(failure)), None);
        return [.. failures, .. BackupRunner.Run(session, steps, None).ToBlockingEnumerable()];
    }

    /// <summary>A backup of the main database that must succeed.</summary>
    public BotBackup BackUp(BackupSession? session = null) => Workplace.Item<BotBackup>(RunBackup(session ?? Session()));

    /// <summary>All events of a restore.</summary>
    public static IReadOnlyList<BackupEvent> RunRestore(BackupSession session, BotBackup backup, RestoreRequest? request = null)
    {
        var step = RestorePlanner.Plan(session, backup, request ?? new RestoreRequest(), None);
        return [.. RestoreRunner.Run(session, [step], None).ToBlockingEnumerable()];
    }

    /// <summary>Runs a command in the main database and demands that it succeeds, document errors included.</summary>
    public RawBson Run(BsonBuilder command, string? database = null)
    {
        var reply = Client.Run(database ?? Database, command, None);
        Assert.False(reply.Has("writeErrors"u8), "A document was refused.");
        return reply;
    }

    /// <summary>Inserts documents.</summary>
    public void Insert(string collection, IEnumerable<RawBson> documents, string? database = null)
    {
        var sequence = new DocumentSequence();
        foreach (var document in documents)
        {
            if (sequence.TryAdd(document.Span, 8 << 20, 20_000))
                continue;
            Send();
            Assert.True(sequence.TryAdd(document.Span, 8 << 20, 20_000));
        }

        if (sequence.Count > 0)
            Send();

        void Send()
        {
            var reply = Client.Run(database ?? Database, new BsonBuilder().Append("insert", collection), "documents", sequence, None);
            Assert.False(reply.Has("writeErrors"u8), "A document was refused.");
            sequence.Clear();
        }
    }

    /// <summary>Count and hash of a collection, read over the wire now.</summary>
    public DocumentSetHash SetOf(string collection, string? database = null)
    {
        var set = new DocumentSetHash();
        using var cursor = Client.Open(database ?? Database, new BsonBuilder().Append("find", collection), new CursorOptions(), None);
        while (cursor.Next() == CursorStep.Document)
            set.Add(cursor.Current);
        return set;
    }

    /// <summary>Names of collections and views, without the server's own.</summary>
    public IReadOnlyList<string> Collections(string? database = null)
    {
        var names = new List<string>();
        using var cursor = Client.Open(database ?? Database, new BsonBuilder().Append("listCollections", 1), new CursorOptions(), None);
        while (cursor.Next() == CursorStep.Document)
            names.Add(new RawBson(cursor.Current.ToArray()).FindString("name"u8)!);
        names.RemoveAll(name => name.StartsWith("system.", StringComparison.Ordinal));
        names.Sort(StringComparer.Ordinal);
        return names;
    }

    /// <summary>The plain tar of an archive, unpacked by the stock tools into a folder; gives that folder.</summary>
    public string Unpack(BotBackup backup)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Folder, "unpacked-" + RandomNumberGenerator.GetHexString(4))).FullName;
        var decrypt = backup.Encryption == Encryption.None ? $"cat '{backup.Location}'" : $"gpg --batch --quiet --pinentry-mode loopback --passphrase-file '{Path.Combine(Folder, "passphrase")}' -d '{backup.Location}'";
        Shell.Run("bash", "-c", $"set -o pipefail; {decrypt} | tar xz -C '{folder}'");
        return folder;
    }

    public void Dispose()
    {
        foreach (var session in _sessions)
            session.Dispose();
        if (_sandbox is null)
        {
            foreach (var database in _databases)
                Client.Run(database, new BsonBuilder().Append("dropDatabase", 1), None);
        }

        Client.Dispose();
        _sandbox?.Dispose();
        _folder.Delete(recursive: true);
    }
}
