namespace BotCore.Backup.Protocols.GoogleStorage;

/// <summary>
/// The bytes of one version of an object, as they come. Throws <see cref="GoogleStorageException"/> of kind Unreachable where they end too early or stall. Read-only, forward-only; one thread.
/// Disposing it early gives the connection up rather than reading the rest.
/// </summary>
public sealed class GoogleDownload : Stream
{
    private readonly GoogleConnection _connection;
    private readonly HttpResponseMessage? _response;
    private readonly Stream _content;
    private readonly CancellationToken _token;

    internal GoogleDownload(GoogleConnection connection, HttpResponseMessage? response, long generation, CancellationToken token)
    {
        (_connection, _response, Generation, _token) = (connection, response, generation, token);
        _content = response?.Content.ReadAsStream(token) ?? Null;
    }

    /// <summary>Which version it is; 0 where nothing was left to read.</summary>
    public long Generation { get; }

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count)
    {
        using var watch = new InactivityWatch(_connection.Timeout, _token);
        try
        {
            return _content.ReadAsync(buffer.AsMemory(offset, count), watch.Token).AsTask().GetAwaiter().GetResult();
        }
        catch (Exception wrong) when (wrong is IOException or HttpRequestException or OperationCanceledException or ObjectDisposedException)
        {
            throw _connection.ToFailure(wrong, watch, _token);
        }
    }

    /// <inheritdoc/>
    public override void Flush() => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _content.Dispose();
            _response?.Dispose();
        }

        base.Dispose(disposing);
    }
}
