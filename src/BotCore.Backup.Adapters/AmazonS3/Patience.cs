namespace BotCore.Backup.Adapters.AmazonS3;

/// <summary>Ends a request that shows no sign of life for too long, or that nobody wants any more. Each byte that moves is a sign. One request.</summary>
internal sealed class Patience : IDisposable
{
    private readonly CancellationTokenSource _source;
    private readonly TimeSpan _time;

    public Patience(TimeSpan time, CancellationToken token)
    {
        _time = time;
        _source = CancellationTokenSource.CreateLinkedTokenSource(token);
        _source.CancelAfter(time);
    }

    public CancellationToken Token => _source.Token;

    /// <summary>Begins to wait anew.</summary>
    public void Sign() => _source.CancelAfter(_time);

    public void Dispose() => _source.Dispose();
}
