using BotCore.Backup.Engine.Compression;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Compression;

public sealed class CodecMemoryTests
{
    [CodecFact]
    public void Threads_are_lowered_to_fit_and_never_below_one()
    {
        foreach (var codec in Codecs.Available)
        {
            for (var level = codec.Levels.Lowest; level <= codec.Levels.Highest; level++)
            {
                var few = CodecMemory.CompressingThreads(codec, level, 16, CodecMemory.DefaultLimit);
                Assert.InRange(few, 1, 16);
                Assert.InRange(CodecMemory.CompressingThreads(codec, level, 16, 64L << 30), 16, 16);
                Assert.InRange(CodecMemory.CompressingThreads(codec, level, 1, CodecMemory.DefaultLimit), 1, 1);
                Assert.InRange(CodecMemory.CompressingThreads(codec, level, few, CodecMemory.DefaultLimit), few, few);
            }
        }
    }

    [CodecFact]
    public void Two_processors_are_used_by_all_but_xz()
    {
        Assert.All(Codecs.Available, codec => Assert.Equal(codec.Name is "xz" ? 1 : 2, CodecMemory.CompressingThreads(codec, codec.DefaultLevel, 2, CodecMemory.DefaultLimit)));
        Assert.Equal(2, CodecMemory.CompressingThreads(Codecs.ByName("xz"), 6, 2, 1L << 30));
        Assert.All(Codecs.Available, codec => Assert.Equal(2, CodecMemory.DecompressingThreads(codec, 2)));
    }
}
