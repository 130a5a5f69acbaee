using System.Buffers;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Archives.Tar;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Archives.Tar;

public sealed class TarRoundTripTests
{
    private static readonly Arbitrary<int> Seeds = Arb.From(Gen.Choose(0, int.MaxValue));

    [Fact]
    public void What_was_written_is_read()
        => Prop.ForAll(Seeds, seed =>
        {
            var samples = new TarSampleGenerator(seed).Samples();
            var read = TarSample.Read(TarSample.Write(samples));
            return samples.Select(sample => sample.Describe()).SequenceEqual(read.Select(sample => sample.Describe()), StringComparer.Ordinal);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_stream_that_gives_few_bytes_at_a_time_is_read_the_same()
        => Prop.ForAll(Seeds, seed =>
        {
            var samples = new TarSampleGenerator(seed).Samples();
            using var stream = new TricklingStream(TarSample.Write(samples), seed);
            var read = TarSample.Read(stream, step: 40_000);
            return samples.Select(sample => sample.Describe()).SequenceEqual(read.Select(sample => sample.Describe()), StringComparer.Ordinal);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Positions_say_where_each_entry_and_its_content_are()
        => Prop.ForAll(Seeds, seed =>
        {
            var samples = new TarSampleGenerator(seed).Samples();
            var output = new ArrayBufferWriter<byte>();
            var writer = new TarHeaderWriter();
            writer.WriteGlobalComment("id", output);
            var expected = new List<(long Start, long Content)>();
            foreach (var sample in samples)
            {
                var start = output.WrittenCount;
                sample.Write(writer, output);
                var data = TarHeaderWriter.DataSize(sample.Entry);
                expected.Add((start, output.WrittenCount - TarFormat.Padding(data) - sample.Content.Length));
            }

            TarHeaderWriter.WriteEnd(output.WrittenCount, output);
            using var reader = new TarReader(new MemoryStream(output.WrittenSpan.ToArray()), TarReaderOptions.Ours);
            var seen = new List<(long, long)>();
            while (reader.MoveNext())
                seen.Add((reader.EntryStart, reader.Position));
            return seen.SequenceEqual(expected) && reader.Position == output.WrittenCount && reader.Position % TarFormat.RecordSize == 0;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_global_comment_is_read_back()
    {
        var output = new ArrayBufferWriter<byte>();
        new TarHeaderWriter().WriteGlobalComment("botbackup 0123 ü", output);
        TarHeaderWriter.WriteEnd(output.WrittenCount, output);

        using var reader = new TarReader(new MemoryStream(output.WrittenSpan.ToArray()), TarReaderOptions.Ours);

        Assert.False(reader.MoveNext());
        Assert.Equal("botbackup 0123 ü", reader.GlobalComment);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(9216)]
    [InlineData(9728)]
    [InlineData(10240)]
    [InlineData(1L << 40)]
    public void The_end_has_two_zero_blocks_and_fills_a_record(long length)
    {
        var end = TarHeaderWriter.EndLength(length);

        Assert.InRange(end, 1024, 1024 + 10239);
        Assert.Equal(0, (length + end) % 10240);
    }

    [Fact]
    public void A_plain_entry_takes_one_header_block()
    {
        var output = new ArrayBufferWriter<byte>();

        TarSample.File("config/app.env", "").Write(new TarHeaderWriter(), output);

        Assert.Equal(512, output.WrittenCount);
        Assert.Equal("config/app.env\0"u8, output.WrittenSpan[..15]);
        Assert.Equal("ustar\00000000000"u8[..8], output.WrittenSpan[257..265]);
    }

    [Theory]
    [InlineData(0, 512, 600, 7, 607, true)]
    [InlineData(0, 512, 600, 7, 606, false)]
    [InlineData(0, 511, 600, 7, 700, false)]
    [InlineData(0, 512, 511, 512, 5000, false)]
    [InlineData(600, 512, 0, 512, 5000, false)]
    [InlineData(-1, 512, 600, 512, 5000, false)]
    [InlineData(0, 512, 600, long.MaxValue, long.MaxValue, false)]
    public void Only_maps_that_gnu_tar_unpacks_are_stored(long offset, long length, long offset2, long length2, long size, bool stored)
        => Assert.Equal(stored, TarHeaderWriter.CanStoreSparse([new(offset, length), new(offset2, length2)], size));

    [Fact]
    public void A_map_of_too_many_runs_is_not_written()
    {
        var runs = Enumerable.Range(0, TarFormat.MaximumSparseRuns + 1).Select(at => new SparseRun(2L * at, 1)).ToArray();
        var entry = new ArchiveEntry { Path = new EntryPath("a"), Kind = EntryKind.File, Size = 4_000_000, Sparse = runs };

        Assert.Throws<ArgumentException>(() => new TarHeaderWriter().Write(entry, new ArrayBufferWriter<byte>()));
    }

    /// <summary>Gives one to 700 bytes a read.</summary>
    private sealed class TricklingStream(byte[] bytes, int seed) : MemoryStream(bytes)
    {
        private readonly Random _random = new(seed);

        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, _random.Next(1, 700))]);
    }
}
