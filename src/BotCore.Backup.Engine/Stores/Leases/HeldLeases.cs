namespace BotCore.Backup.Engine.Stores.Leases;

/// <summary>Several leases of one store, all of them or none. One thread.</summary>
internal sealed class HeldLeases : IDisposable
{
    private readonly List<StoreLease> _leases = [];

    /// <summary>Takes them in the order of <paramref name="names"/>; where one cannot be had, what was taken is given back and what the store threw is thrown.</summary>
    public HeldLeases(IStore store, IEnumerable<string> names, CancellationToken token)
    {
        try
        {
            foreach (var name in names)
                _leases.Add(store.AcquireLease(name, token));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Throws Locked where one of them is not held any more.</summary>
    public void Demand(CancellationToken token) => _leases.ForEach(lease => lease.Demand(token));

    public void Dispose() => _leases.ForEach(lease => lease.Dispose());
}
