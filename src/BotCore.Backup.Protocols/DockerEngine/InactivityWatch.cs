namespace BotCore.Backup.Protocols.DockerEngine;

/// <summary>Cancels what has not moved for too long. For one request, or one read.</summary>
internal sealed class InactivityWatch : IDisposable
{
    private readonly CancellationTokenSource _source;
    private readonly TimeSpan _limit;

    public InactivityWatch(TimeSpan limit, CancellationToken outer)
    {
        _limit = limit;
        _source = CancellationTokenSource.CreateLinkedTokenSource(outer);
        Touch();
    }

    /// <summary>Cancelled by the caller, or when nothing moved.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>Something moved.</summary>
    public void Touch() => _source.CancelAfter(_limit);

    public void Dispose() => _source.Dispose();
}
