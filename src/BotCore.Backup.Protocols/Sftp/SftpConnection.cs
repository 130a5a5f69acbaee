using System.Buffers;
using System.Buffers.Binary;

namespace BotCore.Backup.Protocols.Sftp;

/// <summary>
/// Packets over a pair of streams: many requests in flight, told apart by their ids. One thread writes, one reads, and a timer notices that nothing moves. When one of them fails, all that
/// is in flight fails and the streams are torn down. Thread-safe.
/// </summary>
internal sealed class SftpConnection : IDisposable
{
    /// <summary>OpenSSH's own limit is 256 KiB; some servers list large folders in larger packets.</summary>
    internal const int LongestPacket = 1 << 20;

    private const int SmallReply = 4096;
    private static readonly TimeSpan ThreadLimit = TimeSpan.FromSeconds(5);

    private readonly ISftpTransport _transport;
    private readonly TimeSpan _stallTimeout;
    private readonly TimeSpan _slowTimeout;
    private readonly Lock _gate = new();
    private readonly Dictionary<uint, SftpPending> _pending = [];
    private readonly Queue<ArraySegment<byte>> _toSend = new();
    private readonly SemaphoreSlim _sendable = new(0);
    private readonly Thread _reader;
    private readonly Thread _writer;
    private readonly Timer _watch;
    private SftpPending? _version;
    private SftpException? _failure;
    private long _lastMove;
    private uint _nextId;
    private int _slow;
    private bool _isEstablished;

    public SftpConnection(ISftpTransport transport, TimeSpan stallTimeout, TimeSpan slowTimeout)
    {
        (_transport, _stallTimeout, _slowTimeout) = (transport, stallTimeout, slowTimeout);
        _lastMove = Environment.TickCount64;
        _reader = new Thread(Receive) { IsBackground = true, Name = "sftp answers" };
        _writer = new Thread(Transmit) { IsBackground = true, Name = "sftp requests" };
        _reader.Start();
        _writer.Start();
        var period = TimeSpan.FromTicks(Math.Clamp(stallTimeout.Ticks / 8, TimeSpan.FromMilliseconds(20).Ticks, TimeSpan.FromSeconds(5).Ticks));
        _watch = new Timer(static state => ((SftpConnection)state!).Look(), this, period, period);
    }

    /// <summary>Whether it must not be used any more.</summary>
    public bool IsBroken
    {
        get
        {
            lock (_gate)
                return _failure is not null;
        }
    }

