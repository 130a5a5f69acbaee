using System.Diagnostics;
using System.Runtime.Loader;
using BotCore.Backup.Engine.Compression;
using BotCore.Backup.Engine.Compression.Bzip2;
using BotCore.Backup.Engine.Outside.Adapters;
using BotCore.Backup.TestServers;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Adapters.Tests.SharpZipLib;

/// <summary>bzip2 where there is no libbz2: the same promises, and the same streams.</summary>
[NeedsTools("bzip2")]
public sealed class SharpZipBzip2Tests
{
    private static readonly Bzip2Codec Ours = new(AdapterLoader.Bzip2());

    [Theory]
    [InlineData(1)]
    [InlineData(9)]
    public void Blocks_of_any_content_round_trip(int level)
    {
        using var compressor = Ours.CreateCompressor(level);
        using var decompressor = Ours.CreateDecompressor();
        var property = Prop.ForAll<byte[], byte>((data, runs) =>
        {
            byte[] grown = [.. data, .. Enumerable.Repeat(runs, runs * 5), .. data];
            var member = Member(compressor, grown);
            var block = new byte[grown.Length];
            decompressor.Decompress(member, block);
            return block.AsSpan().SequenceEqual(grown) && ReadAll(member).AsSpan().SequenceEqual(grown);
        });
        property.Check(Config.QuickThrowOnFailure.WithMaxTest(40));
    }

    [ServerTheory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(99_999)]
    [InlineData(100_000)]
    [InlineData(100_001)]
    [InlineData(2_000_000)]
    public void The_stock_tool_reads_it_and_it_reads_the_stock_tool(int length)
    {
        var data = Noise(length);
        using var compressor = Ours.CreateCompressor(1);
        byte[] two = [.. Member(compressor, data), .. Member(compressor, data)];

        Assert.Equal([.. data, .. data], Run(two, "-d"));
        var theirs = Run(data, "-1");
        Assert.Equal(data, ReadAll(theirs));
        Assert.Equal([.. data, .. data], ReadAll([.. theirs, .. theirs]));
        using var decompressor = Ours.CreateDecompressor();
        var block = new byte[length];
        decompressor.Decompress(theirs, block);
        Assert.Equal(data, block);
    }

    [Fact]
    public void Damage_is_told_wherever_it_is_and_never_hangs()
    {
        using var compressor = Ours.CreateCompressor(1);
        var data = Noise(300);
        var member = Member(compressor, data);
        for (var bit = 0; bit < member.Length * 8; bit++)
        {
            var broken = member.ToArray();
            broken[bit / 8] ^= (byte)(1 << (bit % 8));
            // What may differ without harm: the level in the head, the flag of a randomised block (which so short a one does not notice), and the bits that pad the last byte.
            if (Read(broken) is { } read)
                Assert.True(read.AsSpan().SequenceEqual(data) && (bit / 8 == 3 || bit == 119 || bit / 8 == member.Length - 1), $"bit {bit}");
        }

        for (var length = 0; length < member.Length; length++)
            Assert.Null(Read(member[..length]));
    }

    [Fact]
    public void Only_zeros_may_follow()
    {
        using var compressor = Ours.CreateCompressor(1);
        using var decompressor = Ours.CreateDecompressor();
        var member = Member(compressor, [1, 2, 3]);

        Assert.Equal([1, 2, 3], ReadAll([.. member, 0, 0, 0]));
        Assert.Null(Read([.. member, 0, 1]));
        Assert.Null(Read([.. member, 1]));
        Assert.Null(Read([]));
        Assert.Null(Read([.. "not bzip2 at all"u8]));
        Assert.Throws<InvalidDataException>(() => decompressor.Decompress([.. member, 0], new byte[3]));
        Assert.Throws<InvalidDataException>(() => decompressor.Decompress(member, new byte[2]));
        Assert.Throws<InvalidDataException>(() => decompressor.Decompress(member, new byte[4]));
    }

    [Fact]
    public void An_error_of_the_source_stays_what_it_is()
    {
        using var compressor = Ours.CreateCompressor(1);
        var member = Member(compressor, Noise(500_000));
        using var reader = Ours.OpenReader(new Breaking(member, 250_000), leaveOpen: false);

        Assert.Throws<TimeoutException>(() => reader.CopyTo(Stream.Null));
        Assert.Throws<TimeoutException>(() => reader.ReadByte());
    }

    [Fact]
    public void The_library_stays_in_the_context_of_the_adapters()
    {
        using var compressor = Ours.CreateCompressor(9);
        Member(compressor, [1]);

        var library = AppDomain.CurrentDomain.GetAssemblies().Where(assembly => string.Equals(assembly.GetName().Name, "ICSharpCode.SharpZipLib", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(library);
        Assert.All(library, assembly => Assert.NotSame(AssemblyLoadContext.Default, AssemblyLoadContext.GetLoadContext(assembly)));
    }

    private static byte[] Member(IBlockCompressor compressor, byte[] data)
    {
        var member = new byte[compressor.MaximumLength(data.Length)];
        return member[..compressor.Compress(data, member)];
    }

    private static byte[] ReadAll(byte[] compressed)
    {
        using var reader = Ours.OpenReader(new MemoryStream(compressed), leaveOpen: false);
        using var all = new MemoryStream();
        reader.CopyTo(all);
        return all.ToArray();
    }

    // Null where it is damaged.
    private static byte[]? Read(byte[] compressed)
    {
        try
        {
            return ReadAll(compressed);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private static byte[] Noise(int length)
    {
        var noise = new byte[length];
        new Random(length).NextBytes(noise);
        return noise;
    }

    private static byte[] Run(byte[] input, string argument)
    {
        using var process = Process.Start(new ProcessStartInfo("bzip2", [argument, "-c"]) { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false })!;
        var feeding = Task.Run(() =>
        {
            process.StandardInput.BaseStream.Write(input);
            process.StandardInput.Close();
        });
        using var output = new MemoryStream();
        process.StandardOutput.BaseStream.CopyTo(output);
        feeding.Wait();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return output.ToArray();
    }

    private sealed class Breaking(byte[] content, int after) : MemoryStream(content)
    {
        public override int Read(Span<byte> buffer) => Position >= after ? throw new TimeoutException("The line is dead.") : base.Read(buffer[..Math.Min(buffer.Length, 1000)]);
    }
}
