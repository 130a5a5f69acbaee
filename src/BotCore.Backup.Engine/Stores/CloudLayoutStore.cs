using BotCore.Backup.Engine.Stores.Leases;

namespace BotCore.Backup.Engine.Stores;

/// <summary>
/// A store in the cloud, whose archives stand under the names that the platform has there: callers use the keys of every other store. Nothing is hidden: what has no name of the platform is listed under its own.
/// Disposing it disposes the store. Thread-safe where the store is.
/// </summary>
/// <param name="inner">The store.</param>
public sealed class CloudLayoutStore(IStore inner) : IStore, IDisposable
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
    public IEnumerable<StoredObject> List(string prefix, CancellationToken token)
    {
        var listings = new List<IEnumerable<StoredObject>> { inner.List(prefix, token).Where(one => !CloudLayout.IsMoved(one.Key)) };
        foreach (var (from, to) in CloudLayout.Moves())
        {
            // Both folders hold the same names below them, so their order is the same too.
            var below = prefix.StartsWith(from, StringComparison.Ordinal) ? prefix[from.Length..] : from.StartsWith(prefix, StringComparison.Ordinal) ? "" : null;
            if (below is not null)
                listings.Add(inner.List(to + below, token).Select(one => one with { Key = CloudLayout.Map(one.Key) }).Where(one => IsIn(one.Key, from)));
        }

        return Merge(listings);
    }

    /// <inheritdoc/>
    public StoredObject? Find(string key, CancellationToken token) => inner.Find(CloudLayout.Map(key), token) is { } found ? found with { Key = key } : null;

    /// <inheritdoc/>
    public Stream OpenRead(string key, long offset, CancellationToken token) => inner.OpenRead(CloudLayout.Map(key), offset, token);

    /// <inheritdoc/>
    public StoreWriter Create(string key, CancellationToken token, string? runId = null) => inner.Create(CloudLayout.Map(key), token, runId);

    /// <inheritdoc/>
    public void Delete(string key, CancellationToken token) => inner.Delete(CloudLayout.Map(key), token);

    /// <inheritdoc/>
    public IReadOnlyList<string> RemovePartials(string folder, Func<string, bool> isMine, CancellationToken token)
    {
        var root = folder.Length == 0 ? "" : folder + "/";
        bool IsMine(string name) => CloudLayout.Map(name) is var key && key.StartsWith(root, StringComparison.Ordinal) && isMine(key);

        var removed = new List<string>(inner.RemovePartials(folder, IsMine, token));
        // Of the whole store that was all.
        if (folder.Length > 0)
        {
            foreach (var (from, to) in CloudLayout.Moves().Where(move => IsIn(root, move.From)))
                removed.AddRange(inner.RemovePartials((to + root[from.Length..]).TrimEnd('/'), IsMine, token));
        }

        return removed;
    }

    /// <summary>Leases guard keys as callers know them, whatever the objects are named.</summary>
    public StoreLease AcquireLease(string folder, CancellationToken token) => inner.AcquireLease(folder, token);

    /// <inheritdoc/>
    public string Locate(string key) => inner.Locate(CloudLayout.Map(key));

    /// <inheritdoc/>
    public void Dispose() => (inner as IDisposable)?.Dispose();

    private static bool IsIn(string key, string folder) => key.StartsWith(folder, StringComparison.Ordinal);

    private static IEnumerable<StoredObject> Merge(List<IEnumerable<StoredObject>> listings)
    {
        var open = new List<IEnumerator<StoredObject>>();
        try
        {
            foreach (var listing in listings)
            {
                var one = listing.GetEnumerator();
                open.Add(one);
                if (!one.MoveNext())
                    Close(one, open);
            }

            while (open.MinBy(one => one.Current.Key, StringComparer.Ordinal) is { } first)
            {
                yield return first.Current;
                if (!first.MoveNext())
                    Close(first, open);
            }
        }
        finally
        {
            foreach (var one in open)
                one.Dispose();
        }
    }

    private static void Close(IEnumerator<StoredObject> one, List<IEnumerator<StoredObject>> open)
    {
        open.Remove(one);
        one.Dispose();
    }
}
