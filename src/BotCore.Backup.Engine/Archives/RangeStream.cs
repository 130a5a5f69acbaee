namespace BotCore.Backup.Engine.Archives;

/// <summary>The next so many bytes of a stream, each counted; owns the stream beneath. Read-only.</summary>
internal sealed class RangeStream(Stream inner, long length, Action<int> counted) : ForwardStream
{
    private long _left = length;

    public override bool CanRead => true;

    public override int Read(Span<byte> buffer)
    {
        var read = inner.Read(buffer[..(int)Math.Min(buffer.Length, _left)]);
        _left -= read;
        counted(read);
        return read;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }
}
