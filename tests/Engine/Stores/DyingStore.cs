using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Stores.Leases;

namespace BotCore.Backup.Engine.Tests.Stores;

/// <summary>The process dies: nothing that comes after is done any more, clean-up included.</summary>
internal sealed class ProcessDied : Exception;

/// <summary>A store whose process dies at a chosen moment: before or after one of its operations, or in the midst of a write.</summary>
internal sealed class DyingStore(IStore inner, int lastMoment) : IStore, IDisposable
{
    private readonly List<IDisposable> _leases = [];

    public string Name => inner.Name;

    public string Location => inner.Location;

    public long? FreeSpace => inner.FreeSpace;

    /// <summary>Moments so far; those of a run that lived are all there are.</summary>
    public int Moments { get; private set; }

    public bool IsDead => Moments >= lastMoment;

    public IEnumerable<StoredObject> List(string prefix, CancellationToken token) => Do(() => inner.List(prefix, token).ToList());

    public StoredObject? Find(string key, CancellationToken token) => Do(() => inner.Find(key, token));

    public Stream OpenRead(string key, long offset, CancellationToken token) => Do(() => inner.OpenRead(key, offset, token));

    public StoreWriter Create(string key, CancellationToken token, string? runId = null) => Do(() => new Writer(this, inner.Create(key, token, runId)));

    public void Delete(string key, CancellationToken token) => Do(() => inner.Delete(key, token));

    public IReadOnlyList<string> RemovePartials(string folder, Func<string, bool> isMine, CancellationToken token) => Do(() => inner.RemovePartials(folder, isMine, token));

    public StoreLease AcquireLease(string folder, CancellationToken token) => Do(() =>
    {
        var lease = inner.AcquireLease(folder, token);
        _leases.Add(lease);
        return lease;
    });

    public string Locate(string key) => inner.Locate(key);

    /// <summary>What the system does for a dead process.</summary>
    public void Dispose() => _leases.ForEach(lease => lease.Dispose());

    private void Do(Action action) => Do(() =>
    {
        action();
        return true;
    });

    private T Do<T>(Func<T> action)
    {
        Pass();
        var result = action();
        Pass();
        return result;
    }

    private void Pass()
    {
        if (IsDead || ++Moments >= lastMoment)
            throw new ProcessDied();
    }

    private sealed class Writer(DyingStore store, StoreWriter inner) : StoreWriter
    {
        public override void Write(ReadOnlySpan<byte> buffer)
        {
            store.Pass();
            inner.Write(buffer[..(buffer.Length / 2)]);
            store.Pass();
            inner.Write(buffer[(buffer.Length / 2)..]);
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush()
        {
            if (!store.IsDead)
                inner.Flush();
        }

        public override void Commit() => store.Do(inner.Commit);

        protected override void Dispose(bool disposing)
        {
            if (disposing && !store.IsDead)
                inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
