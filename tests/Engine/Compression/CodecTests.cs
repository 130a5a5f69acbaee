using BotCore.Backup.Engine.Compression;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Compression;

/// <summary>What every codec owes. gzip has tests of its own besides.</summary>
public sealed class CodecTests
{
    public static TheoryData<string> Names => [.. Codecs.Names];

    /// <summary>Every codec with every level.</summary>
    public static TheoryData<string, int> Levels
    {
        get
        {
            var all = new TheoryData<string, int>();
            foreach (var codec in Codecs.Available)
            {
                for (var level = codec.Levels.Lowest; level <= codec.Levels.Highest; level++)
                    all.Add(codec.Name, level);
            }

            return all;
        }
    }

    [CodecTheory]
    [MemberData(nameof(Levels))]
    public void Blocks_of_any_content_round_trip(string name, int level)
    {
        var codec = Codecs.ByName(name);
        using var compressor = codec.CreateCompressor(level);
        using var decompressor = codec.CreateDecompressor();
        var property = Prop.ForAll<byte[], byte>((data, seed) =>
        {
            byte[] grown = [.. data, .. Samples.Text(seed * data.Length, seed), .. Samples.Noise(data.Length, seed)];
            var member = new byte[compressor.MaximumLength(grown.Length)];
            member = member[..compressor.Compress(grown, member)];
            var block = new byte[grown.Length];
            decompressor.Decompress(member, block);
            return block.AsSpan().SequenceEqual(grown) && Samples.ReadAll(codec, member).AsSpan().SequenceEqual(grown);
        });
        property.Check(Config.QuickThrowOnFailure.WithMaxTest(30));
    }

    [CodecTheory]
    [MemberData(nameof(Names))]
    public void Blocks_around_the_full_size_round_trip(string name)
    {
        var codec = Codecs.ByName(name);
        var level = codec.Levels.Lowest;
        var full = codec.BlockSize(level);
        Assert.InRange(full, 1, ParallelMemberReader.LongestBlock);
        foreach (var size in new[] { 0, 1, full - 1, full, full + 1 })
        {
            Assert.Equal(Samples.Text(size), Samples.Open(codec, Samples.Member(codec, Samples.Text(size), level), size));
            Assert.Equal(Samples.Noise(size), Samples.Open(codec, Samples.Member(codec, Samples.Noise(size), level), size));
        }
    }

    [CodecTheory]
    [MemberData(nameof(Names))]
    public void Members_in_a_row_are_one_stream(string name)
    {
        var codec = Codecs.ByName(name);
        var (stream, plain, lengths) = Samples.Members(codec, 3000, 0, 1, 70_000, 0);

        Assert.Equal(plain, Samples.ReadAll(codec, stream));
        using (var slowly = codec.OpenReader(new PiecewiseStream(stream, 7), leaveOpen: false))
            Assert.Equal(plain, Samples.ReadAll(slowly));
        using var parallel = new ParallelMemberReader(new MemoryStream(stream), lengths, codec, 3);
        Assert.Equal(plain, Samples.ReadAll(parallel));
    }

    [CodecTheory]
    [MemberData(nameof(Names))]
    public void A_pipeline_of_blocks_comes_back(string name)
    {
        var codec = Codecs.ByName(name);
        var level = codec.Levels.Lowest;
        using var stream = new MemoryStream();
        using var plain = new MemoryStream();
        var lengths = new List<(int, int)>();
        using (var pipeline = new BlockPipeline(codec, level, 2, Sink))
        {
            for (var i = 0; i < 12; i++)
            {
                var block = pipeline.Rent();
                Assert.Equal(codec.BlockSize(level), block.Buffer.Length);
                var data = Samples.Text(100_000 * (i % 4), i);
                data.CopyTo(block.Buffer, 0);
                block.Length = data.Length;
                plain.Write(data);
                pipeline.Submit(block);
            }

            pipeline.Complete();
        }

        Assert.Equal(plain.ToArray(), Samples.ReadAll(codec, stream.ToArray()));
        using var reader = new ParallelMemberReader(new MemoryStream(stream.ToArray()), lengths, codec, 2);
        Assert.Equal(plain.ToArray(), Samples.ReadAll(reader));

        void Sink(CompressedBlock block)
        {
            lengths.Add((block.Member.Length, block.PlainLength));
            stream.Write(block.Member.Span);
        }
    }

    [CodecTheory]
    [MemberData(nameof(Names))]
    public void A_member_is_opened_only_as_what_it_is(string name)
    {
        var codec = Codecs.ByName(name);
        var data = Samples.Text(5000);
        var member = Samples.Member(codec, data);

        Assert.Equal(data, Samples.Open(codec, member, data.Length));
        Assert.Throws<InvalidDataException>(() => Samples.Open(codec, member, data.Length - 1));
        Assert.Throws<InvalidDataException>(() => Samples.Open(codec, member, data.Length + 1));
        Assert.Throws<InvalidDataException>(() => Samples.Open(codec, member, 0));
        Assert.Throws<InvalidDataException>(() => Samples.Open(codec, [.. member, 0], data.Length));
        Assert.Throws<InvalidDataException>(() => Samples.Open(codec, [.. member, .. member], data.Length));
        Assert.Throws<InvalidDataException>(() => Samples.Open(codec, [], 0));
        // And what failed once opens the next one as before.
        using var decompressor = codec.CreateDecompressor();
        Assert.Throws<InvalidDataException>(() => decompressor.Decompress(member.AsSpan(0, 40), new byte[data.Length]));
        var block = new byte[data.Length];
        decompressor.Decompress(member, block);
        Assert.Equal(data, block);
    }

