namespace BotCore.Backup.Engine.Compression.Xz;

/// <summary>Makes xz streams of one block with liblzma, which gives its memory back after each.</summary>
internal sealed class XzCompressor(LibLzma library, int preset) : IBlockCompressor
{
    // A dictionary longer than the block is of no use; that of a short block takes a fraction of the memory.
    private const int ShortestDictionary = 1 << 16;

    public int MaximumLength(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        return Math.Max(library.Bound(length), XzStoring.MaximumLengthOf(length));
    }

    public int Compress(ReadOnlySpan<byte> block, Span<byte> member)
    {
        var length = library.Encode(preset, Math.Max(block.Length, ShortestDictionary), block, member);
        return length switch
        {
            > 0 => length,
            -LibLzma.NoProgress => throw new ArgumentException("The buffer is shorter than MaximumLength says.", nameof(member)),
            -LibLzma.MemoryMissing => throw new InvalidOperationException("liblzma found no memory for its tables."),
            _ => throw new InvalidOperationException($"liblzma cannot compress: its error {-length}."),
        };
    }

    public void Dispose()
    {
        // The library holds nothing from one block to the next.
    }
}
