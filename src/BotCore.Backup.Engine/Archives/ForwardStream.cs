namespace BotCore.Backup.Engine.Archives;

/// <summary>A stream that goes one way, once: what the pipes of seal and unseal are made of. A part says only what it does with the bytes. Not thread-safe.</summary>
public abstract class ForwardStream : Stream
{
    private const string OneWay = "This stream goes one way, once.";

    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public sealed override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public sealed override long Length => throw new NotSupportedException(OneWay);

    /// <inheritdoc/>
    public sealed override long Position
    {
        get => throw new NotSupportedException(OneWay);
        set => throw new NotSupportedException(OneWay);
    }

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer) => throw new NotSupportedException(OneWay);

    /// <inheritdoc/>
    public sealed override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer) => throw new NotSupportedException(OneWay);

    /// <inheritdoc/>
    public sealed override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Flush()
    {
        // No part keeps bytes back that a flush could move.
    }

    /// <inheritdoc/>
    public sealed override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException(OneWay);

    /// <inheritdoc/>
    public sealed override void SetLength(long value) => throw new NotSupportedException(OneWay);
}
