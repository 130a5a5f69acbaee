namespace BotCore.Backup.Engine.Archives.Tar;

/// <summary>Numbers in header fields: octal digits, and GNU's base-256.</summary>
internal static class TarNumber
{
    /// <summary>The greatest number that <paramref name="width"/> bytes hold as octal digits and a NUL.</summary>
    internal static long MaximumOctal(int width) => (1L << (3 * (width - 1))) - 1;

    /// <summary>Whether <paramref name="value"/> can be written into <paramref name="width"/> bytes.</summary>
    internal static bool FitsOctal(long value, int width) => value >= 0 && value <= MaximumOctal(width);

    /// <summary>Writes all digits, with leading zeros, and a NUL.</summary>
    internal static void WriteOctal(Span<byte> field, long value)
    {
        field[^1] = 0;
        for (var at = field.Length - 2; at >= 0; at--)
        {
            field[at] = (byte)('0' + (value & 7));
            value >>= 3;
        }
    }

    /// <summary>Reads octal digits (blanks before, NUL or blank after; an empty field is 0) or a base-256 number.</summary>
    internal static bool TryParse(ReadOnlySpan<byte> field, out long value)
    {
        if ((field[0] & 0x80) != 0)
            return TryParseBinary(field, out value);

        value = 0;
        var at = 0;
        while (at < field.Length && field[at] == ' ')
            at++;
        for (; at < field.Length && field[at] is >= (byte)'0' and <= (byte)'7'; at++)
            value = (value << 3) | (uint)(field[at] - '0');
        return at == field.Length || field[at] is 0 or (byte)' ';
    }

    // Two's complement, big-endian; the highest bit is only the mark (GNU tar manual, "Extensions to traditional").
    private static bool TryParseBinary(ReadOnlySpan<byte> field, out long value)
    {
        value = (field[0] & 0x40) != 0 ? (sbyte)field[0] : field[0] & 0x3F;
        foreach (var next in field[1..])
        {
            if (value > long.MaxValue >> 8 || value < long.MinValue >> 8)
                return false;
            value = (value << 8) | next;
        }

        return true;
    }

    /// <summary>
    /// Sum of all bytes of a header block with its checksum field taken as blanks. Old tars summed signed bytes, so both sums count.
    /// </summary>
    internal static (long Unsigned, long Signed) Checksums(ReadOnlySpan<byte> block)
    {
        int unsigned = 0, high = 0;
        foreach (var value in block)
        {
            unsigned += value;
            high += value >> 7;
        }

        foreach (var value in block[TarFormat.Field.Checksum])
        {
            unsigned -= value - ' ';
            high -= value >> 7;
        }

        return (unsigned, unsigned - (256 * high));
    }

    /// <summary>Whether the block's own checksum holds.</summary>
    internal static bool ChecksumHolds(ReadOnlySpan<byte> block)
    {
        if (!TryParse(block[TarFormat.Field.Checksum], out var declared))
            return false;
        var (unsigned, signed) = Checksums(block);
        return declared == unsigned || declared == signed;
    }

    /// <summary>Writes the checksum of a finished block: six digits, NUL, blank.</summary>
    internal static void WriteChecksum(Span<byte> block)
    {
        var field = block[TarFormat.Field.Checksum];
        field.Fill((byte)' ');
        WriteOctal(field[..7], Checksums(block).Unsigned);
    }
}
