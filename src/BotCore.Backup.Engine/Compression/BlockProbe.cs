namespace BotCore.Backup.Engine.Compression;

/// <summary>Tells how much there is to gain in a block: what is compressed or encrypted already is not to be squeezed again.</summary>
internal static class BlockProbe
{
    private const int Slices = 64;
    private const int SliceLength = 1024;

    // Bits a byte of the 64 KiB that are looked at. Random bytes have 7.997 there, gzip, PNG and OpenPGP data 7.993 and more; a fiftieth of text among them brings it below.
    // Of 214 compressed files of a Debian system that are above it, zlib -6 took 5 % off one and less than 4 % off all others.
    private const double Incompressible = 7.99;

    /// <summary>
    /// Whether <paramref name="block"/> looks as if nothing could be gained: by the frequencies of its bytes at 64 places, about 30 microseconds. What lies below 64 KiB is never judged.
    /// A repetition of random data is not seen.
    /// </summary>
    public static bool IsIncompressible(ReadOnlySpan<byte> block) => BitsAByte(block) >= Incompressible;

    /// <summary>Bits that a byte of the places looked at says, by the frequencies of bytes alone: 0 to 8. Null below 64 KiB.</summary>
    public static double? BitsAByte(ReadOnlySpan<byte> block)
    {
        if (block.Length < Slices * SliceLength)
            return null;
        Span<int> counts = stackalloc int[256];
        counts.Clear();
        var step = (block.Length - SliceLength) / (Slices - 1);
        for (var slice = 0; slice < Slices; slice++)
        {
            foreach (var value in block.Slice(slice * step, SliceLength))
                counts[value]++;
        }

        return Entropy(counts, Slices * SliceLength);
    }

    private static double Entropy(ReadOnlySpan<int> counts, int total)
    {
        double sum = 0;
        foreach (var count in counts)
        {
            if (count > 0)
                sum += count * Math.Log2(count);
        }

        return Math.Log2(total) - (sum / total);
    }
}
