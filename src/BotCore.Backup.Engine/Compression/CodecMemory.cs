namespace BotCore.Backup.Engine.Compression;

/// <summary>
/// How many threads a codec may have, so that a run stays within its memory at any number of processors. The level is never lowered, and one thread always goes. See docs/performance.md, "Memory".
/// </summary>
internal static class CodecMemory
{
    /// <summary>What a run may take over a bare pwsh where nothing else is set.</summary>
    public const long DefaultLimit = 256L << 20;

    // What a run takes without any block or compressor: assemblies, compiled code, buffers of streams, what the collector has not taken up yet.
    private const long Rest = 64L << 20;

    // Small blocks wait in numbers, so that no thread waits for the disk. Of long ones there is one more than threads.
    private const int Waiting = 32 << 20;

    /// <summary>How many blocks of <paramref name="blockSize"/> bytes exist at once.</summary>
    public static int BlocksInFlight(int blockSize, int threads) => Math.Clamp(Waiting / blockSize, threads + 1, (2 * threads) + 2);

    /// <summary>Threads that may compress, <paramref name="asked"/> at most.</summary>
    public static int CompressingThreads(ICodec codec, int level, int asked, long limit) =>
        Most(asked, limit, codec.BlockSize(level), codec.CompressorMemory(level));

    /// <summary>Threads that may decompress members of ours, <paramref name="asked"/> at most. A decompressor takes less than a block.</summary>
    public static int DecompressingThreads(ICodec codec, int asked) =>
        Most(asked, DefaultLimit, codec.BlockSize(codec.DefaultLevel), codec.BlockSize(codec.DefaultLevel) / 2);

    // A member may be as long as its block.
    private static int Most(int asked, long limit, int blockSize, long each)
    {
        var threads = asked;
        while (threads > 1 && (threads * each) + (BlocksInFlight(blockSize, threads) * 2L * blockSize) > limit - Rest)
            threads--;
        return threads;
    }
}
