namespace BotCore.Backup.Protocols.GoogleStorage;

/// <summary>Cancels what has not moved for too long. For one request, or one read.</summary>
internal sealed class InactivityWatch : IDisposable
{
    private readonly CancellationTokenSource _source;
    private readonly CancellationToken _outer;
    private readonly TimeSpan _limit;

    public InactivityWatch(TimeSpan limit, CancellationToken outer)
    {
        (_limit, _outer) = (limit, outer);
        _source = CancellationTokenSource.CreateLinkedTokenSource(outer);
        Touch();
    }

    /// <summary>Cancelled by the caller, or when nothing moved.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>Whether it was the silence, and not the caller, that cancelled.</summary>
    public bool HasStalled => _source.IsCancellationRequested && !_outer.IsCancellationRequested;

    /// <summary>Something moved.</summary>
    public void Touch() => _source.CancelAfter(_limit);

    public void Dispose() => _source.Dispose();
}
