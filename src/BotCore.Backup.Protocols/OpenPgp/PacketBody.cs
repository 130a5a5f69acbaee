using System.Buffers.Binary;
using System.Globalization;

namespace BotCore.Backup.Protocols.OpenPgp;

/// <summary>
/// One packet (RFC 9580 section 4.2): its tag, and as a stream its body without the length headers. Reads old and new headers, and definite,
/// partial and indeterminate lengths.
/// </summary>
internal sealed class PacketBody : ReadOnlyStream
{
    private readonly Stream _source;
    private readonly OpenPgpError _endError;
    private long _left;
    private bool _last = true;
    private bool _indeterminate;

    private PacketBody(Stream source, PacketTag tag, OpenPgpError endError) => (_source, Tag, _endError) = (source, tag, endError);

    public PacketTag Tag { get; }

    /// <summary>Whether the length is one number known at the start, as all but data packets must have it.</summary>
    public bool IsDefinite => _last && !_indeterminate;

    /// <summary>Reads the next header; null where the source ends.</summary>
    /// <param name="source">Given out by the byte often: buffered.</param>
    /// <param name="tagError">What a first octet that begins no packet means here.</param>
    /// <param name="endError">What an end of the source inside the packet means here.</param>
    public static PacketBody? Next(Stream source, OpenPgpError tagError, OpenPgpError endError)
    {
        var first = source.ReadByte();
        if (first < 0) return null;
        if ((first & 0x80) == 0)
        {
            var armored = tagError == OpenPgpError.NotOpenPgp && first == '-';
            throw new OpenPgpException(tagError, armored
                ? "This is no binary OpenPGP message; if it is ASCII armor, gpg --dearmor makes it one."
                : tagError == OpenPgpError.NotOpenPgp ? "This is no OpenPGP message." : "The message is damaged: a packet begins with an octet that begins none.");
        }

        var isNew = (first & 0x40) != 0;
        var packet = new PacketBody(source, (PacketTag)(isNew ? first & 0x3F : (first >> 2) & 0x0F), endError);
        if (isNew) packet.ReadNewLength();
        else packet.ReadOldLength(first & 3);
        return packet;
    }

    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty) return 0;
        while (_left == 0)
        {
            if (_last) return 0;
            ReadNewLength();
        }

        var read = _source.Read(buffer[..(int)Math.Min(buffer.Length, _left)]);
        if (read == 0 && !_indeterminate) throw Ended();
        if (!_indeterminate) _left -= read;
        return read;
    }

    /// <summary>The whole body of a packet that is short by nature.</summary>
    public byte[] ReadShort(int longest)
    {
        if (!IsDefinite || _left > longest)
            throw new OpenPgpException(OpenPgpError.Corrupt, string.Create(CultureInfo.InvariantCulture, $"The packet of type {(int)Tag} is longer than such packets are."));
        var body = new byte[_left];
        this.ReadExactly(body);
        return body;
    }

    /// <summary>Reads on to the end of the body.</summary>
    public void Skip()
    {
        Span<byte> waste = stackalloc byte[512];
        while (Read(waste) > 0)
        {
        }
    }

    private void ReadNewLength()
    {
        Span<byte> rest = stackalloc byte[4];
        var first = RequireByte();
        _last = first is < 224 or 255;
        switch (first)
        {
            case < 192:
                _left = first;
                break;
            case < 224:
                _left = ((first - 192) << 8) + RequireByte() + 192;
                break;
            case 255:
                Require(rest);
                _left = BinaryPrimitives.ReadUInt32BigEndian(rest);
                break;
            default:
                _left = 1L << (first & 31);
                break;
        }
    }

    private void ReadOldLength(int type)
    {
        Span<byte> octets = stackalloc byte[4];
        _indeterminate = type == 3;
        _left = long.MaxValue;
        if (_indeterminate) return;
        octets.Clear();
        Require(octets[(4 - (1 << type))..]);
        _left = BinaryPrimitives.ReadUInt32BigEndian(octets);
    }

    private int RequireByte()
    {
        var value = _source.ReadByte();
        return value >= 0 ? value : throw Ended();
    }

    private void Require(Span<byte> target)
    {
        if (_source.ReadAtLeast(target, target.Length, throwOnEndOfStream: false) < target.Length) throw Ended();
    }

    private OpenPgpException Ended() => new(_endError, _endError == OpenPgpError.Truncated
        ? "The message is cut short: the file ends inside a packet."
        : "The message is damaged: a packet inside it claims more bytes than there are.");
}
