using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Stores.Leases;
using BotCore.Backup.Protocols.GoogleStorage;

namespace BotCore.Backup.Engine.Stores.Gcs;

/// <summary>
/// A bucket of Google Cloud Storage, or what stands below a prefix in it. An object is written only where there is none (<c>ifGenerationMatch=0</c>), becomes visible when it is whole, and its CRC-32C as the server computed it is
/// compared with the one of what was sent. Reads stay with the version they began with. Leases are objects whose generations are their fence. Thread-safe.
/// </summary>
public sealed class GcsStore : IStore, IDisposable
{
    /// <summary>Where the store keeps what is no backup.</summary>
    private const string Hidden = ".botbackup/";

    /// <summary>The note of the run beside an object.</summary>
    internal const string RunMetadata = "botbackup-run";

    // From here on the order of UTF-16, which keys are listed in, is another than that of UTF-8, which the server lists in.
    private const char FirstOutOfOrder = '\uE000';

    private readonly GcsOptions _options;
    private readonly GcsBucket _bucket;

    /// <summary>Does not connect yet.</summary>
    /// <param name="options">Where and how.</param>
    /// <param name="name">The store's word in settings.</param>
    public GcsStore(GcsOptions options, string name = "gcs")
    {
        Name = name;
        _options = options;
        _bucket = new GcsBucket(options);
        LockObjects = new GcsLockObjects(_bucket);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public string Location => _bucket.Location;

    /// <inheritdoc/>
    public long? FreeSpace => null;

    /// <summary>What leases are made of.</summary>
    public ILockObjects LockObjects { get; }

    /// <inheritdoc/>
    public IEnumerable<StoredObject> List(string prefix, CancellationToken token)
    {
        using var objects = Visible(prefix, token).GetEnumerator();
        while (objects.MoveNext())
        {
            if (objects.Current.Key.AsSpan().ContainsAnyInRange(FirstOutOfOrder, char.MaxValue))
            {
                foreach (var one in Rest(objects).OrderBy(one => one.Key, StringComparer.Ordinal))
                    yield return one;
                yield break;
            }

            yield return objects.Current;
        }
    }

    /// <inheritdoc/>
    public StoredObject? Find(string key, CancellationToken token)
    {
        var name = _bucket.ObjectOf(key);
        return _bucket.Run(key, () => _bucket.Client.Get(_bucket.Name, name, token), token) is { } found
            ? new StoredObject(key, found.Size) { RunId = found.Metadata.GetValueOrDefault(RunMetadata) }
            : null;
    }

    /// <inheritdoc/>
    public Stream OpenRead(string key, long offset, CancellationToken token)
    {
        var name = _bucket.ObjectOf(key);
        // Whatever else is written there meanwhile: bytes of two versions never come in one stream.
        long? generation = null;
        return new ResumingStream(from => _bucket.Once(key, () =>
        {
            var download = _bucket.Client.Download(_bucket.Name, name, from, generation, token);
            if (download.Generation > 0)
                generation ??= download.Generation;
            return new Reader(_bucket, key, download, token);
        }, token), offset, _options.Retry, token);
    }

    /// <inheritdoc/>
    public StoreWriter Create(string key, CancellationToken token, string? runId = null) => new GcsStoreWriter(_bucket, _options, key, runId, token);

    /// <inheritdoc/>
    public void Delete(string key, CancellationToken token)
    {
        var name = _bucket.ObjectOf(key);
        _bucket.Run<object>(key, () => _bucket.Client.Delete(_bucket.Name, name, null, token), token);
    }

    /// <summary>Removes nothing: an upload that was never finished cannot be seen by anybody, not listed either, and Google removes it after a week.</summary>
    public IReadOnlyList<string> RemovePartials(string folder, Func<string, bool> isMine, CancellationToken token) => [];

    /// <inheritdoc/>
    public StoreLease AcquireLease(string folder, CancellationToken token) =>
        LockObjectLease.Acquire(LockObjects, $"{Hidden}{folder}.lease", Location, token, _options.Leases, _options.Clock);

    /// <inheritdoc/>
    public string Locate(string key)
    {
        _bucket.ObjectOf(key);
        return key.Length == 0 ? Location : $"{Location}/{key}";
    }

    /// <inheritdoc/>
    public void Dispose() => _bucket.Dispose();

    private IEnumerable<StoredObject> Visible(string prefix, CancellationToken token)
    {
        string? next = null;
        do
        {
            var page = next;
            var part = _bucket.Demand(prefix, () => _bucket.Client.List(_bucket.Name, _bucket.PrefixOf(prefix), page, _options.PageSize, token), token);
            foreach (var one in part.Objects)
            {
                token.ThrowIfCancellationRequested();
                var key = _bucket.KeyOf(one.Name);
                // A name that ends in a slash is what consoles make for an empty folder.
                if (!key.StartsWith(Hidden, StringComparison.Ordinal) && (one.Size > 0 || !key.EndsWith('/')))
                    yield return new StoredObject(key, one.Size);
            }

            next = part.NextPage;
        }
        while (next is not null);
    }

    private static IEnumerable<StoredObject> Rest(IEnumerator<StoredObject> objects)
    {
        do
            yield return objects.Current;
        while (objects.MoveNext());
    }

    // A download whose failures are the engine's.
    private sealed class Reader(GcsBucket bucket, string key, GoogleDownload download, CancellationToken token) : ForwardStream
    {
        public override bool CanRead => true;

        public override int Read(Span<byte> buffer)
        {
            token.ThrowIfCancellationRequested();
            try
            {
                return download.Read(buffer);
            }
            catch (GoogleStorageException wrong)
            {
                throw bucket.ToFailure(key, wrong);
            }
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                download.Dispose();
            base.Dispose(disposing);
        }
    }
}
