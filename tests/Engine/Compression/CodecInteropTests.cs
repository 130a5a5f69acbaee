using BotCore.Backup.Engine.Compression;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Compression;

/// <summary>bzip2, xz and zstd with the stock tools, both ways. gzip has GzipInteropTests.</summary>
public sealed class CodecInteropTests
{
    /// <summary>Levels of ours, each with the tool that must read it.</summary>
    public static TheoryData<string, int, string> Readers
    {
        get
        {
            var all = new TheoryData<string, int, string>();
            foreach (var (codec, tools) in new[] { ("gzip", new[] { "gzip", "pigz" }), ("bzip2", ["bzip2", "pbzip2", "lbzip2"]), ("xz", ["xz"]), ("zstd", ["zstd"]) })
            {
                var (lowest, highest) = codec switch { "xz" => (0, 9), "zstd" => (1, 19), _ => (1, 9) };
                for (var level = lowest; level <= highest; level++)
                {
                    foreach (var tool in tools)
                        all.Add(codec, level, tool);
                }
            }

            return all;
        }
    }

    [CodecTheory("gzip", "pigz", "bzip2", "pbzip2", "lbzip2", "xz", "zstd")]
    [MemberData(nameof(Readers))]
    public void Stock_tools_read_every_level(string name, int level, string tool)
    {
        var codec = Codecs.ByName(name);
        byte[][] blocks = [[], [1], Samples.Text(200_000), Samples.Noise(200_000), [], Samples.Text(1), new byte[100_000]];
        byte[] stream = [.. blocks.SelectMany(block => Samples.Member(codec, block, level))];

        Assert.Equal([.. blocks.SelectMany(block => block)], StockTool.Run([tool, "-dc"], stream));
        StockTool.Run([tool, "-t"], stream);
    }

    [CodecTheory("gzip", "bzip2", "xz", "zstd")]
    [InlineData("gzip")]
    [InlineData("bzip2")]
    [InlineData("xz")]
    [InlineData("zstd")]
    public void Stock_tools_read_blocks_around_the_full_size(string name)
    {
        var codec = Codecs.ByName(name);
        var level = codec.Levels.Lowest;
        var full = codec.BlockSize(level);
        foreach (var size in new[] { full - 1, full, full + 1 })
        {
            var text = Samples.Text(size);
            Assert.Equal(text, StockTool.Run([name, "-dc"], Samples.Member(codec, text, level)));
            var noise = Samples.Noise(size);
            Assert.Equal(noise, StockTool.Run([name, "-dc"], Samples.Member(codec, noise, level)));
        }
    }

    [CodecTheory("gzip", "pigz", "bzip2", "pbzip2", "lbzip2", "xz", "zstd")]
    [InlineData("gzip", "gzip -1")]
    [InlineData("gzip", "gzip -9")]
    [InlineData("gzip", "pigz -p2 -b128")]
    [InlineData("gzip", "pigz -i -p2")]
    [InlineData("bzip2", "bzip2 -1")]
    [InlineData("bzip2", "bzip2 -9")]
    [InlineData("bzip2", "pbzip2 -p2 -b1 -c")]
    [InlineData("bzip2", "lbzip2 -n2")]
    [InlineData("xz", "xz -0")]
    [InlineData("xz", "xz -6")]
    [InlineData("xz", "xz -1 -T2 --block-size=100KiB")]
    [InlineData("xz", "xz -9e --memlimit-compress=1GiB")]
    [InlineData("xz", "xz -1 --check=sha256")]
    [InlineData("xz", "xz -1 --check=none")]
    [InlineData("xz", "xz -1 --x86 --lzma2")]
    [InlineData("zstd", "zstd -1")]
    [InlineData("zstd", "zstd -3 -T2")]
    [InlineData("zstd", "zstd -19 --no-check")]
    [InlineData("zstd", "zstd --long=27")]
    [InlineData("zstd", "zstd --ultra -22")]
    public void We_read_what_others_wrote(string name, string command)
    {
        var codec = Codecs.ByName(name);
        foreach (var data in new[] { [], [7], Samples.Text(1_500_000), Samples.Noise(300_000) })
        {
            var stream = StockTool.Run(command.Split(' '), data);
            // pbzip2 and lbzip2 make nothing of nothing but a stream all the same; so must every tool here.
            Assert.NotEmpty(stream);
            Assert.Equal(data, Samples.ReadAll(codec, stream));
            Assert.Equal([.. data, .. data], Samples.ReadAll(codec, [.. stream, .. stream]));
        }
    }

    [CodecFact("zstd")]
    public void A_window_of_128_MiB_is_read_and_a_longer_one_refused()
    {
        // What repeats is farther away than any shorter window reaches.
        var noise = Samples.Noise(1 << 20);
        byte[] data = [.. noise, .. new byte[100 << 20], .. noise];
        var codec = Codecs.ByName("zstd");
        var stream = StockTool.Run(["zstd", "-1", "--long=27"], data);
        Assert.InRange(stream.Length, noise.Length, noise.Length + (noise.Length / 2));
        Assert.Equal(data.Length, Count(codec, stream));

        var longer = StockTool.Run(["zstd", "-1", "--long=28"], data);
        var refused = Assert.Throws<InvalidDataException>(() => Count(codec, longer));
        Assert.Contains("128 MiB", refused.Message, StringComparison.Ordinal);
    }

    [CodecFact("xz")]
    public void A_stream_that_wants_more_memory_than_any_preset_is_refused()
    {
        var stream = StockTool.Run(["xz", "--memlimit-compress=4GiB", "--lzma2=preset=0,dict=256MiB"], Samples.Text(1000));
        var refused = Assert.Throws<InvalidDataException>(() => Samples.ReadAll(Codecs.ByName("xz"), stream));
        Assert.Contains("160 MiB", refused.Message, StringComparison.Ordinal);
    }

    [CodecFact("bzip2", "xz", "zstd")]
    public void Padding_is_taken_as_the_tool_takes_it()
    {
        var data = Samples.Text(1000);
        foreach (var (name, taken, refused) in new[] { ("xz", new[] { 4, 512 }, new[] { 1, 3, 6 }), ("zstd", [], [4]) })
        {
            var codec = Codecs.ByName(name);
            var member = Samples.Member(codec, data);
            Assert.All(taken, zeros => Assert.Equal([.. data, .. data], Samples.ReadAll(codec, [.. member, .. new byte[zeros], .. member, .. new byte[zeros]])));
            Assert.All(taken, zeros => Assert.Equal(data, StockTool.Run([name, "-dc"], [.. member, .. new byte[zeros]])));
            Assert.All(refused, zeros => Assert.Throws<InvalidDataException>(() => Samples.ReadAll(codec, [.. member, .. new byte[zeros]])));
            Assert.All(refused, zeros => Assert.Throws<InvalidOperationException>(() => StockTool.Run([name, "-dc"], [.. member, .. new byte[zeros]])));
        }

        var bzip2 = Codecs.ByName("bzip2");
        var stream = Samples.Member(bzip2, data);
        Assert.Equal(data, Samples.ReadAll(bzip2, [.. stream, .. new byte[700]]));
        Assert.Throws<InvalidDataException>(() => Samples.ReadAll(bzip2, [.. stream, 0, 1]));
    }

    private static long Count(ICodec codec, byte[] stream)
    {
        using var reader = codec.OpenReader(new MemoryStream(stream), leaveOpen: false);
        var buffer = new byte[1 << 20];
        long count = 0;
        while (reader.Read(buffer) is > 0 and var read)
            count += read;
        return count;
    }
}
