namespace BotCore.Backup.Engine.Compression;

/// <summary>
/// Members (RFC 1952 2.3) of a gzip stream, one after the other and read strictly: header, deflate data, CRC-32 and length. Not thread-safe.
/// </summary>
internal sealed class GzipMember
{
    private const int HeaderCrc = 2;
    private const int Extra = 4;
    private const int FileName = 8;
    private const int Comment = 16;
    private const int Reserved = 0xE0;

    private readonly DeflateInput _input;
    private readonly Inflater _inflater;
    private uint _crc;
    private uint _length;

    public GzipMember(DeflateInput input)
    {
        _input = input;
        _inflater = new Inflater(input);
    }

    /// <summary>Reads the header of the member that starts at the input's next byte.</summary>
    public void Open()
    {
        SkipHeader(_input);
        _inflater.Reset();
        _crc = _length = 0;
    }

    /// <summary>
    /// The next bytes of the member; empty when it ended and its trailer holds, and the input then stands at the byte after it. Valid until the next call.
    /// </summary>
    public ReadOnlyMemory<byte> Read()
    {
        var read = _inflater.Read();
        if (read.IsEmpty)
            CheckTrailer();
        _crc = Crc32.Append(_crc, read.Span);
        _length = unchecked(_length + (uint)read.Length);
        return read;
    }

    private void CheckTrailer()
    {
        if (_input.ReadBits(32) != _crc)
            throw new InvalidDataException("The gzip stream is damaged: its CRC-32 is not that of its data.");
        if (_input.ReadBits(32) != _length)
            throw new InvalidDataException("The gzip stream is damaged: its length is not that of its data.");
    }

    private static void SkipHeader(DeflateInput input)
    {
        var header = new HeaderReader(input);
        if (header.Next() != 0x1F || header.Next() != 0x8B)
            throw new InvalidDataException("This is not gzip data.");
        if (header.Next() != 8)
            throw new InvalidDataException("The gzip stream is damaged, or uses a method other than deflate.");

        var flags = header.Next();
        if ((flags & Reserved) != 0)
            throw new InvalidDataException("The gzip stream is damaged, or uses flags that RFC 1952 reserves.");

        header.Skip(6);
        if ((flags & Extra) != 0)
            header.Skip(header.Next() | (header.Next() << 8));
        if ((flags & FileName) != 0)
            header.SkipText();
        if ((flags & Comment) != 0)
            header.SkipText();
        if ((flags & HeaderCrc) != 0)
            header.CheckCrc();
    }

    /// <summary>Reads header bytes and keeps their CRC-32, of which the header may hold the lower half.</summary>
    private ref struct HeaderReader(DeflateInput input)
    {
        private uint _crc;

        public byte Next()
        {
            var next = input.ReadByte();
            if (next < 0)
                throw DeflateInput.Truncated();

            var value = (byte)next;
            _crc = Crc32.Append(_crc, new ReadOnlySpan<byte>(in value));
            return value;
        }

        public void Skip(int count)
        {
            for (var i = 0; i < count; i++)
                Next();
        }

        public void SkipText()
        {
            while (Next() != 0)
            {
                // A name or a comment ends with its zero.
            }
        }

        public void CheckCrc()
        {
            var expected = _crc & 0xFFFF;
            if ((Next() | (Next() << 8)) != expected)
                throw new InvalidDataException("The gzip stream is damaged: its header's CRC is not that of the header.");
        }
    }
}
