namespace BotCore.Backup.Engine.Compression;

/// <summary>Makes gzip members with libdeflate; level 0 stores.</summary>
/// <remarks>
/// A level is gzip's: what it promises is gzip's size. libdeflate gets there with less, so most levels are its next lower one. Its 5 comes within a thousandth of gzip -6 on either side, and what is
/// missing is got where it costs least: blocks that are far from random take its 6, which makes them 1.2 to 1.7 % smaller, and all blocks 0.7 %, for a quarter more time. See docs/decisions/0035.
/// </remarks>
internal sealed class NativeGzipCompressor(LibDeflate library, int level) : IBlockCompressor
{
    private const int MixedLevel = 6;
    private const double FarFromRandom = 5.25;

    private readonly LibDeflate.Handle _compressor = library.AllocateCompressor(Levels[level]);
    private LibDeflate.Handle? _stronger;

    private static ReadOnlySpan<byte> Levels => [0, 1, 2, 3, 4, 5, 5, 6, 7, 9];

    public int MaximumLength(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        return library.GzipCompressBound(length);
    }

    public int Compress(ReadOnlySpan<byte> block, Span<byte> member)
    {
        var length = library.GzipCompress(For(block), block, member);
        return length > 0 ? length : throw new ArgumentException("The buffer is shorter than MaximumLength says.", nameof(member));
    }

    public void Dispose()
    {
        _compressor.Dispose();
        _stronger?.Dispose();
    }

    private LibDeflate.Handle For(ReadOnlySpan<byte> block) =>
        level == MixedLevel && BlockProbe.BitsAByte(block) < FarFromRandom ? _stronger ??= library.AllocateCompressor(MixedLevel) : _compressor;
}

/// <summary>Opens gzip members with libdeflate.</summary>
internal sealed class NativeGzipDecompressor(LibDeflate library) : IBlockDecompressor
{
    private readonly LibDeflate.Handle _decompressor = library.AllocateDecompressor();

    public void Decompress(ReadOnlySpan<byte> member, Span<byte> block)
    {
        if (!library.TryGzipDecompress(_decompressor, member, block))
            throw new InvalidDataException("The gzip member is damaged, or is not of the length it should have.");
    }

    public void Dispose() => _decompressor.Dispose();
}
