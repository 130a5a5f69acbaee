namespace BotCore.Backup.Engine.Compression;

/// <summary>Makes gzip members with libdeflate; level 0 stores.</summary>
internal sealed class NativeGzipCompressor(LibDeflate library, int level) : IBlockCompressor
{
    private readonly LibDeflate.Handle _compressor = library.AllocateCompressor(Levels[level]);

    // A level is gzip's: what it promises is gzip's size. libdeflate gets there, and below, with less: its 5 is smaller than gzip -6.
    private static ReadOnlySpan<byte> Levels => [0, 1, 2, 3, 4, 5, 5, 6, 7, 9];

    public int MaximumLength(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        return library.GzipCompressBound(length);
    }

    public int Compress(ReadOnlySpan<byte> block, Span<byte> member)
    {
        var length = library.GzipCompress(_compressor, block, member);
        return length > 0 ? length : throw new ArgumentException("The buffer is shorter than MaximumLength says.", nameof(member));
    }

    public void Dispose() => _compressor.Dispose();
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
