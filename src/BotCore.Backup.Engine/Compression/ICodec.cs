namespace BotCore.Backup.Engine.Compression;

/// <summary>
/// A compression format, used block by block: every block becomes an independent member, and members standing one after the
/// other are one legal stream that the stock tool reads. Thread-safe; what it creates is not.
/// </summary>
public interface ICodec
{
    /// <summary>The word in manifests and settings: gzip, bzip2, xz, zstd.</summary>
    string Name { get; }

    /// <summary>What a file name of this codec ends in, after .tar: <c>.gz</c> and so on.</summary>
    string Suffix { get; }

    /// <summary>The level used where none is asked for.</summary>
    int DefaultLevel { get; }

    /// <summary>Lowest and highest level.</summary>
    (int Lowest, int Highest) Levels { get; }

    /// <summary>How many bytes one compressed byte can become at most; what declares more is damaged, or a trap.</summary>
    int MaximumRatio { get; }

    /// <summary>Bytes of plaintext that a whole member is made of at that level: where the format compresses about as well as in one stream.</summary>
    int BlockSize(int level);

    /// <summary>About how many bytes a compressor of that level takes, beside the block and the member.</summary>
    long CompressorMemory(int level);

    /// <summary>A compressor for one thread.</summary>
    IBlockCompressor CreateCompressor(int level);

    /// <summary>A decompressor of whole members for one thread.</summary>
    IBlockDecompressor CreateDecompressor();

    /// <summary>
    /// Reads any legal stream of this format, also one that other tools made: one member or many, of any size. Damage, and a stream that ends
    /// early, throw <see cref="InvalidDataException"/>. Trailing zero padding is tolerated where the stock tool tolerates it.
    /// </summary>
    Stream OpenReader(Stream compressed, bool leaveOpen);
}

/// <summary>Makes one member of one block. Not thread-safe.</summary>
public interface IBlockCompressor : IDisposable
{
    /// <summary>Bytes that a member of a block of <paramref name="length"/> bytes may take at most.</summary>
    int MaximumLength(int length);

    /// <summary>Compresses <paramref name="block"/> (which may be empty) and returns the length of the member in <paramref name="member"/>.</summary>
    int Compress(ReadOnlySpan<byte> block, Span<byte> member);
}

/// <summary>Opens one member. Not thread-safe.</summary>
public interface IBlockDecompressor : IDisposable
{
    /// <summary>
    /// Decompresses exactly one member into exactly <paramref name="block"/>. Anything else (damage, another length, bytes left over)
    /// throws <see cref="InvalidDataException"/>.
    /// </summary>
    void Decompress(ReadOnlySpan<byte> member, Span<byte> block);
}
