using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Stores.Leases;

namespace BotCore.Backup.Engine.Stores;

/// <summary>
/// A store whose writers and readers share one <see cref="BandwidthLimit"/>. It counts what goes in and out of the store's streams: a store that sends in chunks fills each at the allowed pace and then sends it as fast as the
/// network takes it, so that the mean is kept. Listings and other small questions are free. Disposing it disposes the store. Thread-safe where the store is.
/// </summary>
/// <param name="inner">The store.</param>
/// <param name="limit">What all its streams share; other stores may share it too.</param>
public sealed class LimitedStore(IStore inner, BandwidthLimit limit) : IStore, IDisposable
{
    /// <inheritdoc/>
    public string Name => inner.Name;

    /// <summary>The store beneath.</summary>
    internal IStore Inner => inner;

    /// <inheritdoc/>
    public string Location => inner.Location;

    /// <inheritdoc/>
    public long? FreeSpace => inner.FreeSpace;

    /// <inheritdoc/>
    public IEnumerable<StoredObject> List(string prefix, CancellationToken token) => inner.List(prefix, token);

    /// <inheritdoc/>
    public StoredObject? Find(string key, CancellationToken token) => inner.Find(key, token);

    /// <inheritdoc/>
    public Stream OpenRead(string key, long offset, CancellationToken token) => new Reader(inner.OpenRead(key, offset, token), limit, token);

    /// <inheritdoc/>
    public StoreWriter Create(string key, CancellationToken token, string? runId = null) => new Writer(inner.Create(key, token, runId), limit, token);

    /// <inheritdoc/>
    public void Delete(string key, CancellationToken token) => inner.Delete(key, token);

    /// <inheritdoc/>
    public IReadOnlyList<string> RemovePartials(string folder, Func<string, bool> isMine, CancellationToken token) => inner.RemovePartials(folder, isMine, token);

    /// <inheritdoc/>
    public StoreLease AcquireLease(string folder, CancellationToken token) => inner.AcquireLease(folder, token);

    /// <inheritdoc/>
    public string Locate(string key) => inner.Locate(key);

    /// <inheritdoc/>
    public void Dispose() => (inner as IDisposable)?.Dispose();

    private sealed class Writer(StoreWriter inner, BandwidthLimit limit, CancellationToken token) : StoreWriter
    {
        public override void Write(ReadOnlySpan<byte> buffer)
        {
            while (!buffer.IsEmpty)
            {
                var piece = Math.Min(buffer.Length, limit.Piece);
                limit.Take(piece, token);
                inner.Write(buffer[..piece]);
                buffer = buffer[piece..];
            }
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush() => inner.Flush();

        public override void Commit() => inner.Commit();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                inner.Dispose();
            base.Dispose(disposing);
        }
    }

    private sealed class Reader(Stream inner, BandwidthLimit limit, CancellationToken token) : ForwardStream
    {
        public override bool CanRead => true;

        // How much comes is known only when it is there: it is paid for afterwards.
        public override int Read(Span<byte> buffer)
        {
            var read = inner.Read(buffer[..Math.Min(buffer.Length, limit.Piece)]);
            if (read > 0)
                limit.Take(read, token);
            return read;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
