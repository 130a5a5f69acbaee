namespace BotCore.Backup.Engine.Compression;

/// <summary>
/// gzip (RFC 1952). Blocks become members without a name, with modification time 0 and operating system 255, so equal input gives equal bytes.
/// libdeflate does the work where the system has it, else System.IO.Compression; both read what the other wrote. Thread-safe.
/// </summary>
/// <remarks>The environment variable <c>BOTBACKUP_LIBDEFLATE=off</c>, read once, makes a process do without libdeflate.</remarks>
public sealed class GzipCodec : ICodec
{
    /// <summary>The most that deflate can shrink: 1032 bytes become one (zlib, "Technical Details").</summary>
    internal const int DeflateRatio = 1032;

    // Longer members take less time and room, and a restore of one small file reads more.
    private const int Block = 4 << 20;

    private readonly LibDeflate? _library;

    /// <summary>Uses libdeflate where it is present, unless <paramref name="allowNative"/> is false.</summary>
    public GzipCodec(bool allowNative = true) => _library = allowNative ? LibDeflate.Instance : null;

    /// <summary>Whether libdeflate does the work.</summary>
    public bool Native => _library is not null;

    /// <inheritdoc/>
    public string Name => "gzip";

    /// <inheritdoc/>
    public string Suffix => ".gz";

    /// <inheritdoc/>
    public int DefaultLevel => 6;

    /// <inheritdoc/>
    public (int Lowest, int Highest) Levels => (1, 9);

    /// <inheritdoc/>
    public int MaximumRatio => DeflateRatio;

    /// <inheritdoc/>
    public int BlockSize(int level) => Block;

    /// <inheritdoc/>
    public long CompressorMemory(int level) => 2 << 20;

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">The level is not 1 to 9.</exception>
    public IBlockCompressor CreateCompressor(int level)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(level, Levels.Lowest);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(level, Levels.Highest);
        return new StoringCompressor(Compressor(level), () => Compressor(0));
    }

    /// <inheritdoc/>
    public IBlockDecompressor CreateDecompressor() =>
        _library is null ? new ManagedGzipDecompressor() : new NativeGzipDecompressor(_library);

    /// <inheritdoc/>
    /// <remarks>
    /// Zeros after the last member are tolerated, as gzip does. Other bytes after it, which gzip warns of and drops, are damage here. An empty stream is truncated.
    /// </remarks>
    public Stream OpenReader(Stream compressed, bool leaveOpen) => new GzipReader(compressed, leaveOpen);

    private IBlockCompressor Compressor(int level) => _library is null ? new ManagedGzipCompressor(level) : new NativeGzipCompressor(_library, level);
}
