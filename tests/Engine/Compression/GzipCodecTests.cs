using BotCore.Backup.Engine.Compression;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Compression;

public sealed class GzipCodecTests
{
    [Fact]
    public void Managed_does_without_the_library() => Assert.False(Samples.Managed.Native);

    [NativeFact]
    public void Native_is_used_where_the_library_is() => Assert.True(Samples.Native.Native);

    [Fact]
    public void Managed_round_trips() => RoundTrips(Samples.Managed, Samples.Managed);

    [NativeFact]
    public void Native_round_trips() => RoundTrips(Samples.Native, Samples.Native);

    [NativeFact]
    public void Managed_opens_what_native_made() => RoundTrips(Samples.Native, Samples.Managed);

    [NativeFact]
    public void Native_opens_what_managed_made() => RoundTrips(Samples.Managed, Samples.Native);

    [Fact]
    public void Managed_round_trips_blocks_of_any_size() => RoundTripsBlocks(Samples.Managed);

    [NativeFact]
    public void Native_round_trips_blocks_of_any_size() => RoundTripsBlocks(Samples.Native);

    [Fact]
    public void Managed_header_is_fixed() => HeaderIsFixed(Samples.Managed);

    [NativeFact]
    public void Native_header_is_fixed() => HeaderIsFixed(Samples.Native);

    [Fact]
    public void Managed_refuses_everything_but_the_member() => RefusesEverythingElse(Samples.Managed);

    [NativeFact]
    public void Native_refuses_everything_but_the_member() => RefusesEverythingElse(Samples.Native);

    [Fact]
    public void Managed_refuses_every_flip_and_cut() => RefusesFlipsAndCuts(Samples.Managed);

    [NativeFact]
    public void Native_refuses_every_flip_and_cut() => RefusesFlipsAndCuts(Samples.Native);

    [Fact]
    public void Managed_stores_what_does_not_compress()
    {
        foreach (var length in new[] { 1, 65535, 65536, 131070, 131071, Samples.BlockSize })
        {
            var noise = Samples.Noise(length);
            Assert.InRange(Samples.Member(Samples.Managed, noise, 1).Length, 0, length + 18 + (5 * ((length / 65535) + 1)));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    public void Levels_are_1_to_9(int level)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Samples.Managed.CreateCompressor(level));
        Assert.Throws<ArgumentOutOfRangeException>(() => Samples.Native.CreateCompressor(level));
    }

    [Fact]
    public void Managed_levels_differ() => HigherLevelsAreSmaller(Samples.Managed);

    [NativeFact]
    public void Native_levels_differ() => HigherLevelsAreSmaller(Samples.Native);

    [Fact]
    public void Managed_refuses_a_buffer_that_is_too_short() => RefusesShortBuffers(Samples.Managed);

    [NativeFact]
    public void Native_refuses_a_buffer_that_is_too_short() => RefusesShortBuffers(Samples.Native);

    [NativeFact]
    public void Native_that_was_disposed_says_so()
    {
        var compressor = Samples.Native.CreateCompressor(1);
        var decompressor = Samples.Native.CreateDecompressor();
        compressor.Dispose();
        decompressor.Dispose();

        Assert.Throws<ObjectDisposedException>(() => compressor.Compress([1], new byte[100]));
        Assert.Throws<ObjectDisposedException>(() => decompressor.Decompress(new byte[30], new byte[1]));
    }

    [NativeFact]
    public void Level_6_spends_more_on_what_is_far_from_random()
    {
        var random = new Random(5);
        var words = Enumerable.Range(0, 1 << 16).Select(number => $"order {random.Next(1 << random.Next(20))} filled at {random.Next(4096)};");
        var digits = System.Text.Encoding.ASCII.GetBytes(string.Concat(words));
        var programs = Samples.Text(digits.Length);

        Assert.True(Samples.Member(Samples.Native, digits, 6).Length < Samples.Member(Samples.Native, digits, 5).Length);
        Assert.Equal(Samples.Member(Samples.Native, programs, 5), Samples.Member(Samples.Native, programs, 6));
    }

