using BotCore.Backup.Engine.Components.MongoDb.Replay;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Replay;

public sealed class NamespaceMapTests
{
    [Theory]
    [InlineData("bot.users", true)]
    [InlineData("bot.a.b.c", true)]
    [InlineData("bot.system.js", true)]
    [InlineData("bot.system.views", true)]
    [InlineData("bot.system.buckets.ticks", true)]
    [InlineData("bot.system.profile", false)]
    [InlineData("local.oplog.rs", false)]
    [InlineData("__mdb_internal_x.a", false)]
    [InlineData("admin.system.version", false)]
    [InlineData("admin.system.keys", false)]
    [InlineData("admin.system.users", false)]
    [InlineData("admin.own", true)]
    [InlineData("config.chunks", true)]
    [InlineData("config.version", true)]
    [InlineData("config.shards", false)]
    [InlineData("config.system.sessions", false)]
    [InlineData("config.transactions", false)]
    [InlineData("config.cache.chunks.a.b", false)]
    public void The_servers_own_collections_are_never_replayed(string ns, bool wanted) => Assert.Equal(wanted, NamespaceMap.All.IsWanted(ns));

    [Fact]
    public void Users_are_replayed_only_when_asked_for() => Assert.True(new NamespaceMap(users: true).IsWanted("admin.system.users"));

    [Fact]
    public void Time_series_data_goes_with_its_collection()
    {
        var map = new NamespaceMap(
            ns => ns is "bot.ticks" or "bot.a.b",
            new Dictionary<string, string>(StringComparer.Ordinal) { ["bot"] = "test", ["bot.ticks"] = "other.t" });
        Assert.True(map.IsWanted("bot.system.buckets.ticks"));
        Assert.False(map.IsWanted("bot.system.buckets.other"));
        Assert.Equal("other.system.buckets.t", map.Target("bot.system.buckets.ticks"));
        Assert.Equal("test.a.b", map.Target("bot.a.b"));
        Assert.Equal("other.t", map.Target("bot.ticks"));
        Assert.Equal("bots.ticks", map.Target("bots.ticks"));
    }

    [Theory]
    [InlineData("__bot_probe.missing_1")]
    [InlineData("bot_scratch_0a1b2c3d_0.trades")]
    public void Databases_of_our_own_are_never_replayed(string ns) => Assert.False(NamespaceMap.All.IsWanted(ns));

    [Fact]
    public void A_database_cannot_become_a_collection() =>
        Assert.Throws<ArgumentException>(() => new NamespaceMap(renames: new Dictionary<string, string>(StringComparer.Ordinal) { ["bot"] = "a.b" }));
}
