using BotCore.Backup.Engine.Compression;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Compression;

public sealed class Crc32Tests
{
    [Fact]
    public void The_check_value_of_the_standard_comes_out() => Assert.Equal(0xCBF43926, Crc32.Append(0, "123456789"u8));

    [Fact]
    public void Every_length_and_start_equals_the_bit_by_bit_sum()
    {
        var data = Samples.Noise(400);
        for (var start = 0; start < 20; start++)
        {
            for (var length = 0; length <= data.Length - start; length++)
            {
                var part = data.AsSpan(start, length);
                var expected = BitByBit(part);
                Assert.Equal(expected, Crc32.Append(0, part));
                Assert.Equal(expected, ~Crc32.ByTables(~0u, part));
            }
        }
    }

    [Fact]
    public void Parts_append_to_the_whole()
    {
        var data = Samples.Noise(100_000);
        var whole = Crc32.Append(0, data);
        for (var cut = 0; cut < data.Length; cut += 997)
            Assert.Equal(whole, Crc32.Append(Crc32.Append(0, data.AsSpan(0, cut)), data.AsSpan(cut)));
        Assert.Equal(BitByBit(data), whole);
    }

    private static uint BitByBit(ReadOnlySpan<byte> data)
    {
        var crc = ~0u;
        foreach (var value in data)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? 0xEDB88320 ^ (crc >> 1) : crc >> 1;
        }

        return ~crc;
    }
}
