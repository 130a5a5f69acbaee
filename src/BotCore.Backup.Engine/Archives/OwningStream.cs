namespace BotCore.Backup.Engine.Archives;

/// <summary>A read-only stream that disposes what stands beneath it, outermost first.</summary>
internal sealed class OwningStream(Stream top, params IDisposable[] beneath) : ForwardStream
{
    public override bool CanRead => true;

    public override int Read(Span<byte> buffer) => top.Read(buffer);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            top.Dispose();
            foreach (var below in beneath)
                below.Dispose();
        }

        base.Dispose(disposing);
    }
}
