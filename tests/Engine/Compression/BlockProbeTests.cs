using System.Text;
using BotCore.Backup.Engine.Compression;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Compression;

public sealed class BlockProbeTests
{
    private const int Length = 1 << 20;

    [Fact]
    public void Random_bytes_are_not_squeezed() => Assert.True(BlockProbe.IsIncompressible(Samples.Noise(Length)));

    [Fact]
    public void Text_zeros_and_numbers_are()
    {
        Assert.False(BlockProbe.IsIncompressible(Samples.Text(Length)));
        Assert.False(BlockProbe.IsIncompressible(new byte[Length]));
        var random = new Random(3);
        Assert.False(BlockProbe.IsIncompressible([.. Enumerable.Range(0, Length / 8).SelectMany(_ => BitConverter.GetBytes(random.NextDouble() * 60_000))]));
    }

    [Fact]
    public void A_twentieth_of_text_among_noise_is_worth_it()
    {
        var mixed = Samples.Noise(Length);
        var text = Encoding.ASCII.GetBytes(string.Join(' ', Enumerable.Range(0, 2000).Select(number => $"the trade of number {number} was filled")));
        for (var start = 0; start < Length; start += Length / 64)
            text.AsSpan(0, Length / 64 / 20).CopyTo(mixed.AsSpan(start));
        Assert.False(BlockProbe.IsIncompressible(mixed));
    }

    [Fact]
    public void Little_is_never_judged() => Assert.False(BlockProbe.IsIncompressible(Samples.Noise((64 << 10) - 1)));

    [CodecFact]
    public void What_was_compressed_before_is_stored_by_every_codec_that_can()
    {
        foreach (var inner in Codecs.Available)
        {
            var packed = Samples.Member(inner, Samples.Text(2_000_000));
            var isStored = BlockProbe.IsIncompressible(packed);
            // Literals that zstd leaves as Huffman codes keep a hundredth of a bit, which may be squeezed for nothing; it is read back all the same.
            Assert.True(isStored || inner.Name is "zstd", inner.Name);
            foreach (var codec in Codecs.Available)
            {
                var member = Samples.Member(codec, packed, codec.DefaultLevel);
                Assert.Equal(packed, Samples.Open(codec, member, packed.Length));
                Assert.InRange(member.Length, 1, packed.Length + (packed.Length / 100) + 700);
                // Stored, the bytes stand in the member as they are; bzip2 has no such form.
                if (isStored && codec.Name is not "bzip2")
                    Assert.True(member.AsSpan().IndexOf(packed.AsSpan(70_000, 1000)) >= 0, $"{inner.Name} in {codec.Name} was squeezed.");
            }
        }
    }
}
