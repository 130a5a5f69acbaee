using System.IO.Compression;
using System.Text;
using BotCore.Backup.Engine.Compression;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Compression;

/// <summary>Holds the inflater to zlib's, on data of many kinds and on hand-made breaches of the format.</summary>
public sealed class InflaterTests
{
    [Fact]
    public void It_reads_what_every_level_and_strategy_of_zlib_makes()
    {
        byte[][] kinds = [Samples.Text(700_000), Samples.Noise(300_000), new byte[1_000_000], Runs(400_000), Words(900_000), Skewed(400_000)];
        foreach (var data in kinds)
        {
            foreach (var strategy in Enum.GetValues<ZLibCompressionStrategy>())
            {
                foreach (var level in new[] { 0, 1, 2, 6, 9 })
                {
                    var deflated = Deflate(data, level, strategy);
                    Assert.Equal(data, Inflate(new MemoryStream(deflated)));
                    if (level == 6)
                        Assert.Equal(data, Inflate(new PiecewiseStream(deflated, 13)));
                }
            }
        }
    }

    [Fact]
    public void It_agrees_with_zlib_on_what_is_damaged()
    {
        var random = new Random(7);
        var data = Words(3000);
        var (whole, damaged) = (0, 0);
        foreach (var level in new[] { 0, 1, 6 })
        {
            var deflated = Deflate(data, level, level == 1 ? ZLibCompressionStrategy.Fixed : ZLibCompressionStrategy.Default);
            for (var round = 0; round < 3000; round++)
            {
                var flipped = (byte[])deflated.Clone();
                for (var flips = random.Next(3); flips >= 0; flips--)
                    flipped[random.Next(round % 2 == 0 ? 60 : flipped.Length)] ^= (byte)(1 << random.Next(8));

                // DeflateStream takes a mere lack of input for the end: it is the end only where more input changes nothing.
                byte[] padded = [.. flipped, .. new byte[600]];
                var theirs = TryZlib(padded);
                if (theirs is not null && TryZlib([.. padded, .. new byte[600]])?.Length != theirs.Length)
                    theirs = null;
                Assert.Equal(theirs, TryInflate(round % 3 == 0 ? new PiecewiseStream(padded, 5) : new MemoryStream(padded)));
                if (theirs is null)
                    damaged++;
                else
                    whole++;
            }
        }

        Assert.True(whole > 100 && damaged > 1000, $"{whole} whole, {damaged} damaged");
    }

