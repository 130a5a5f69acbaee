namespace BotCore.Backup.Engine.Compression;

/// <summary>Compresses what compresses, and stores the rest: a second compressor that only wraps takes the blocks that <see cref="BlockProbe"/> finds compressed already.</summary>
internal sealed class StoringCompressor(IBlockCompressor squeezing, Func<IBlockCompressor> createStoring) : IBlockCompressor
{
    private IBlockCompressor? _storing;

    public int MaximumLength(int length) => squeezing.MaximumLength(length);

    public int Compress(ReadOnlySpan<byte> block, Span<byte> member) =>
        BlockProbe.IsIncompressible(block) ? (_storing ??= createStoring()).Compress(block, member) : squeezing.Compress(block, member);

    public void Dispose()
    {
        squeezing.Dispose();
        _storing?.Dispose();
    }
}
