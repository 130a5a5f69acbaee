namespace BotCore.Backup.Protocols.Sftp;

/// <summary>
/// A file read from an offset to its end, with requests ahead: one at first, and one more with each that is used up, so that a short read costs little and a long one fills the line.
/// A file that ends before its size is <see cref="SftpError.ConnectionLost"/>. One thread; Dispose closes the file.
/// </summary>
public sealed class SftpReadStream : Stream
{
    /// <summary>Bytes that are under way at most.</summary>
    internal const int Window = 4 << 20;

    private readonly SftpClient _client;
    private readonly SftpHandle _handle;
    private readonly CancellationToken _token;
    private readonly LinkedList<(long Offset, int Count, SftpPending Pending)> _ahead = [];
    private readonly int _most;
    private long _asked;
    private long _position;
    private int _wanted = 1;
    private SftpReply? _reply;
    private ReadOnlyMemory<byte> _data;
    private bool _isClosed;

    private SftpReadStream(SftpClient client, SftpHandle handle, long offset, long length, SftpPending first, CancellationToken token)
    {
        (_client, _handle, _token, FileLength, _asked, _position) = (client, handle, token, length, offset, offset);
        _most = Math.Max(2, Window / client.ReadBlock);
        if (offset < length)
            Expect(first, (int)Math.Min(client.ReadBlock, length - offset));
    }

    /// <summary>Bytes of the whole file.</summary>
    public long FileLength { get; }

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
        get => _position;
        set => throw new NotSupportedException();
    }

    /// <summary>Opens a file.</summary>
    /// <param name="client">Its connection.</param>
    /// <param name="path">The file.</param>
    /// <param name="offset">Where reading begins.</param>
    /// <param name="token">Cancels this and every read.</param>
    public static SftpReadStream Open(SftpClient client, string path, long offset, CancellationToken token)
    {
        var handle = client.Open(path, SftpOpenModes.Read, 0, token);
        try
        {
            // The first bytes are asked for before the length is known: that saves a way there and back.
            var first = client.BeginRead(handle, offset, client.ReadBlock);
            var there = client.FStat(handle, token);
            if (there.IsFolder)
                throw new SftpException(SftpError.NoSuchFile, $"'{path}' is a folder.");
            var length = there.Size ?? throw new SftpException(SftpError.Unsupported, $"The server does not say how long '{path}' is.");
            return new SftpReadStream(client, handle, offset, length, first, token);
        }
        catch
        {
            client.Forget(handle);
            throw;
        }
    }

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_isClosed, this);
        if (buffer.IsEmpty)
            return 0;
        if (_data.IsEmpty && !Next())
            return 0;
        var count = Math.Min(buffer.Length, _data.Length);
        _data.Span[..count].CopyTo(buffer);
        _data = _data[count..];
        _position += count;
        return count;
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Flush()
    {
        // Nothing is written.
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && !_isClosed)
        {
            _isClosed = true;
            _reply?.Return();
            _reply = null;
            _client.Forget(_handle);
        }

        base.Dispose(disposing);
    }

    private bool Next()
    {
        _reply?.Return();
        _reply = null;
        Ask();
        if (_ahead.First is not { Value: var (offset, count, pending) })
            return false;
        var reply = pending.Wait(_token);
        _ahead.RemoveFirst();
        if (reply.Type == SftpPacketType.Status)
        {
            SftpClient.Status(reply, _handle.Path, SftpStatus.EndOfFile);
            throw new SftpException(SftpError.ConnectionLost, FormattableString.Invariant($"'{_handle.Path}' ended at byte {offset} of {FileLength}."));
        }

        _data = SftpClient.Expect(reply, SftpPacketType.Data).Data();
        _reply = reply;
        if (_data.IsEmpty || _data.Length > _client.ReadBlock)
            throw PacketReader.Broken("an answer has not the bytes that were asked for");
        // A file that grew since its length was asked.
        if (_data.Length > count)
            _data = _data[..count];
        // A server may give less than was asked for; the rest comes before all that is asked already.
        if (_data.Length < count)
            _ahead.AddFirst((offset + _data.Length, count - _data.Length, _client.BeginRead(_handle, offset + _data.Length, count - _data.Length)));
        _wanted = Math.Min(_wanted + 1, _most);
        Ask();
        return true;
    }

    private void Ask()
    {
        while (_ahead.Count < _wanted && _asked < FileLength)
        {
            var count = (int)Math.Min(_client.ReadBlock, FileLength - _asked);
            Expect(_client.BeginRead(_handle, _asked, count), count);
        }
    }

    private void Expect(SftpPending pending, int count)
    {
        _ahead.AddLast((_asked, count, pending));
        _asked += count;
    }
}
