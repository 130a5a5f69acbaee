using System.Buffers.Binary;

namespace BotCore.Backup.Protocols.Sftp;

/// <summary>
/// Writes to a file from its beginning on, with many requests in flight. What the server has not confirmed is kept, so that the writing can go on over another connection: <see cref="Attach"/>
/// sends it again. One thread. A call that throws has lost nothing and may be made again.
/// </summary>
public sealed class SftpUpload
{
    /// <summary>Bytes that are kept at most.</summary>
    internal const int Window = 4 << 20;

    // Length, type, id, handle, offset and the length of the data stand before the data.
    private const int Head = 4 + 1 + 4 + 4 + SftpHandle.Longest + 8 + 4;

    private readonly int _block;
    private readonly int _most;
    private readonly Queue<Chunk> _inFlight = new();
    private readonly Stack<Chunk> _free = new();
    private SftpClient _client;
    private SftpHandle _handle;
    private Chunk? _current;

    /// <summary>Begins at the beginning of an open file.</summary>
    public SftpUpload(SftpClient client, SftpHandle handle)
    {
        (_client, _handle, _block) = (client, handle, client.WriteBlock);
        _most = Math.Max(2, Window / _block);
    }

    /// <summary>Bytes that were given so far.</summary>
    public long Length { get; private set; }

    /// <summary>Bytes from the beginning on that the server has confirmed.</summary>
    public long Confirmed { get; private set; }

    /// <summary>Whether <see cref="Send"/> must be called before there is room for more.</summary>
    public bool IsFull => _current?.Count == _block;

    /// <summary>Takes as many bytes as there is room for in the current block, and says how many; sends nothing.</summary>
    public int Fill(ReadOnlySpan<byte> data)
    {
        _current ??= Begin();
        var count = Math.Min(data.Length, _block - _current.Count);
        data[..count].CopyTo(_current.Buffer.AsSpan(Head + _current.Count));
        _current.Count += count;
        Length += count;
        return count;
    }

    /// <summary>Sends the current block; waits for room in flight first.</summary>
    public void Send(CancellationToken token)
    {
        if (_current is not { Count: > 0 } chunk)
            return;
        while (_inFlight.Count >= _most || (_inFlight.TryPeek(out var oldest) && oldest.Pending!.IsDone))
            Confirm(token);
        chunk.Pending = _client.BeginSend(chunk.Packet(_handle));
        _inFlight.Enqueue(chunk);
        _current = null;
    }

    /// <summary>Sends what is left, and waits until the server has confirmed all.</summary>
    public void Finish(CancellationToken token)
    {
        Send(token);
        while (_inFlight.Count > 0)
            Confirm(token);
    }

    /// <summary>
    /// Goes on over another connection, on the same file: what was not confirmed is sent again to where it belongs. Fails with <see cref="SftpError.Protocol"/> where the file has fewer bytes than the
    /// server had confirmed, since then nobody knows what it holds.
    /// </summary>
    public void Attach(SftpClient client, SftpHandle handle, CancellationToken token)
    {
        var size = client.FStat(handle, token).Size;
        if (size < Confirmed)
            throw new SftpException(SftpError.Protocol, FormattableString.Invariant($"'{handle.Path}' has {size} bytes, and the server had confirmed {Confirmed}."));
        if (client.WriteBlock < _block)
            throw new SftpException(SftpError.Protocol, "The server takes smaller blocks than before.");
        (_client, _handle) = (client, handle);
        foreach (var chunk in _inFlight)
            chunk.Pending = client.BeginSend(chunk.Packet(handle));
    }

    private Chunk Begin()
    {
        var chunk = _free.TryPop(out var used) ? used : new Chunk(Head + _block);
        (chunk.Offset, chunk.Count, chunk.Pending) = (Length, 0, null);
        return chunk;
    }

    private void Confirm(CancellationToken token)
    {
        var oldest = _inFlight.Peek();
        SftpClient.Check(oldest.Pending!, _handle.Path, token);
        _inFlight.Dequeue();
        Confirmed = oldest.Offset + oldest.Count;
        _free.Push(oldest);
    }

    private sealed class Chunk(int size)
    {
        public byte[] Buffer { get; } = GC.AllocateUninitializedArray<byte>(size);

        public long Offset { get; set; }

        public int Count { get; set; }

        public SftpPending? Pending { get; set; }

        // The head is as long as the handle wants it and ends where the data begins.
        public ArraySegment<byte> Packet(SftpHandle handle)
        {
            var start = Head - (4 + 1 + 4 + 4 + handle.Value.Length + 8 + 4);
            var head = Buffer.AsSpan(start, Head - start);
            BinaryPrimitives.WriteInt32BigEndian(head, head.Length - 4 + Count);
            head[4] = (byte)SftpPacketType.Write;
            BinaryPrimitives.WriteInt32BigEndian(head[9..], handle.Value.Length);
            handle.Value.CopyTo(head[13..]);
            BinaryPrimitives.WriteInt64BigEndian(head[(13 + handle.Value.Length)..], Offset);
            BinaryPrimitives.WriteInt32BigEndian(head[^4..], Count);
            return new ArraySegment<byte>(Buffer, start, head.Length + Count);
        }
    }
}
