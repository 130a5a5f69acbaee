using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores.Leases;

namespace BotCore.Backup.Engine.Stores;

/// <summary>A store that remembers which failures were its own: one that fails must not be taken for a source that does. Thread-safe where the store is.</summary>
internal sealed class WatchedStore(IStore inner) : IStore
{
    private readonly Lock _gate = new();
    private readonly List<Failure> _thrown = [];

    public string Name => inner.Name;

    public string Location => inner.Location;

    public long? FreeSpace => Watch(() => inner.FreeSpace);

    /// <summary>Whether <paramref name="failure"/> came out of this store.</summary>
    public bool Threw(Failure failure)
    {
        lock (_gate)
            return _thrown.Exists(thrown => ReferenceEquals(thrown, failure));
    }

    public IEnumerable<StoredObject> List(string prefix, CancellationToken token)
    {
        using var objects = Watch(() => inner.List(prefix, token).GetEnumerator());
        while (Watch(objects.MoveNext))
            yield return objects.Current;
    }

    public StoredObject? Find(string key, CancellationToken token) => Watch(() => inner.Find(key, token));

    // A read that fails half-way is a proof that fails, and says which store it is of.
    public Stream OpenRead(string key, long offset, CancellationToken token) => Watch(() => inner.OpenRead(key, offset, token));

    public StoreWriter Create(string key, CancellationToken token, string? runId = null) => Watch(() => new Writer(this, inner.Create(key, token, runId)));

    public void Delete(string key, CancellationToken token) => Watch(() => inner.Delete(key, token));

    public IReadOnlyList<string> RemovePartials(string folder, Func<string, bool> isMine, CancellationToken token) => Watch(() => inner.RemovePartials(folder, isMine, token));

    public StoreLease AcquireLease(string folder, CancellationToken token) => Watch(() => new Lease(this, inner.AcquireLease(folder, token)));

    public string Locate(string key) => inner.Locate(key);

    private void Watch(Action action) => Watch(() =>
    {
        action();
        return true;
    });

    private T Watch<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (BackupException wrong)
        {
            lock (_gate)
                _thrown.Add(wrong.Failure);
            throw;
        }
    }

    private sealed class Writer(WatchedStore store, StoreWriter inner) : StoreWriter
    {
        public override void Write(ReadOnlySpan<byte> buffer)
        {
            try
            {
                inner.Write(buffer);
            }
            catch (BackupException wrong)
            {
                lock (store._gate)
                    store._thrown.Add(wrong.Failure);
                throw;
            }
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush() => store.Watch(inner.Flush);

        public override void Commit() => store.Watch(inner.Commit);

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                inner.Dispose();
            base.Dispose(disposing);
        }
    }

    private sealed class Lease(WatchedStore store, StoreLease inner) : StoreLease
    {
        public override void Demand(CancellationToken token) => store.Watch(() => inner.Demand(token));

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                inner.Dispose();
        }
    }
}
