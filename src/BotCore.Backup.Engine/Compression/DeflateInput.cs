namespace BotCore.Backup.Engine.Compression;

/// <summary>
/// Buffered input, read by bits (RFC 1951 3.1.1: least significant first) and by bytes. Nothing is ever given back: what the bit buffer took early, the byte
/// methods hand out first, so the byte after the deflate data is known exactly.
/// </summary>
internal sealed class DeflateInput
{
    private Stream _source = Stream.Null;

    /// <summary>The bytes at hand are those from <see cref="Next"/> to <see cref="End"/>.</summary>
    public byte[] Buffer { get; } = new byte[64 * 1024];

    public int Next { get; set; }

    public int End { get; private set; }

    /// <summary>Bits that were taken from the bytes; those above <see cref="BitCount"/> are zero.</summary>
    public ulong Bits { get; set; }

    public int BitCount { get; set; }

    /// <summary>Starts anew with another source, which is not disposed.</summary>
    public void Reset(Stream source)
    {
        _source = source;
        Next = End = BitCount = 0;
        Bits = 0;
    }

    /// <summary>Takes bytes until the bit buffer has at least 56 bits, or the input ends.</summary>
    public void Refill()
    {
        while (BitCount < 56 && (Next < End || Fill()))
        {
            Bits |= (ulong)Buffer[Next++] << BitCount;
            BitCount += 8;
        }
    }

    /// <summary>Drops <paramref name="count"/> bits, which must be there.</summary>
    public void Consume(int count)
    {
        if (count > BitCount)
            throw Truncated();

        Bits >>= count;
        BitCount -= count;
    }

    /// <summary>The next bits, 0 to 32 of them, as a number.</summary>
    public uint ReadBits(int count)
    {
        if (BitCount < count)
            Refill();

        var value = (uint)(Bits & ((1UL << count) - 1));
        Consume(count);
        return value;
    }

    /// <summary>Drops the bits up to the next byte's start.</summary>
    public void AlignToByte() => Consume(BitCount & 7);

    /// <summary>The next byte, from a byte's start, or -1 at the end.</summary>
    public int ReadByte()
    {
        if (BitCount >= 8)
            return (int)ReadBits(8);

        return Next < End || Fill() ? Buffer[Next++] : -1;
    }

    /// <summary>The byte that comes next, from a byte's start, or -1 at the end.</summary>
    public int PeekByte()
    {
        Refill();
        return BitCount >= 8 ? (byte)Bits : -1;
    }

    /// <summary>Copies bytes, from a byte's start; fewer than asked only at the end of what is at hand, none only at the end.</summary>
    public int Read(Span<byte> destination)
    {
        var taken = 0;
        while (BitCount >= 8 && taken < destination.Length)
            destination[taken++] = (byte)ReadBits(8);
        if (taken > 0 || destination.IsEmpty || (Next == End && !Fill()))
            return taken;

        taken = Math.Min(destination.Length, End - Next);
        Buffer.AsSpan(Next, taken).CopyTo(destination);
        Next += taken;
        return taken;
    }

    internal static InvalidDataException Truncated() => new("The gzip stream ends early.");

    private bool Fill()
    {
        Next = 0;
        End = _source.Read(Buffer, 0, Buffer.Length);
        return End > 0;
    }
}
