using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Stores.Leases;

namespace BotCore.Backup.Engine.Tests.Stores;

/// <summary>A store that takes no object whose key <paramref name="refuses"/> says; of kind Unknown it throws what no store throws.</summary>
internal sealed class FailingStore(IStore inner, Func<string, bool> refuses, FailureKind kind) : IStore
{
    public string Name => inner.Name;

    public string Location => inner.Location;

    public long? FreeSpace => inner.FreeSpace;

    public IEnumerable<StoredObject> List(string prefix, CancellationToken token) => inner.List(prefix, token);

    public StoredObject? Find(string key, CancellationToken token) => inner.Find(key, token);

    public Stream OpenRead(string key, long offset, CancellationToken token) => inner.OpenRead(key, offset, token);

    public StoreWriter Create(string key, CancellationToken token, string? runId = null) => new Writer(this, key, inner.Create(key, token, runId));

    public void Delete(string key, CancellationToken token) => inner.Delete(key, token);

    public IReadOnlyList<string> RemovePartials(string folder, Func<string, bool> isMine, CancellationToken token) => inner.RemovePartials(folder, isMine, token);

    public StoreLease AcquireLease(string folder, CancellationToken token) => kind == FailureKind.Unknown ? throw new InvalidOperationException("Broken.") : inner.AcquireLease(folder, token);

    public string Locate(string key) => inner.Locate(key);

    private sealed class Writer(FailingStore store, string key, StoreWriter inner) : StoreWriter
    {
        public override void Write(ReadOnlySpan<byte> buffer) => inner.Write(buffer);

        public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);

        public override void Flush() => inner.Flush();

        public override void Commit()
        {
            store.Demand(key);
            inner.Commit();
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                inner.Dispose();
            base.Dispose(disposing);
        }
    }

    private void Demand(string key)
    {
        // What is only said of a run, such as its intent, fits.
        if (refuses(key) && !key.EndsWith(".json", StringComparison.Ordinal) && !key.EndsWith(".intent", StringComparison.Ordinal))
            throw new BackupException(kind, $"There is no room for '{key}'.", "Make room.", key);
    }
}
