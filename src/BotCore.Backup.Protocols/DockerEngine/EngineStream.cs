namespace BotCore.Backup.Protocols.DockerEngine;

/// <summary>The body of an answer, as it comes. Throws <see cref="DockerEngineException"/> where it breaks or stalls. Read-only, forward-only; one thread.</summary>
internal sealed class EngineStream : Stream
{
    private readonly EngineConnection _connection;
    private readonly HttpResponseMessage _response;
    private readonly Stream _content;
    private readonly string _what;
    private readonly CancellationToken _token;

    public EngineStream(EngineConnection connection, HttpResponseMessage response, string what, CancellationToken token)
    {
        (_connection, _response, _what, _token) = (connection, response, what, token);
        _content = response.Content.ReadAsStream(token);
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        using var watch = new InactivityWatch(_connection.Timeout, _token);
        try
        {
            return _content.ReadAsync(buffer.AsMemory(offset, count), watch.Token).AsTask().GetAwaiter().GetResult();
        }
        catch (Exception wrong) when (EngineConnection.IsOfConnection(wrong))
        {
            throw _connection.ToFailure(wrong, _what, _token);
        }
    }

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _content.Dispose();
            _response.Dispose();
        }

        base.Dispose(disposing);
    }
}
