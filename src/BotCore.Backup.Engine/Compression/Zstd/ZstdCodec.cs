using BotCore.Backup.Engine.Compression.Native;

namespace BotCore.Backup.Engine.Compression.Zstd;

/// <summary>zstd (RFC 8878), by libzstd. Blocks become frames with a checksum, which every zstd reads one after the other. Thread-safe.</summary>
public sealed class ZstdCodec : ICodec
{
    internal const string FormatName = "zstd";

    /// <summary>The longest window that is read, as a power of two; 128 MiB, what <c>zstd -d</c> allows itself.</summary>
    internal const int WindowLog = 27;

    internal const long LongestWindow = 1L << WindowLog;

    // Frames do not look back into the one before. zstd -T cuts jobs of 8 MiB that do so a little: frames of twice that come out as small.
    private const int Block = 16 << 20;

    // What does not compress goes by the fastest there is, which leaves it raw.
    private const int StoringLevel = -7;

    private readonly LibZstd _library;

    internal ZstdCodec(LibZstd library) => _library = library;

    /// <inheritdoc/>
    public string Name => FormatName;

    /// <inheritdoc/>
    public string Suffix => ".zst";

    /// <inheritdoc/>
    public int DefaultLevel => 3;

    /// <inheritdoc/>
    public (int Lowest, int Highest) Levels => (1, 19);

    /// <inheritdoc/>
    /// <remarks>A block of 128 KiB of one byte takes four bytes (RFC 8878, RLE_Block).</remarks>
    public int MaximumRatio => 32_768;

    /// <inheritdoc/>
    public int BlockSize(int level) => Block;

    /// <inheritdoc/>
    /// <remarks>What ZSTD_estimateCCtxSize says of 1.5, rounded up; window and tables, the input not counted.</remarks>
    public long CompressorMemory(int level) => level switch
    {
        <= 2 => 2L << 20,
        <= 7 => 6L << 20,
        <= 12 => 36L << 20,
        <= 15 => 24L << 20,
        _ => 92L << 20,
    };

    /// <inheritdoc/>
    public IBlockCompressor CreateCompressor(int level)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(level, Levels.Lowest);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(level, Levels.Highest);
        return new StoringCompressor(new ZstdCompressor(_library, level), () => new ZstdCompressor(_library, StoringLevel));
    }

    /// <inheritdoc/>
    public IBlockDecompressor CreateDecompressor() => new ZstdDecompressor(_library);

    /// <inheritdoc/>
    /// <remarks>Windows up to 128 MiB are read (<c>zstd --long=27</c>); skippable frames are skipped. Nothing may follow the last frame.</remarks>
    public Stream OpenReader(Stream compressed, bool leaveOpen) =>
        new MemberStreamReader(compressed, new ZstdDecoder(_library), MemberPadding.None, FormatName, leaveOpen);
}
