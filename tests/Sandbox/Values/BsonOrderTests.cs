using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Values;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Sandbox.Tests.Values;

public sealed class BsonOrderTests
{
    [Fact]
    public void Types_stand_in_the_servers_order()
    {
        object?[] ascending =
        [
            BsonType.MinKey, null, double.NaN, double.NegativeInfinity, long.MinValue, -1.5m, -1, 0, 0.1m, 0.1, 1, 1.5, 2L, 9007199254740993L, 9007199254740994.0, long.MaxValue,
            9.3e18, "", "a", "a\0", "b", RawBson.Empty, Doc.Of(("a", 1)), Doc.Of(("b", 0)), Array.Empty<object?>(), new object?[] { 1 }, Array.Empty<byte>(), new byte[] { 1 }, new byte[] { 0, 0 },
            BsonType.ObjectId, false, true, DateTimeOffset.FromUnixTimeSeconds(-5), DateTimeOffset.UnixEpoch, new BsonTimestamp(0, 0), new BsonTimestamp(1, 0), BsonType.MaxKey,
        ];
        for (var left = 0; left < ascending.Length; left++)
        {
            for (var right = 0; right < ascending.Length; right++)
            {
                var order = BsonOrder.Compare(Value(ascending[left]), Value(ascending[right]));
                Assert.True(Math.Sign(order) == left.CompareTo(right), $"{ascending[left]} against {ascending[right]} gives {order}");
            }
        }
    }

    [Fact]
    public void Numbers_of_one_value_are_one_key()
    {
        object[] ones = [1, 1L, 1.0, 1m, 1.00m];
        Assert.Single(ones.Select(one => ValueKey.Of(Value(one))).Distinct());
        object[] halves = [0.5, 0.5m];
        Assert.Single(halves.Select(half => ValueKey.Of(Value(half))).Distinct());
        Assert.NotEqual(ValueKey.Of(Value(0.1)), ValueKey.Of(Value(0.1m)));
        Assert.Equal(ValueKey.Of(Value(-0.0)), ValueKey.Of(Value(0)));
        Assert.NotEqual(ValueKey.Of(Value(9007199254740993L)), ValueKey.Of(Value(9007199254740992.0)));
        Assert.Equal(ValueKey.Of(Value(Doc.Of(("a", 1)))), ValueKey.Of(Value(Doc.Of(("a", 1.0)))));
        Assert.NotEqual(ValueKey.Of(Value(Doc.Of(("a", 1)))), ValueKey.Of(Value(Doc.Of(("b", 1)))));
    }

    [Fact]
    public void The_order_is_an_order_and_keys_agree_with_it() => Prop.ForAll<int>(seed =>
    {
        var random = new RandomBson(seed);
        var (a, b, c) = (Value(random.Value(2)), Value(random.Value(2)), Value(random.Value(2)));
        var antisymmetric = Math.Sign(BsonOrder.Compare(a, b)) == -Math.Sign(BsonOrder.Compare(b, a));
        var transitive = BsonOrder.Compare(a, b) > 0 || BsonOrder.Compare(b, c) > 0 || BsonOrder.Compare(a, c) <= 0;
        return antisymmetric && transitive && ValueKey.Of(a).Equals(ValueKey.Of(b)) == (BsonOrder.Compare(a, b) == 0);
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(5000));

    private static BsonValue Value(object? value)
    {
        var reader = Doc.Of(("v", value)).Read();
        reader.Read();
        return BsonValue.CopyOf(reader.Current);
    }
}
