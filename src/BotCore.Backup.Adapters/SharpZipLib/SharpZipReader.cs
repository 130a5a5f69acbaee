using BotCore.Backup.Engine.Archives;
using ICSharpCode.SharpZipLib.BZip2;

namespace BotCore.Backup.Adapters.SharpZipLib;

/// <summary>One bzip2 stream being read; damage gets the one exception that the Engine knows.</summary>
internal sealed class SharpZipReader(BZip2InputStream inner) : ForwardStream
{
    private readonly byte[] _buffer = new byte[1 << 16];

    public override bool CanRead => true;

    public override int Read(Span<byte> buffer)
    {
        try
        {
            var read = inner.Read(_buffer, 0, Math.Min(buffer.Length, _buffer.Length));
            _buffer.AsSpan(0, read).CopyTo(buffer);
            return read;
        }
        catch (Exception damage) when (SharpZipBzip2.IsDamage(damage))
        {
            throw SharpZipBzip2.Damaged(damage);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }
}
