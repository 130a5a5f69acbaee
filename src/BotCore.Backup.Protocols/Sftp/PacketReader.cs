using System.Buffers.Binary;
using System.Text;

namespace BotCore.Backup.Protocols.Sftp;

/// <summary>Reads the fields of one packet. A field that goes past the packet's end is a <see cref="SftpException"/>, whatever the bytes are.</summary>
internal ref struct PacketReader(ReadOnlySpan<byte> packet)
{
    private ReadOnlySpan<byte> _rest = packet;

    public readonly bool IsAtEnd => _rest.IsEmpty;

    public byte Byte() => Take(1)[0];

    public uint UInt32() => BinaryPrimitives.ReadUInt32BigEndian(Take(4));

    public ulong UInt64() => BinaryPrimitives.ReadUInt64BigEndian(Take(8));

    public ReadOnlySpan<byte> Bytes()
    {
        var length = UInt32();
        return length <= (uint)_rest.Length ? Take((int)length) : throw Broken("a field is longer than its packet");
    }

    /// <summary>A text for people; what is not UTF-8 is replaced.</summary>
    public string Text() => Encoding.UTF8.GetString(Bytes());

    public static SftpException Broken(string how) => new(SftpError.Protocol, $"What came from the server is not SFTP: {how}.");

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _rest.Length)
            throw Broken("a packet ends too early");
        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }
}
