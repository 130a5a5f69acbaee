using System.Buffers.Binary;

namespace BotCore.Backup.Engine.Compression;

/// <summary>
/// Decoding tables of a Huffman code (RFC 1951 3.2.2): indexed by the next bits, with second tables for codes longer than the root's bits. An entry says how many
/// bits to drop (bits 0-7, extra bits included), how many of them are the code (8-12) and a value (16-30), and of what kind it is.
/// </summary>
internal static class HuffmanTable
{
    /// <summary>Longest code.</summary>
    public const int MaximumLength = 15;

    /// <summary>Kind: the value is a byte of output.</summary>
    public const uint Literal = 1U << 31;

    /// <summary>Kind: none of a literal, length or distance. Alone: no such code.</summary>
    public const uint Exceptional = 1U << 15;

    /// <summary>Kind, with <see cref="Exceptional"/>: the value is where a second table starts; bits 8-12 say how many bits index it.</summary>
    public const uint Second = 1U << 14;

    /// <summary>Kind, with <see cref="Exceptional"/>: end of block.</summary>
    public const uint EndOfBlock = 1U << 13;

    /// <summary>
    /// Entries a table takes at most. Only complete codes have second tables, so each of those serves two symbols or more.
    /// </summary>
    public static int MaximumEntries(int symbols, int rootBits) => (1 << rootBits) + (symbols / 2 * (1 << (MaximumLength - rootBits)));

    /// <summary>
    /// Fills <paramref name="table"/>. <paramref name="templates"/> hold a symbol's kind, value and extra bits. False for a code that is over-subscribed, or
    /// incomplete; as in zlib a code of a single one-bit code may be incomplete, and a code without symbols is a table without codes.
    /// </summary>
    public static bool TryBuild(ReadOnlySpan<byte> lengths, ReadOnlySpan<uint> templates, int rootBits, Span<uint> table)
    {
        Span<int> counts = stackalloc int[MaximumLength + 1];
        counts.Clear();
        foreach (var length in lengths)
            counts[length]++;

        var longest = MaximumLength;
        while (longest > 0 && counts[longest] == 0)
            longest--;

        var unused = 1;
        for (var length = 1; length <= MaximumLength; length++)
        {
            unused = (unused << 1) - counts[length];
            if (unused < 0)
                return false;
        }

        if (unused > 0)
        {
            if (longest > 1)
                return false;
            table[..(1 << rootBits)].Fill(Exceptional);
        }

        Span<ushort> sorted = stackalloc ushort[lengths.Length];
        Sort(lengths, counts, sorted);
        Fill(lengths, templates, rootBits, longest, counts, sorted[..(lengths.Length - counts[0])], table);
        return true;
    }

    /// <summary>The symbols that have a code, by its length and then by value.</summary>
    private static void Sort(ReadOnlySpan<byte> lengths, ReadOnlySpan<int> counts, Span<ushort> sorted)
    {
        Span<int> starts = stackalloc int[MaximumLength + 2];
        starts[1] = 0;
        for (var length = 1; length <= MaximumLength; length++)
            starts[length + 1] = starts[length] + counts[length];

        for (var symbol = 0; symbol < lengths.Length; symbol++)
        {
            if (lengths[symbol] != 0)
                sorted[starts[lengths[symbol]]++] = (ushort)symbol;
        }
    }

    private static void Fill(
        ReadOnlySpan<byte> lengths,
        ReadOnlySpan<uint> templates,
        int rootBits,
        int longest,
        Span<int> counts,
        ReadOnlySpan<ushort> sorted,
        Span<uint> table)
    {
        var rootMask = (1 << rootBits) - 1;
        var secondStart = 0;
        var secondBits = 0;
        var secondPrefix = -1;
        var free = 1 << rootBits;
        var code = 0;
        var previous = 0;
        foreach (var symbol in sorted)
        {
            int length = lengths[symbol];
            code <<= length - previous;
            previous = length;
            var reversed = (int)(Reverse((uint)code) >> (32 - length));
            code++;

            if (length <= rootBits)
            {
                var entry = templates[symbol] + (uint)(length | (length << 8));
                for (var i = reversed; i <= rootMask; i += 1 << length)
                    table[i] = entry;
            }
            else
            {
                if ((reversed & rootMask) != secondPrefix)
                {
                    secondPrefix = reversed & rootMask;
                    secondStart = free;
                    secondBits = SecondBits(counts, length, rootBits, longest);
                    free += 1 << secondBits;
                    table[secondPrefix] = Exceptional | Second | ((uint)secondStart << 16) | ((uint)secondBits << 8) | (uint)rootBits;
                }

                var rest = length - rootBits;
                var entry = templates[symbol] + (uint)(rest | (rest << 8));
                for (var i = reversed >> rootBits; i < 1 << secondBits; i += 1 << rest)
                    table[secondStart + i] = entry;
            }

            counts[length]--;
        }
    }

    /// <summary>The bits that index a second table which starts with a code of <paramref name="length"/>: so many that the codes to come fill it.</summary>
    private static int SecondBits(ReadOnlySpan<int> counts, int length, int rootBits, int longest)
    {
        var unused = 1 << (length - rootBits);
        while (length < longest)
        {
            unused -= counts[length];
            if (unused <= 0)
                break;
            length++;
            unused <<= 1;
        }

        return length - rootBits;
    }

    private static uint Reverse(uint value)
    {
        value = ((value & 0x5555_5555) << 1) | ((value >> 1) & 0x5555_5555);
        value = ((value & 0x3333_3333) << 2) | ((value >> 2) & 0x3333_3333);
        value = ((value & 0x0F0F_0F0F) << 4) | ((value >> 4) & 0x0F0F_0F0F);
        return BinaryPrimitives.ReverseEndianness(value);
    }
}
