namespace BotCore.Backup.Engine.Compression;

/// <summary>The two codes of a deflate block (RFC 1951 3.2.5 to 3.2.7) as decoding tables.</summary>
internal sealed class DeflateCode
{
    public const int LengthRootBits = 11;
    public const int DistanceRootBits = 8;

    private const int OrderRootBits = 7;
    private const int LengthSymbols = 288;
    private const int DistanceSymbols = 32;
    private const int MostLengthSymbols = 286;
    private const int MostDistanceSymbols = 30;
    private const int EndOfBlockSymbol = 256;

    private static readonly byte[] Order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
    private static readonly uint[] OrderTemplates = [.. Enumerable.Range(0, 19).Select(i => (uint)i << 16)];
    private static readonly uint[] LengthTemplates = MakeLengthTemplates();
    private static readonly uint[] DistanceTemplates = MakeDistanceTemplates();

    private readonly byte[] _codeLengths = new byte[LengthSymbols + DistanceSymbols];
    private readonly uint[] _order = new uint[1 << OrderRootBits];
    private bool _isFixed;

    /// <summary>Decodes literals, lengths and the end of the block.</summary>
    public uint[] Lengths { get; } = new uint[HuffmanTable.MaximumEntries(LengthSymbols, LengthRootBits)];

    /// <summary>Decodes distances.</summary>
    public uint[] Distances { get; } = new uint[HuffmanTable.MaximumEntries(DistanceSymbols, DistanceRootBits)];

    /// <summary>Makes it the fixed code.</summary>
    public void SetFixed()
    {
        if (_isFixed)
            return;

        var lengths = _codeLengths.AsSpan(0, LengthSymbols);
        lengths[..144].Fill(8);
        lengths[144..256].Fill(9);
        lengths[256..280].Fill(7);
        lengths[280..].Fill(8);
        var distances = _codeLengths.AsSpan(LengthSymbols, DistanceSymbols);
        distances.Fill(5);
        Build(lengths, distances);
        _isFixed = true;
    }

    /// <summary>Reads the code at the head of a dynamic block.</summary>
    public void Read(DeflateInput input)
    {
        _isFixed = false;
        var lengthCount = (int)input.ReadBits(5) + 257;
        var distanceCount = (int)input.ReadBits(5) + 1;
        var orderCount = (int)input.ReadBits(4) + 4;
        if (lengthCount > MostLengthSymbols || distanceCount > MostDistanceSymbols)
            throw Damaged();

        Span<byte> order = stackalloc byte[Order.Length];
        order.Clear();
        for (var i = 0; i < orderCount; i++)
            order[Order[i]] = (byte)input.ReadBits(3);

        // This one code has to be complete even where it has a single symbol (as zlib holds it).
        if (!HuffmanTable.TryBuild(order, OrderTemplates, OrderRootBits, _order) || Array.IndexOf(_order, HuffmanTable.Exceptional) >= 0)
            throw Damaged();

        var codeLengths = _codeLengths.AsSpan(0, lengthCount + distanceCount);
        ReadCodeLengths(input, codeLengths);
        if (codeLengths[EndOfBlockSymbol] == 0)
            throw Damaged();

        Build(codeLengths[..lengthCount], codeLengths[lengthCount..]);
    }

    internal static InvalidDataException Damaged() => new("The gzip stream is damaged: its deflate data breaks the format.");

    private void ReadCodeLengths(DeflateInput input, Span<byte> codeLengths)
    {
        for (var i = 0; i < codeLengths.Length;)
        {
            input.Refill();
            var entry = _order[input.Bits & ((1 << OrderRootBits) - 1)];
            input.Consume((byte)entry);
            var symbol = (byte)(entry >> 16);
            if (symbol < 16)
            {
                codeLengths[i++] = symbol;
                continue;
            }

            if (symbol == 16 && i == 0)
                throw Damaged();

            var value = symbol == 16 ? codeLengths[i - 1] : (byte)0;
            var repeat = symbol switch { 16 => 3 + input.ReadBits(2), 17 => 3 + input.ReadBits(3), _ => 11 + input.ReadBits(7) };
            if (repeat > codeLengths.Length - i)
                throw Damaged();

            codeLengths.Slice(i, (int)repeat).Fill(value);
            i += (int)repeat;
        }
    }

    private void Build(ReadOnlySpan<byte> lengths, ReadOnlySpan<byte> distances)
    {
        if (!HuffmanTable.TryBuild(lengths, LengthTemplates, LengthRootBits, Lengths)
            || !HuffmanTable.TryBuild(distances, DistanceTemplates, DistanceRootBits, Distances))
        {
            throw Damaged();
        }
    }

    private static uint[] MakeLengthTemplates()
    {
        var templates = new uint[LengthSymbols];
        for (var i = 0u; i < EndOfBlockSymbol; i++)
            templates[i] = HuffmanTable.Literal | (i << 16);
        templates[EndOfBlockSymbol] = HuffmanTable.Exceptional | HuffmanTable.EndOfBlock;

        var start = 3u;
        for (var i = 257; i < 285; i++)
        {
            var extra = i < 265 ? 0 : (i - 261) / 4;
            templates[i] = (start << 16) | (uint)extra;
            start += 1u << extra;
        }

        templates[285] = 258u << 16;
        templates[286] = templates[287] = HuffmanTable.Exceptional;
        return templates;
    }

    private static uint[] MakeDistanceTemplates()
    {
        var templates = new uint[DistanceSymbols];
        var start = 1u;
        for (var i = 0; i < MostDistanceSymbols; i++)
        {
            var extra = i < 4 ? 0 : (i - 2) / 2;
            templates[i] = (start << 16) | (uint)extra;
            start += 1u << extra;
        }

        templates[30] = templates[31] = HuffmanTable.Exceptional;
        return templates;
    }
}