    private static void RoundTrips(GzipCodec writes, GzipCodec reads)
    {
        var property = Prop.ForAll<byte[], byte>((data, seed) =>
        {
            var level = 1 + (seed % 9);
            byte[] grown = [.. data, .. Samples.Text(seed * data.Length, seed)];
            var member = Samples.Member(writes, grown, level);
            return Samples.Open(reads, member, grown.Length).AsSpan().SequenceEqual(grown) && Samples.ReadAll(reads, member).AsSpan().SequenceEqual(grown);
        });
        property.QuickCheckThrowOnFailure();
    }

    private static void RoundTripsBlocks(GzipCodec codec)
    {
        foreach (var size in Samples.Sizes)
        {
            foreach (var data in new[] { Samples.Text(size), Samples.Noise(size), new byte[size] })
            {
                foreach (var level in new[] { 1, 6, 9 })
                    Assert.Equal(data, Samples.Open(codec, Samples.Member(codec, data, level), size));
            }
        }
    }

    private static void HeaderIsFixed(GzipCodec codec)
    {
        foreach (var data in new[] { [], Samples.Text(1000), Samples.Noise(1000) })
        {
            for (var level = 1; level <= 9; level++)
            {
                var member = Samples.Member(codec, data, level);
                Assert.Equal<byte>([0x1F, 0x8B, 8, 0, 0, 0, 0, 0], member[..8]);
                Assert.Equal(255, member[9]);
                Assert.Equal(Samples.Member(codec, data, level), member);
            }
        }
    }

    private static void RefusesEverythingElse(GzipCodec codec)
    {
        foreach (var size in new[] { 0, 1, 1000, 200_000 })
        {
            var data = Samples.Text(size);
            var member = Samples.Member(codec, data);

            Refused(codec, member, size + 1);
            if (size > 0)
            {
                Refused(codec, member, size - 1);
                Refused(codec, member, 0);
            }

            Refused(codec, [.. member, 0], size);
            Refused(codec, [.. member, .. member], size);
            Refused(codec, [.. member, .. member], 2 * size);
            Refused(codec, [.. member, .. Samples.Member(codec, [])], size);
            Refused(codec, [0, .. member], size);
        }

        Refused(codec, [], 0);
    }

    private static void RefusesFlipsAndCuts(GzipCodec codec)
    {
        foreach (var data in new[] { [], Samples.Text(300), Samples.Noise(100) })
        {
            var member = Samples.Member(codec, data);
            for (var cut = 0; cut < member.Length; cut++)
                Refused(codec, member[..cut], data.Length);
            for (var bit = 0; bit < member.Length * 8; bit++)
            {
                var flipped = (byte[])member.Clone();
                flipped[bit / 8] ^= (byte)(1 << (bit % 8));
                if (GzipReaderTests.IsHarmless(bit))
                    Assert.Equal(data, Samples.Open(codec, flipped, data.Length));
                else if (!GzipReaderTests.IsDeflateData(bit, member.Length) || !OpensAsBefore(codec, flipped, data))
                    Refused(codec, flipped, data.Length);
            }
        }
    }

    private static bool OpensAsBefore(GzipCodec codec, byte[] flipped, byte[] data)
    {
        try
        {
            return Samples.Open(codec, flipped, data.Length).AsSpan().SequenceEqual(data);
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private static void Refused(GzipCodec codec, byte[] member, int length) =>
        Assert.Throws<InvalidDataException>(() => Samples.Open(codec, member, length));

    private static void HigherLevelsAreSmaller(GzipCodec codec)
    {
        var data = Samples.Text(Samples.BlockSize);
        var fast = Samples.Member(codec, data, 1).Length;
        Assert.InRange(Samples.Member(codec, data).Length, 1, fast - 1);
        Assert.InRange(Samples.Member(codec, data, 9).Length, 1, fast - 1);
    }

    private static void RefusesShortBuffers(GzipCodec codec)
    {
        using var compressor = codec.CreateCompressor(6);
        Assert.Throws<ArgumentException>(() => compressor.Compress(new byte[] { 1, 2, 3 }, new byte[15]));
        Assert.Throws<ArgumentException>(() => compressor.Compress([], []));
    }
}
