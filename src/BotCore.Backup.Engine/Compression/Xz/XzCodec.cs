using BotCore.Backup.Engine.Compression.Native;

namespace BotCore.Backup.Engine.Compression.Xz;

/// <summary>xz, by liblzma. Blocks become streams of one block with a CRC-64, which every xz reads one after the other. Thread-safe.</summary>
public sealed class XzCodec : ICodec
{
    internal const string FormatName = "xz";

    /// <summary>The most that a stream may need to be opened: 66 MiB is what preset 9 takes.</summary>
    internal const ulong DecoderMemoryLimit = 160 << 20;

    // xz -T cuts its blocks at three dictionaries; a little more makes up for the heads of our streams. Those of the presets above 6 would take 200 MiB each, and twice.
    private const int LongestBlock = 26 << 20;
    private const int ShortestBlock = 5 << 18;

    private readonly LibLzma _library;

    internal XzCodec(LibLzma library) => _library = library;

    /// <inheritdoc/>
    public string Name => FormatName;

    /// <inheritdoc/>
    public string Suffix => ".xz";

    /// <inheritdoc/>
    public int DefaultLevel => 6;

    /// <inheritdoc/>
    public (int Lowest, int Highest) Levels => (0, 9);

    /// <inheritdoc/>
    /// <remarks>273 bytes that repeat take 14 bits at their cheapest, 0.022 bits each.</remarks>
    public int MaximumRatio => 7_200;

    // Kibibytes of the dictionary of a preset (xz(1)).
    private static ReadOnlySpan<int> Dictionaries => [256, 1024, 2048, 4096, 4096, 8192, 8192, 16384, 32768, 65536];

    /// <inheritdoc/>
    public int BlockSize(int level) => Math.Clamp(13 * (Dictionaries[level] << 8), ShortestBlock, LongestBlock);

    /// <inheritdoc/>
    public long CompressorMemory(int level) => _library.EncoderMemory(level, BlockSize(level));

    /// <inheritdoc/>
    public IBlockCompressor CreateCompressor(int level)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(level, Levels.Lowest);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(level, Levels.Highest);
        return new StoringCompressor(new XzCompressor(_library, level), () => new XzStoring(_library));
    }

    /// <inheritdoc/>
    public IBlockDecompressor CreateDecompressor() => new MemberDecompressor(new XzDecoder(_library), FormatName);

    /// <inheritdoc/>
    /// <remarks>Streams may be padded with zeros in fours, as xz has it. A stream that needs more than 160 MiB is refused.</remarks>
    public Stream OpenReader(Stream compressed, bool leaveOpen) =>
        new MemberStreamReader(compressed, new XzDecoder(_library), MemberPadding.ZerosInFours, FormatName, leaveOpen);
}
