using System.Text;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Archives.Tar;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Archives.Tar;

public sealed class PaxTimeTests
{
    [Theory]
    [InlineData(0, 0, "0")]
    [InlineData(1763431200, 123456789, "1763431200.123456789")]
    [InlineData(1, 500_000_000, "1.5")]
    [InlineData(1, 1, "1.000000001")]
    [InlineData(-1, 0, "-1")]
    [InlineData(-1, 250_000_000, "-0.75")]
    [InlineData(-5, 250_000_000, "-4.75")]
    [InlineData(long.MinValue, 0, "-9223372036854775808")]
    [InlineData(long.MinValue, 1, "-9223372036854775807.999999999")]
    [InlineData(long.MaxValue, 999_999_999, "9223372036854775807.999999999")]
    public void Times_are_exact_decimals(long seconds, int nanoseconds, string text)
    {
        var buffer = new byte[PaxTime.MaximumLength];
        var time = new UnixTime(seconds, nanoseconds);

        Assert.Equal(text, Encoding.ASCII.GetString(buffer, 0, PaxTime.Format(time, buffer)));
        Assert.True(PaxTime.TryParse(Encoding.ASCII.GetBytes(text), out var parsed));
        Assert.Equal(time, parsed);
    }

    [Theory]
    [InlineData("1.1234567899", 1, 123456789)]
    [InlineData("-1.9999999991", -2, 0)]
    [InlineData("-0.0000000001", -1, 999_999_999)]
    [InlineData("-1.1234567891", -2, 876_543_210)]
    [InlineData("7.", 7, 0)]
    public void Digits_beyond_the_ninth_are_cut_towards_the_past(string text, long seconds, int nanoseconds)
    {
        Assert.True(PaxTime.TryParse(Encoding.ASCII.GetBytes(text), out var time));
        Assert.Equal(new UnixTime(seconds, nanoseconds), time);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData(".5")]
    [InlineData("1.5.5")]
    [InlineData("1x")]
    [InlineData("+1")]
    [InlineData("--1")]
    [InlineData("9223372036854775808")]
    [InlineData("99999999999999999999")]
    public void What_is_no_time_is_refused(string text) => Assert.False(PaxTime.TryParse(Encoding.ASCII.GetBytes(text), out _));

    [Fact]
    public void Every_time_comes_back()
        => Prop.ForAll(ArbMap.Default.ArbFor<long>(), Arb.From(Gen.Choose(0, 999_999_999)), (seconds, nanoseconds) =>
        {
            var buffer = new byte[PaxTime.MaximumLength];
            var time = new UnixTime(seconds, nanoseconds);
            return PaxTime.TryParse(buffer.AsSpan(0, PaxTime.Format(time, buffer)), out var parsed) && parsed == time;
        }).QuickCheckThrowOnFailure();
}