    /// <summary>Says INIT; the answer is the VERSION packet, whole.</summary>
    public SftpPending Greet(uint version)
    {
        var packet = new PacketWriter(SftpPacketType.Init, 16).Finish();
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(PacketWriter.IdOffset), version);
        lock (_gate)
        {
            ThrowIfBroken();
            _version = new SftpPending(this, isSlow: false);
            Enqueue(packet);
            return _version;
        }
    }

    /// <summary>Sends a request, whose buffer must stay as it is until the answer has come or the connection is disposed of. Never blocks.</summary>
    public SftpPending Send(ArraySegment<byte> packet, bool isSlow = false)
    {
        var pending = new SftpPending(this, isSlow);
        lock (_gate)
        {
            ThrowIfBroken();
            var id = _nextId++;
            BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(PacketWriter.IdOffset), id);
            if (_pending.Count == 0)
                Volatile.Write(ref _lastMove, Environment.TickCount64);
            _pending.Add(id, pending);
            if (isSlow)
                _slow++;
            Enqueue(packet);
        }

        return pending;
    }

    /// <summary>Why it broke, as an exception of its own for who throws it.</summary>
    public SftpException Failure()
    {
        lock (_gate)
            return _failure is { } first ? new SftpException(first.Error, first.Message, first) { Words = first.Words } : new SftpException(SftpError.ConnectionLost, "The connection was closed.");
    }

    /// <summary>Ends it for the reason given; the first reason stands.</summary>
    public void Fail(SftpException reason)
    {
        SftpPending[] waiting;
        lock (_gate)
        {
            if (_failure is not null)
                return;
            _failure = reason;
            waiting = [.. _pending.Values];
            _pending.Clear();
            _toSend.Clear();
            if (_version is { } version)
                waiting = [.. waiting, version];
        }

        _sendable.Release();
        _transport.Abort();
        foreach (var pending in waiting)
            pending.Fail(reason);
    }

    /// <summary>The login is through: what breaks now was a connection.</summary>
    public void Establish() => _isEstablished = true;

    /// <inheritdoc/>
    public void Dispose()
    {
        _watch.Dispose();
        // In order, where nothing is under way: the server sees the end of its input and closes.
        if (!IsBroken)
            _transport.Close();
        Fail(new SftpException(SftpError.ConnectionLost, "The connection was closed."));
        _reader.Join(ThreadLimit);
        _writer.Join(ThreadLimit);
        _transport.Dispose();
        _sendable.Dispose();
    }

    private void ThrowIfBroken()
    {
        if (_failure is not null)
            throw Failure();
    }

    private void Enqueue(ArraySegment<byte> packet)
    {
        _toSend.Enqueue(packet);
        _sendable.Release();
    }

    private void Transmit()
    {
        try
        {
            while (true)
            {
                _sendable.Wait();
                ArraySegment<byte> packet;
                lock (_gate)
                {
                    if (_failure is not null)
                        return;
                    packet = _toSend.Dequeue();
                }

                _transport.ToServer.Write(packet);
                Volatile.Write(ref _lastMove, Environment.TickCount64);
            }
        }
        catch (Exception broken)
        {
            Fail(_transport.Explain(_isEstablished, broken));
        }
    }

    private void Receive()
    {
        try
        {
            var input = new PacketInput(_transport.FromServer, () => Volatile.Write(ref _lastMove, Environment.TickCount64));
            while (input.ReadHead(LongestPacket, out var type, out var length))
                Take(type, length, input);
            Fail(_transport.Explain(_isEstablished, null));
        }
        catch (SftpException broken)
        {
            Fail(broken);
        }
        catch (Exception broken)
        {
            Fail(_transport.Explain(_isEstablished, broken));
        }
    }

    private void Take(SftpPacketType type, int length, PacketInput input)
    {
        var isRented = length > SmallReply;
        var buffer = isRented ? ArrayPool<byte>.Shared.Rent(length) : new byte[length];
        input.ReadBody(buffer.AsSpan(0, length));
        SftpPending? waiting;
        lock (_gate)
        {
            if (type == SftpPacketType.Version)
            {
                waiting = _version;
                _version = null;
            }
            else
            {
                var id = new PacketReader(buffer.AsSpan(0, length)).UInt32();
                if (_pending.Remove(id, out waiting) && waiting.IsSlow)
                    _slow--;
            }

            // Answers to nobody: it was ended meanwhile.
            if (_failure is not null)
                return;
        }

        if (waiting is null)
            throw PacketReader.Broken("an answer belongs to no question");
        waiting.Complete(type == SftpPacketType.Version ? new SftpReply(type, buffer, 0, length, isRented) : new SftpReply(type, buffer, 4, length - 4, isRented));
    }

    private void Look()
    {
        TimeSpan limit;
        lock (_gate)
        {
            // A login takes its own time: who greets has a limit of its own.
            if (_failure is not null || _pending.Count == 0)
                return;
            limit = _slow > 0 && _slowTimeout > _stallTimeout ? _slowTimeout : _stallTimeout;
        }

        if (Environment.TickCount64 - Volatile.Read(ref _lastMove) > limit.TotalMilliseconds)
            Fail(new SftpException(SftpError.TimedOut, $"Nothing came from the server for {limit.TotalSeconds:0.#} seconds."));
    }
}
