using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace BotCore.Backup.Protocols.Sftp;

/// <summary>Writes one packet: room for its length and request id, then the fields. One thread.</summary>
internal sealed class PacketWriter
{
    internal const int IdOffset = 5;

    private readonly ArrayBufferWriter<byte> _buffer;

    public PacketWriter(SftpPacketType type, int capacity = 256)
    {
        _buffer = new ArrayBufferWriter<byte>(capacity);
        UInt32(0);
        _buffer.GetSpan(1)[0] = (byte)type;
        _buffer.Advance(1);
        // INIT has its version where every other packet has its request id.
        UInt32(0);
    }

    public PacketWriter UInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_buffer.GetSpan(4), value);
        _buffer.Advance(4);
        return this;
    }

    public PacketWriter UInt64(ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(_buffer.GetSpan(8), value);
        _buffer.Advance(8);
        return this;
    }

    public PacketWriter Bytes(ReadOnlySpan<byte> value)
    {
        UInt32((uint)value.Length);
        _buffer.Write(value);
        return this;
    }

    public PacketWriter Text(string value)
    {
        var length = Encoding.UTF8.GetByteCount(value);
        UInt32((uint)length);
        _buffer.Advance(Encoding.UTF8.GetBytes(value, _buffer.GetSpan(length)));
        return this;
    }

    public PacketWriter Attributes(SftpAttributes value)
    {
        value.Write(this);
        return this;
    }

    /// <summary>The packet, its length set and its id not yet.</summary>
    public ArraySegment<byte> Finish()
    {
        var packet = _buffer.WrittenSpan.ToArray();
        BinaryPrimitives.WriteInt32BigEndian(packet, packet.Length - 4);
        return packet;
    }
}
