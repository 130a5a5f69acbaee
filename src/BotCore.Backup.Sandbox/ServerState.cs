using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Commands;
using BotCore.Backup.Sandbox.Oplog;
using BotCore.Backup.Sandbox.Sessions;
using BotCore.Backup.Sandbox.Storage;

namespace BotCore.Backup.Sandbox;

/// <summary>All that one server is, behind its connections. <see cref="Lock"/> guards store and oplog: readers share, a writer is alone.</summary>
internal sealed class ServerState : IDisposable
{
    private readonly object _grown = new();
    private long _version;
    private volatile bool _isStopping;

    public ServerState(SandboxOptions options)
    {
        Options = options;
        Store = new DataStore(options.MemoryCap);
        Clock = new OplogClock(options.Time);
        Oplog = new OplogLog(this);
        Catalog = new Catalog(this);
        Transactions = new TransactionTable(this);
        Logins = new Logins(this);
    }

    public SandboxOptions Options { get; }

    public ReaderWriterLockSlim Lock { get; } = new(LockRecursionPolicy.NoRecursion);

    public DataStore Store { get; }

    public OplogClock Clock { get; }

    public OplogLog Oplog { get; }

    public Catalog Catalog { get; }

    public CursorTable Cursors { get; } = new();


    public TransactionTable Transactions { get; }

    public Logins Logins { get; }

    public FaultCounter Faults { get; } = new();

    public string Address { get; set; } = "";

    /// <summary>Where majority reads of the oplog end; null is the newest entry.</summary>
    public BsonTimestamp? MajorityHold { get; set; }

    public BsonTimestamp Majority => MajorityHold is { } held && held < Oplog.Newest ? held : Oplog.Newest;

    public bool IsStopping => _isStopping;

    public long Version => Interlocked.Read(ref _version);

    /// <summary>Wakes those who wait at the end of a capped collection. Called after each write, outside of the lock.</summary>
    public void SayGrown()
    {
        lock (_grown)
        {
            Interlocked.Increment(ref _version);
            Monitor.PulseAll(_grown);
        }
    }

    /// <summary>Waits until something was written after <paramref name="seen"/>, or the time is up.</summary>
    public bool AwaitGrowth(long seen, TimeSpan most)
    {
        var until = Environment.TickCount64 + (long)most.TotalMilliseconds;
        lock (_grown)
        {
            while (Version == seen && !_isStopping)
            {
                var left = until - Environment.TickCount64;
                if (left <= 0 || !Monitor.Wait(_grown, TimeSpan.FromMilliseconds(left)))
                    return Version != seen;
            }
            // A server that stops grows no more: who waits on would spin.
            return !_isStopping;
        }
    }

    public T Read<T>(Func<T> work)
    {
        Lock.EnterReadLock();
        try
        {
            return work();
        }
        finally
        {
            Lock.ExitReadLock();
        }
    }

    public T Write<T>(Func<T> work)
    {
        Lock.EnterWriteLock();
        try
        {
            return work();
        }
        finally
        {
            Lock.ExitWriteLock();
            SayGrown();
        }
    }

    public void Stop()
    {
        _isStopping = true;
        SayGrown();
    }

    public void Dispose() => Lock.Dispose();
}