    [Theory]
    [InlineData("07", "type 3")]
    [InlineData("01 01 00 FF FF 41", "a stored length and its complement differ")]
    [InlineData("4B 04 42 00", "a distance before the start")]
    [InlineData("1B 03 00", "length symbol 286")]
    [InlineData("4B 04 3E 00", "distance symbol 30")]
    [InlineData("F5 C0 01 04 00 00 00 00 10", "287 length symbols")]
    [InlineData("05 DE 01 04 00 00 00 00 10", "31 distance symbols")]
    [InlineData("05 C0 01 04 00 00 00 40 10", "over-subscribed code of code lengths")]
    [InlineData("05 00 00 05", "incomplete code of code lengths")]
    [InlineData("05 00 80 00", "code of code lengths with one symbol")]
    [InlineData("05 00 04 25 00", "repeat without a length before")]
    [InlineData("05 00 04 E5 FF 7F", "repeat past the last length")]
    [InlineData("05 00 04 E5 FF 6D", "no end of block")]
    [InlineData("05 80 01 09 00 00 00 40 FC 5F 2D", "incomplete code of lengths")]
    [InlineData("05 C0 01 09 00 00 00 00 90 FF AF 15", "the unused half of a code with one symbol")]
    [InlineData("0D C0 01 09 00 00 00 00 90 FF AF 29", "a match without distances")]
    [InlineData("05 C0 01 09 00 00 00 00 10 FC 1F 2D", "over-subscribed code of lengths")]
    public void Breaches_are_refused(string hex, string breach)
    {
        byte[] data = [.. Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)), .. new byte[64]];
        Assert.True(TryInflate(new MemoryStream(data)) is null, breach);
        Assert.True(TryInflate(new PiecewiseStream(data, 1)) is null, breach);
        Assert.True(TryZlib(data) is null, breach);
    }

    [Theory]
    [InlineData("4B 04 02 00", "aaaa", "a match of distance 1")]
    [InlineData("05 C0 01 09 00 00 00 00 90 FF AF 05", "", "a code whose one symbol is the end of block")]
    [InlineData("03 00", "", "an empty fixed block")]
    [InlineData("00 01 00 FE FF 61 00 00 00 FF FF 01 00 00 FF FF", "a", "three stored blocks")]
    public void Rare_forms_are_read(string hex, string plain, string form)
    {
        var data = Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
        Assert.True(TryInflate(new MemoryStream([.. data, .. new byte[64]])) is { } fast && fast.AsSpan().SequenceEqual(Encoding.ASCII.GetBytes(plain)), form);
        Assert.True(TryInflate(new PiecewiseStream(data, 1)) is { } slow && slow.AsSpan().SequenceEqual(Encoding.ASCII.GetBytes(plain)), form);
    }

    [Fact]
    public void Matches_of_every_distance_and_length_come_out()
    {
        // Distances up to the window's whole 32 KiB, over the place where the output buffer slides.
        foreach (var distance in new[] { 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 255, 4097, 32767, 32768 })
        {
            var data = new byte[400_000];
            Samples.Noise(distance, distance).CopyTo(data, 0);
            for (var i = distance; i < data.Length; i++)
                data[i] = data[i - distance];
            foreach (var length in new[] { distance + 3, distance + 258, distance + 1000, data.Length })
                Assert.Equal(data[..length], Inflate(new MemoryStream(Deflate(data[..length], 9, ZLibCompressionStrategy.Default))));
        }
    }

    private static byte[] Inflate(Stream source)
    {
        var input = new DeflateInput();
        input.Reset(source);
        var inflater = new Inflater(input);
        inflater.Reset();
        using var all = new MemoryStream();
        while (inflater.Read() is { IsEmpty: false } read)
            all.Write(read.Span);
        return all.ToArray();
    }

    private static byte[]? TryInflate(Stream data)
    {
        try
        {
            return Inflate(data);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private static byte[]? TryZlib(byte[] data)
    {
        try
        {
            using var deflate = new DeflateStream(new MemoryStream(data), CompressionMode.Decompress);
            return Samples.ReadAll(deflate);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private static byte[] Deflate(byte[] data, int level, ZLibCompressionStrategy strategy)
    {
        using var target = new MemoryStream();
        using (var deflate = new DeflateStream(target, new ZLibCompressionOptions { CompressionLevel = level, CompressionStrategy = strategy }))
            deflate.Write(data);
        return target.ToArray();
    }

    private static byte[] Runs(int length)
    {
        var random = new Random(2);
        var data = new byte[length];
        for (var i = 0; i < length;)
        {
            var run = Math.Min(length - i, random.Next(1, 700));
            data.AsSpan(i, run).Fill((byte)random.Next(256));
            i += run;
        }

        return data;
    }

    private static byte[] Words(int length)
    {
        var random = new Random(3);
        var words = Enumerable.Range(0, 3000).Select(i => Samples.Noise(2 + (i % 11), i)).ToArray();
        var data = new List<byte>(length + 16);
        while (data.Count < length)
            data.AddRange(words[(int)(Math.Pow(random.NextDouble(), 3) * words.Length)]);
        return [.. data.Take(length)];
    }

    /// <summary>Byte values so unequal in number that their codes are up to 15 bits long.</summary>
    private static byte[] Skewed(int length)
    {
        var random = new Random(4);
        var data = new byte[length];
        for (var i = 0; i < length; i++)
            data[i] = (byte)(-Math.Log2(1 - random.NextDouble()) * 9);
        return data;
    }
}
