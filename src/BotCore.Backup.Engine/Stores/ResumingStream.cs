using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Stores;

/// <summary>
/// An object of a store behind a network, read on where the connection broke: <paramref name="open"/> opens it anew at the offset that was reached. The streams it gives throw StoreUnreachable where they end too early.
/// The tries are counted anew with every byte that comes. Read-only; one thread.
/// </summary>
/// <param name="open">Opens the object at an offset.</param>
/// <param name="offset">Where reading begins.</param>
/// <param name="retry">How often, and with which pauses.</param>
/// <param name="token">Cancels waiting.</param>
public sealed class ResumingStream(Func<long, Stream> open, long offset, StoreRetry retry, CancellationToken token) : ForwardStream
{
    private Stream? _inner = retry.Run(() => open(offset), token);
    private long _offset = offset;
    private int _failures;

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        while (true)
        {
            token.ThrowIfCancellationRequested();
            try
            {
                _inner ??= open(_offset);
                var read = _inner.Read(buffer);
                _offset += read;
                _failures = 0;
                return read;
            }
            catch (BackupException passing) when (passing.Failure.Kind == FailureKind.StoreUnreachable && ++_failures < retry.Attempts)
            {
                _inner?.Dispose();
                _inner = null;
                retry.Pause(_failures, token, passing.RetryAfter);
            }
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _inner?.Dispose();
        base.Dispose(disposing);
    }
}
