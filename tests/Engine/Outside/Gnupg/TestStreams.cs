namespace BotCore.Backup.Engine.Tests.Outside.Gnupg;

/// <summary>A stream of the caller that fails, waits or is slow where the test says so.</summary>
internal sealed class ScriptedStream(Func<byte[], int, int, int> act) : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(byte[] buffer, int offset, int count) => act(buffer, offset, count);

    public override void Write(byte[] buffer, int offset, int count) => act(buffer, offset, count);

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
