namespace BotCore.Backup.Engine.Stores;

/// <summary>So many bytes a second for everybody who shares it: a bucket of tokens that holds a quarter of a second. Who comes first is served first. Thread-safe.</summary>
public sealed class BandwidthLimit
{
    private const int BurstsPerSecond = 4;
    private const int MostPiece = 64 * 1024;

    private readonly double _bytesPerTick;
    private readonly long _burstTicks;
    private readonly TimeProvider _clock;
    private readonly Lock _gate = new();
    private readonly long _began;
    private double _paidUntil;

    /// <summary>Allows <paramref name="bytesPerSecond"/> by <paramref name="clock"/>.</summary>
    public BandwidthLimit(long bytesPerSecond, TimeProvider? clock = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytesPerSecond, 1);
        _clock = clock ?? TimeProvider.System;
        BytesPerSecond = bytesPerSecond;
        _bytesPerTick = (double)bytesPerSecond / TimeSpan.TicksPerSecond;
        _burstTicks = TimeSpan.TicksPerSecond / BurstsPerSecond;
        _began = _clock.GetTimestamp();
        _paidUntil = -_burstTicks;
        Piece = (int)Math.Clamp(bytesPerSecond / BurstsPerSecond, 1, MostPiece);
    }

    /// <summary>The limit.</summary>
    public long BytesPerSecond { get; }

    /// <summary>Bytes that are best moved at once, so that many get on evenly.</summary>
    public int Piece { get; }

    /// <summary>Waits until <paramref name="count"/> bytes may be moved, or have been.</summary>
    public void Take(int count, CancellationToken token)
    {
        token.ThrowIfCancellationRequested();
        double wait;
        lock (_gate)
        {
            var now = _clock.GetElapsedTime(_began).Ticks;
            // What was not used for longer than the bucket holds is lost.
            _paidUntil = Math.Max(_paidUntil, now - _burstTicks) + (count / _bytesPerTick);
            wait = _paidUntil - now;
        }

        if (wait > 0)
            Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(wait / TimeSpan.TicksPerMillisecond)), _clock, token).GetAwaiter().GetResult();
    }
}
