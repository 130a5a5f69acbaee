using System.Globalization;
using BotCore.Backup.Engine.Catalog;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Catalog;

public sealed class ByteSizeTests
{
    [Fact]
    public void Sizes_order_and_compare_as_their_numbers() => Prop.ForAll<long, long>((a, b) =>
    {
        var (left, right) = (new ByteSize(a), new ByteSize(b));
        return left.CompareTo(right) == a.CompareTo(b) && left < right == a < b && left >= right == a >= b && (left == right) == (a == b)
            && ((IComparable)left).CompareTo((object)right) == a.CompareTo(b) && (long)left == a;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_text_has_three_figures_at_most_and_a_unit() => Prop.ForAll<long>(bytes =>
    {
        var parts = new ByteSize(bytes).ToString().Split(' ');
        return parts.Length == 2 && parts[0].Count(char.IsAsciiDigit) <= 3 && double.TryParse(parts[0], NumberStyles.Float, CultureInfo.InvariantCulture, out _);
    }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(999, "999 B")]
    [InlineData(1000, "0.98 KiB")]
    [InlineData(1024, "1.00 KiB")]
    [InlineData(1_300_000_000, "1.21 GiB")]
    [InlineData(long.MaxValue, "8.00 EiB")]
    public void The_text_is_that_of_people(long bytes, string text) => Assert.Equal(text, new ByteSize(bytes).ToString());
}
