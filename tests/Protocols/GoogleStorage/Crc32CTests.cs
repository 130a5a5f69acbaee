using BotCore.Backup.Protocols.GoogleStorage;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Protocols.Tests.GoogleStorage;

public sealed class Crc32CTests
{
    [Fact]
    public void The_check_value_of_the_standard_comes_out()
    {
        var sum = default(Crc32C);
        Assert.Equal("AAAAAA==", sum.ToString());
        sum.Append("123456789"u8);
        Assert.Equal(0xE3069283, sum.Value);
        Assert.Equal("4waSgw==", sum.ToString());
    }

    [Fact]
    public void However_the_bytes_are_cut_the_sum_is_that_of_the_polynomial() => Prop.ForAll<byte[], NonNegativeInt>((data, at) =>
    {
        var cut = data.Length == 0 ? 0 : at.Get % data.Length;
        var sum = default(Crc32C);
        sum.Append(data.AsSpan(0, cut));
        sum.Append(data.AsSpan(cut));
        return sum.Value == BitByBit(data);
    }).QuickCheckThrowOnFailure();

    private static uint BitByBit(ReadOnlySpan<byte> data)
    {
        var crc = ~0u;
        foreach (var value in data)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? 0x82F63B78 ^ (crc >> 1) : crc >> 1;
        }

        return ~crc;
    }
}
