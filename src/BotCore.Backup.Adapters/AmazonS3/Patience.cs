namespace BotCore.Backup.Adapters.AmazonS3;

/// <summary>Ends a request that shows no sign of life for too long, or that nobody wants any more. Each byte that moves is a sign. One request.</summary>
internal sealed class Patience : IDisposable
{
    private const int Grain = 50;

    private readonly CancellationTokenSource _source;
    private readonly TimeSpan _time;
    private long _signed;

    public Patience(TimeSpan time, CancellationToken token)
    {
        _time = time;
        _source = CancellationTokenSource.CreateLinkedTokenSource(token);
        _source.CancelAfter(time);
    }

    public CancellationToken Token => _source.Token;

    /// <summary>Begins to wait anew.</summary>
    public void Sign()
    {
        // A timer costs more than many bytes do.
        var now = Environment.TickCount64;
        if (now - _signed < Grain)
            return;
        _signed = now;
        _source.CancelAfter(_time);
    }

    public void Dispose() => _source.Dispose();
}
