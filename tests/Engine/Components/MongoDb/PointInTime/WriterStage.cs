using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.PointInTime;

/// <summary>
/// A server, a writer on a thread of its own, and the product's own doors. While a backup runs, the writer is given steps at each command with which the server is read: so
/// it surely changes what is read at that moment, and does no more than its number of steps.
/// </summary>
internal sealed class WriterStage : IDisposable
{
    private readonly MongoPlatform _mongo;
    private readonly Thread _thread;
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _given = new(0);
    private readonly ManualResetEventSlim _idle = new(initialState: true);
    private Exception? _failure;
    private int _open;
    private int _during;
    private bool _stops;
    private BsonTimestamp _covered;

    public WriterStage(int seed)
    {
        var real = Environment.GetEnvironmentVariable("BOTBACKUP_TEST_MONGODB") is { Length: > 0 };
        _mongo = real ? new MongoPlatform() : new MongoPlatform(new SandboxOptions { TransactionEntryBytes = 400, Fault = (command, space, _) => Interrupt(command, space) });
        Run = new WriterRun(_mongo, seed, prepares: !real);
        Session = _mongo.Session(_mongo.Uri, encrypted: false);
        _thread = new Thread(Work) { IsBackground = true, Name = "Writer" };
        _thread.Start();
    }

    public WriterRun Run { get; }

    public BackupSession Session { get; }

    private SandboxServer Sandbox => _mongo.Sandbox;

    /// <summary>Lets the writer do so many steps, and waits for them.</summary>
    public void Write(int steps)
    {
        Give(steps);
        _idle.Wait();
        if (_failure is { } failure)
            throw new InvalidOperationException("The writer failed: " + failure.Message, failure);
    }

    /// <summary>A backup that must succeed, with so many of the writer's steps in it at the least.</summary>
    public BotBackup BackUp(BackupType type, int during)
    {
        Volatile.Write(ref _during, during);
        var failures = new List<BackupEvent>();
        var request = new BackupRequest { Components = [Component.MongoDb], Type = type };
        var steps = BackupPlanner.Plan(Session, request, failure => failures.Add(new Failed(failure)), CancellationToken.None);
        var made = Workplace.Item<BotBackup>([.. failures, .. BackupRunner.Run(Session, steps, CancellationToken.None).ToBlockingEnumerable()]);
        Write(Interlocked.Exchange(ref _during, 0));
        _covered = BsonTimestamp.TryParse(made.Oplog!.End!, out var end) ? end : default;
        return made;
    }

    /// <summary>Lets the server's majority have the first entries of a transaction only, until <see cref="Release"/>: a slice ends there. Only where there is such a transaction that is not in a backup yet.</summary>
    public void CutTransaction()
    {
        if (!_mongo.IsSandbox)
            return;
        if (Run.Entries().LastOrDefault(entry => entry.IsPartial && entry.Time > _covered) is { } partial)
            Sandbox.MajorityLag = partial.Time;
    }

    /// <summary>Lets the majority have everything again.</summary>
    public void Release()
    {
        if (_mongo.IsSandbox)
            Sandbox.MajorityLag = null;
    }

    /// <summary>Restores into a server of its own, and gives what it holds then.</summary>
    public IReadOnlyList<string> Restore(BotBackup backup, Engine.Restores.PointInTime? moment)
    {
        using var server = new SandboxServer();
        var request = new RestoreRequest { Server = SecretUri.WithPassword(server.ConnectionString), PointInTime = moment, NoSnapshot = true };
        Workplace.Item<BotBackupRestore>(MongoPlatform.RunRestore(Session, backup, request));
        using var client = MongoClient.Connect(MongoConnectionString.Parse(server.ConnectionString), new MongoClientOptions { RequirePrimary = true }, CancellationToken.None);
        return Run.Picture(client);
    }

    public void Dispose()
    {
        Volatile.Write(ref _stops, value: true);
        _given.Release();
        _thread.Join();
        _mongo.Dispose();
        _given.Dispose();
        _idle.Dispose();
    }

    // The writer itself only writes: a find is the backup's.
    private SandboxFault? Interrupt(string command, string space)
    {
        if (command is not ("find" or "getMore" or "listCollections" or "listIndexes") || space.StartsWith("local.", StringComparison.Ordinal))
            return null;
        if (Interlocked.Add(ref _during, -3) < 0)
        {
            Interlocked.Add(ref _during, 3);
            return null;
        }

        Give(3);
        _idle.Wait();
        return null;
    }

    private void Give(int steps)
    {
        if (steps <= 0)
            return;
        lock (_lock)
        {
            _open += steps;
            _idle.Reset();
        }

        _given.Release(steps);
    }

    private void Work()
    {
        while (true)
        {
            _given.Wait();
            if (Volatile.Read(ref _stops))
                return;
            try
            {
                if (_failure is null)
                    Run.Writer.Step();
            }
            catch (Exception failure)
            {
                _failure = failure;
            }

            lock (_lock)
            {
                if (--_open == 0)
                    _idle.Set();
            }
        }
    }
}
