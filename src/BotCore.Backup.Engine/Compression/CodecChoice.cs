namespace BotCore.Backup.Engine.Compression;

/// <summary>How an archive is compressed.</summary>
/// <param name="Codec">By what; compressors of it keep within the memory that was set, however many are made.</param>
/// <param name="Level">Its level.</param>
/// <param name="Threads">Threads that compress.</param>
/// <param name="Reason">Why, in a few words, where that was measured; else empty.</param>
internal sealed record CodecChoice(ICodec Codec, int Level, int Threads, string Reason = "")
{
    /// <summary>A codec at a level on at most <paramref name="threads"/> threads and in <paramref name="memory"/> bytes.</summary>
    public static CodecChoice Of(ICodec codec, int level, int threads, long memory, string reason = "")
    {
        // The readers of a database compress too, and there are more of them than threads.
        const int Many = 64;
        var most = CodecMemory.CompressingThreads(codec, level, Many, memory);
        return new CodecChoice(most < Many ? new ThrottledCodec(codec, most) : codec, level, Math.Min(threads, most), reason);
    }
}
