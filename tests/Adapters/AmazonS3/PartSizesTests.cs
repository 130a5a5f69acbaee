using System.Text;
using BotCore.Backup.Adapters.AmazonS3;
using BotCore.Backup.Engine.Stores;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Adapters.Tests.AmazonS3;

/// <summary>Sums and orders that need no server.</summary>
public sealed class PartSizesTests
{
    [Theory]
    [InlineData(5 << 20, 1.5)]
    [InlineData(8 << 20, 2.5)]
    [InlineData(16 << 20, 5.0)]
    public void Ten_thousand_parts_hold_what_they_must(long first, double tebibytes)
    {
        var sizes = Enumerable.Range(1, PartSizes.Most).Select(number => PartSizes.Of(number, first)).ToList();

        Assert.True(sizes.Sum() >= tebibytes * (1L << 40), $"{sizes.Sum()}");
        Assert.Equal(first, sizes[0]);
        Assert.All(sizes.Zip(sizes.Skip(1)), pair => Assert.True(pair.First <= pair.Second));
        Assert.True(sizes[^1] <= PartSizes.Largest);
    }

    [Fact]
    public void The_order_of_S3_becomes_ordinal()
    {
        var part = Gen.Elements("a", "b", "/", "\ud7ff", "\ue000", "\uffff", "\U00010000", "\U0001F600", "\U0010FFFF");
        var key = part.ListOf().Select(parts => string.Concat(parts));
        Prop.ForAll(Arb.From(key.ListOf()), keys =>
        {
            var distinct = keys.Distinct(StringComparer.Ordinal).ToList();
            var asS3 = distinct.OrderBy(one => Convert.ToHexString(Encoding.UTF8.GetBytes(one)), StringComparer.Ordinal);
            return OrdinalOrder.Of(asS3.Select(one => new StoredObject(one, 1))).Select(o => o.Key).SequenceEqual(distinct.Order(StringComparer.Ordinal), StringComparer.Ordinal);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));
    }
}
