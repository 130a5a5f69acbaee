using System.Buffers.Binary;

namespace BotCore.Backup.Protocols.Sftp;

/// <summary>Cuts a stream into packets. Large bodies go straight to where they are kept. One thread.</summary>
internal sealed class PacketInput(Stream stream, Action moved)
{
    private const int HeadLength = 5;

    private readonly byte[] _buffer = new byte[64 * 1024];
    private int _start;
    private int _end;

    /// <summary>The type of the next packet and how much follows; false at the end of the stream, which may only be between two packets.</summary>
    public bool ReadHead(int longest, out SftpPacketType type, out int length)
    {
        (type, length) = (SftpPacketType.None, 0);
        while (_end - _start < HeadLength)
        {
            if (Fill())
                continue;
            return _start == _end ? false : throw Cut();
        }

        var announced = BinaryPrimitives.ReadUInt32BigEndian(_buffer.AsSpan(_start));
        if (announced < HeadLength || announced > longest)
        {
            throw PacketReader.Broken(IsText(_buffer.AsSpan(_start, 4))
                ? "it begins with text, which a start file of the account on the server may print"
                : "a packet has an impossible length");
        }

        type = (SftpPacketType)_buffer[_start + 4];
        length = (int)announced - 1;
        _start += HeadLength;
        return true;
    }

    /// <summary>What follows the head.</summary>
    public void ReadBody(Span<byte> body)
    {
        var there = Math.Min(body.Length, _end - _start);
        _buffer.AsSpan(_start, there).CopyTo(body);
        _start += there;
        for (body = body[there..]; !body.IsEmpty;)
        {
            var read = stream.Read(body);
            if (read == 0)
                throw Cut();
            moved();
            body = body[read..];
        }
    }

    private bool Fill()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        var read = stream.Read(_buffer.AsSpan(_end));
        _end += read;
        if (read > 0)
            moved();
        return read > 0;
    }

    private static bool IsText(ReadOnlySpan<byte> bytes)
    {
        foreach (var value in bytes)
        {
            if (value is not (>= 0x20 and < 0x7F or 0x09 or 0x0A or 0x0D))
                return false;
        }

        return true;
    }

    private static EndOfStreamException Cut() => new("The connection ended in the midst of a packet.");
}
