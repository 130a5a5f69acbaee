using System.Text;
using BotCore.Backup.Engine.Archives.Tar;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Archives.Tar;

public sealed class TarNumberTests
{
    [Theory]
    [InlineData("0000644\0", 420)]
    [InlineData("   644 \0", 420)]
    [InlineData("77777777", 16777215)]
    [InlineData("\0\0\0\0\0\0\0\0", 0)]
    [InlineData("        ", 0)]
    [InlineData("12\0xx789", 10)]
    public void Octal_numbers_are_read_as_old_tars_wrote_them(string field, long value)
    {
        Assert.True(TarNumber.TryParse(Encoding.Latin1.GetBytes(field), out var number));
        Assert.Equal(value, number);
    }

    [Theory]
    [InlineData("0000648\0")]
    [InlineData("-000644\0")]
    [InlineData("abc")]
    public void Other_digits_are_refused(string field) => Assert.False(TarNumber.TryParse(Encoding.Latin1.GetBytes(field), out _));

    [Theory]
    [InlineData("800000000000000200000000", 8589934592)]
    [InlineData("800000007fffffffffffffff", long.MaxValue)]
    [InlineData("ffffffffffffffffffffffff", -1)]
    [InlineData("ffffffff8000000000000000", long.MinValue)]
    [InlineData("8000000000000000", 0)]
    [InlineData("80000000ee6b2800", 4000000000)]
    public void Base_256_numbers_are_two_s_complement(string field, long value)
    {
        Assert.True(TarNumber.TryParse(Convert.FromHexString(field), out var number));
        Assert.Equal(value, number);
    }

    [Theory]
    [InlineData("800000008000000000000000")]
    [InlineData("800000010000000000000000")]
    [InlineData("bfffffffffffffffffffffff")]
    [InlineData("ffffffff7fffffffffffffff")]
    [InlineData("c00000000000000000000000")]
    public void Base_256_numbers_beyond_64_bits_are_refused(string field) => Assert.False(TarNumber.TryParse(Convert.FromHexString(field), out _));
}
