using System.Buffers.Binary;
using System.Diagnostics;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Compression;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Compression;

/// <summary>5 GiB through each codec and its stock tool, both ways: lengths that 32 bits do not hold, in memory that does not grow.</summary>
public sealed class StreamingTests
{
    private const long FiveGib = 5L << 30;

    [CodecFact("zstd")]
    public void Five_gibibytes_pass_through_zstd_and_its_tool() => PassBothWays("zstd");

    [LongTheory("gzip", "bzip2", "xz")]
    [InlineData("gzip")]
    [InlineData("bzip2")]
    [InlineData("xz")]
    public void Five_gibibytes_pass_through_the_others_and_their_tools(string name) => PassBothWays(name);

    private static void PassBothWays(string name)
    {
        var codec = Codecs.ByName(name);
        ToolReads(codec);
        WeRead(codec);
    }

    private static void ToolReads(ICodec codec)
    {
        using var tool = Start(codec.Name, "-dc");
        var feeding = Task.Factory.StartNew(() => Compress(codec, tool.StandardInput.BaseStream), TaskCreationOptions.LongRunning);
        Assert.Equal(FiveGib, Pattern.Compare(tool.StandardOutput.BaseStream));
        tool.WaitForExit();
        feeding.GetAwaiter().GetResult();
        Assert.Equal(0, tool.ExitCode);
    }

    private static void Compress(ICodec codec, Stream target)
    {
        var source = new Pattern(FiveGib);
        using (var pipeline = new BlockPipeline(codec, codec.Levels.Lowest, 2, block => target.Write(block.Member.Span)))
        {
            while (true)
            {
                var block = pipeline.Rent();
                block.Length = source.ReadAtLeast(block.Buffer, block.Buffer.Length, throwOnEndOfStream: false);
                if (block.Length == 0)
                    break;
                pipeline.Submit(block);
            }

            pipeline.Complete();
        }

        target.Dispose();
    }

    private static void WeRead(ICodec codec)
    {
        using var tool = Start(codec.Name, "-1c");
        var feeding = Task.Factory.StartNew(
            () =>
            {
                new Pattern(FiveGib).CopyTo(tool.StandardInput.BaseStream, 1 << 20);
                tool.StandardInput.Close();
            },
            TaskCreationOptions.LongRunning);
        using var reader = codec.OpenReader(tool.StandardOutput.BaseStream, leaveOpen: true);
        Assert.Equal(FiveGib, Pattern.Compare(reader));
        tool.WaitForExit();
        feeding.GetAwaiter().GetResult();
        Assert.Equal(0, tool.ExitCode);
    }

    private static Process Start(string tool, string option) =>
        Process.Start(new ProcessStartInfo(tool, [option]) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true })!;

    /// <summary>Every MiB begins with its number; the rest is zeros.</summary>
    private sealed class Pattern(long length) : ForwardStream
    {
        private const int Piece = 1 << 20;

        private long _position;

        public override bool CanRead => true;

        public static long Compare(Stream stream)
        {
            var expected = new byte[Piece];
            var piece = new byte[Piece];
            for (long number = 0; ; number++)
            {
                var read = stream.ReadAtLeast(piece, Piece, throwOnEndOfStream: false);
                BinaryPrimitives.WriteInt64LittleEndian(expected, number);
                Assert.True(expected.AsSpan(0, read).SequenceEqual(piece.AsSpan(0, read)), $"MiB {number} is another.");
                if (read < Piece)
                    return (number * Piece) + read;
            }
        }

        public override int Read(Span<byte> buffer)
        {
            var count = (int)Math.Min(buffer.Length, Math.Min(length - _position, Piece - (_position % Piece)));
            var part = buffer[..count];
            part.Clear();
            var within = (int)(_position % Piece);
            if (within < sizeof(long))
            {
                var number = new byte[sizeof(long)];
                BinaryPrimitives.WriteInt64LittleEndian(number, _position / Piece);
                number.AsSpan(within, Math.Min(sizeof(long) - within, count)).CopyTo(part);
            }

            _position += count;
            return count;
        }
    }
}
