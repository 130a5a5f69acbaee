namespace BotCore.Backup.Engine.Stores.Leases;

/// <summary>The right of one run to make and remove archives of one kind in a store. Disposing gives it back. Thread-safe.</summary>
public abstract class StoreLease : IDisposable
{
    /// <summary>
    /// Throws Locked where this run does not hold it any more. Asked right before what only its holder may do: a run that was cut off for too long must not publish beside the one that took over.
    /// </summary>
    public abstract void Demand(CancellationToken token);

    /// <summary>Gives the lease back; never throws what the store says to that, since a lease that is not given back goes stale.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <inheritdoc cref="Dispose()"/>
    protected abstract void Dispose(bool disposing);
}
