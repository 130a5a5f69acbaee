using BotCore.Backup.Engine.Compression.Native;

namespace BotCore.Backup.Engine.Compression.Bzip2;

/// <summary>bzip2, by libbz2, and where that is missing by the library of the adapters, several times as slow. Blocks become streams of their own, which every bzip2 reads one after the other. Thread-safe.</summary>
public sealed class Bzip2Codec : ICodec
{
    internal const string FormatName = "bzip2";

    // One block of level 9, as pbzip2 cuts: of several in one member the last is not full, and such blocks compress worse (0.3 % with five).
    private const int MemberLength = 900_000;

    private readonly LibBz2? _native;
    private readonly IBzip2Library? _adapted;

    internal Bzip2Codec(LibBz2 library) => _native = library;

    internal Bzip2Codec(IBzip2Library library) => _adapted = library;

    /// <inheritdoc/>
    public string Name => FormatName;

    /// <inheritdoc/>
    public string Suffix => ".bz2";

    /// <inheritdoc/>
    public int DefaultLevel => 9;

    /// <inheritdoc/>
    public (int Lowest, int Highest) Levels => (1, 9);

    /// <inheritdoc/>
    /// <remarks>45.9 MB of one byte become 46 bytes: five bytes of a run stand for 255 and more, before the format's own compression.</remarks>
    public int MaximumRatio => 1_100_000;

    /// <inheritdoc/>
    public int BlockSize(int level) => MemberLength;

    /// <inheritdoc/>
    public long CompressorMemory(int level) => 400_000 + (8L * 100_000 * level);

    /// <inheritdoc/>
    public IBlockCompressor CreateCompressor(int level)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(level, Levels.Lowest);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(level, Levels.Highest);
        return _native is { } native ? new NativeBzip2Compressor(native, level) : new AdaptedBzip2Compressor(_adapted!, level);
    }

    /// <inheritdoc/>
    public IBlockDecompressor CreateDecompressor() => _native is { } native ? new MemberDecompressor(new NativeBzip2Decoder(native), FormatName) : new AdaptedBzip2Decompressor(_adapted!);

    /// <inheritdoc/>
    /// <remarks>Zeros after the last stream are tolerated. Other bytes there, which bzip2 warns of and drops, are damage here.</remarks>
    public Stream OpenReader(Stream compressed, bool leaveOpen) =>
        _native is { } native
            ? new MemberStreamReader(compressed, new NativeBzip2Decoder(native), MemberPadding.ZerosAtEnd, FormatName, leaveOpen)
            : new AdaptedBzip2Reader(_adapted!, compressed, leaveOpen);

    /// <summary>The codec by what there is, or null.</summary>
    internal static Bzip2Codec? Find() =>
        LibBz2.Instance is { } library ? new Bzip2Codec(library) : Outside.Adapters.AdapterLoader.Bzip2OrNone() is { } adapted ? new Bzip2Codec(adapted) : null;

    /// <summary>What bzlib.h demands: one in a hundred and 600 bytes more.</summary>
    internal static int MaximumLength(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        return checked(length + (length / 100) + 601);
    }
}
