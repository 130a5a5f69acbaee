namespace BotCore.Backup.Sandbox.Wire;

/// <summary>Passes bytes on, and breaks off or waits in the middle of an answer where a test asked for that.</summary>
internal sealed class FaultStream(Stream to) : Stream
{
    private SandboxFault? _fault;
    private long _left;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>For the next answer: the fault comes after that many bytes.</summary>
    public void Arm(SandboxFault? fault, int bytes)
    {
        _fault = fault is { Moment: SandboxFaultMoment.WithinReply } ? fault : null;
        _left = bytes;
    }

    public override void Flush() => to.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (_fault is null || buffer.Length <= _left)
        {
            _left -= buffer.Length;
            to.Write(buffer);
            return;
        }

        to.Write(buffer[..(int)_left]);
        to.Flush();
        var fault = _fault;
        _fault = null;
        if (fault.Kind == SandboxFaultKind.CloseConnection)
            throw new IOException("A fault that a test asked for.");
        fault.Gate?.Wait();
        to.Write(buffer[(int)_left..]);
    }
}