    [CodecTheory]
    [MemberData(nameof(Names))]
    public void No_flip_of_a_bit_gives_other_data(string name)
    {
        var codec = Codecs.ByName(name);
        var data = Samples.Text(900);
        var member = Samples.Member(codec, data);
        for (var bit = 0; bit < member.Length * 8; bit++)
        {
            byte[] flipped = [.. member];
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            AssertSameOrRefused(() => Samples.Open(codec, flipped, data.Length), data);
            AssertSameOrRefused(() => Samples.ReadAll(codec, flipped), data);
        }
    }

    [CodecTheory]
    [MemberData(nameof(Names))]
    public void No_cut_passes(string name)
    {
        var codec = Codecs.ByName(name);
        var (stream, _, lengths) = Samples.Members(codec, 900, 400);
        for (var length = 0; length < stream.Length; length++)
        {
            if (length == lengths[0].Compressed)
                continue;
            Assert.Throws<InvalidDataException>(() => Samples.ReadAll(codec, stream[..length]));
        }
    }

    [CodecTheory]
    [MemberData(nameof(Names))]
    public void Garbage_ends_in_an_error_and_soon(string name)
    {
        var codec = Codecs.ByName(name);
        var head = Samples.Member(codec, Samples.Text(1000))[..12];
        var property = Prop.ForAll<byte[]>(tail =>
        {
            var damaged = new List<byte[]> { tail, ([.. head, .. tail, .. Samples.Noise(tail.Length * 7, tail.Length)]) };
            return damaged.TrueForAll(stream =>
            {
                try
                {
                    using var reader = codec.OpenReader(new MemoryStream(stream), leaveOpen: false);
                    // A bomb would go on for ever.
                    var buffer = new byte[1 << 16];
                    long read = 0;
                    while (reader.Read(buffer) is > 0 and var got && read < 64 << 20)
                        read += got;
                    return false;
                }
                catch (InvalidDataException)
                {
                    return true;
                }
            });
        });
        property.Check(Config.QuickThrowOnFailure.WithMaxTest(200));
    }

    [CodecTheory]
    [MemberData(nameof(Names))]
    public void What_failed_stays_failed(string name)
    {
        var codec = Codecs.ByName(name);
        var member = Samples.Member(codec, Samples.Text(200_000));
        using var reader = codec.OpenReader(new MemoryStream(member[..^20]), leaveOpen: false);
        var first = Assert.Throws<InvalidDataException>(() => Samples.ReadAll(reader));
        Assert.Same(first, Assert.Throws<InvalidDataException>(() => reader.ReadByte()));
    }

    [CodecTheory]
    [MemberData(nameof(Names))]
    public void The_source_is_closed_or_left_as_asked(string name)
    {
        var codec = Codecs.ByName(name);
        var (stream, _, _) = Samples.Members(codec, 10);
        foreach (var leaveOpen in new[] { true, false })
        {
            var source = new PiecewiseStream(stream, 100);
            var reader = codec.OpenReader(source, leaveOpen);
            Samples.ReadAll(reader);
            reader.Dispose();
            Assert.Equal(!leaveOpen, source.Disposed);
            Assert.Throws<ObjectDisposedException>(() => reader.ReadByte());
        }
    }

    [CodecTheory]
    [MemberData(nameof(Levels))]
    public void Bounds_hold_for_every_member(string name, int level)
    {
        var codec = Codecs.ByName(name);
        using var compressor = codec.CreateCompressor(level);
        foreach (var length in new[] { 0, 1, 1000, 65_536, 300_000 })
        {
            Assert.InRange(compressor.MaximumLength(length), 1, ParallelMemberReader.MaximumMemberLength(length));
            Assert.InRange(Samples.Member(codec, Samples.Noise(length), level).Length, 1, compressor.MaximumLength(length));
        }

        Assert.Throws<ArgumentException>(() => compressor.Compress(Samples.Noise(1000), new byte[20]));
        Assert.Throws<ArgumentOutOfRangeException>(() => codec.CreateCompressor(codec.Levels.Highest + 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => codec.CreateCompressor(codec.Levels.Lowest - 1));
    }

    [CodecTheory]
    [MemberData(nameof(Names))]
    public void Nothing_shrinks_more_than_is_said(string name)
    {
        var codec = Codecs.ByName(name);
        var zeros = new byte[codec.BlockSize(codec.DefaultLevel)];
        var member = Samples.Member(codec, zeros, codec.Levels.Highest);
        Assert.InRange((long)zeros.Length, 1, (long)member.Length * codec.MaximumRatio);
        Assert.Equal(zeros, Samples.Open(codec, member, zeros.Length));
    }

    private static void AssertSameOrRefused(Func<byte[]> open, byte[] data)
    {
        byte[] opened;
        try
        {
            opened = open();
        }
        catch (InvalidDataException)
        {
            return;
        }

        Assert.Equal(data, opened);
    }
}
