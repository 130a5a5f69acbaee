namespace BotCore.Backup.Engine.Archives;

/// <summary>
/// Bytes read ahead, then the stream beneath; writes go through. Leaves the stream beneath open when disposed, so that who opened it closes it.
/// </summary>
internal sealed class PassingStream(Stream inner, ReadOnlyMemory<byte> ahead = default) : ForwardStream
{
    private ReadOnlyMemory<byte> _ahead = ahead;

    public override bool CanRead => inner.CanRead;

    public override bool CanWrite => inner.CanWrite;

    public override int Read(Span<byte> buffer)
    {
        if (_ahead.IsEmpty)
            return inner.Read(buffer);
        var now = Math.Min(buffer.Length, _ahead.Length);
        _ahead.Span[..now].CopyTo(buffer);
        _ahead = _ahead[now..];
        return now;
    }

    public override void Write(ReadOnlySpan<byte> buffer) => inner.Write(buffer);

    public override void Flush() => inner.Flush();
}
