using BotCore.Backup.Engine.Components.MongoDb;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Events;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb;

public sealed class NamespaceFilterTests
{
    [Theory]
    [InlineData("bot_core.trades", "bot_core", "trades", true)]
    [InlineData("bot_core.trades", "bot_core", "trades2", false)]
    [InlineData("bot_core.*", "bot_core", "a.b", true)]
    [InlineData("bot_core", "bot_core", "anything", true)]
    [InlineData("trades", "other", "trades", true)]
    [InlineData("trades", "other", "system.buckets.trades", true)]
    [InlineData("*.trade?", "x", "trades", true)]
    [InlineData("trade[s]", "x", "trades", false)]
    [InlineData("TRADES", "x", "trades", false)]
    [InlineData("*", "x", "new\nline", true)]
    public void A_pattern_asks_for_what_it_says(string pattern, string database, string collection, bool wanted)
    {
        var name = new DumpNamespace(database, collection);

        Assert.Equal(wanted, new NamespaceFilter([pattern], []).Wants(name));
        Assert.Equal(!wanted, new NamespaceFilter([], [pattern]).Wants(name));
    }

    [Fact]
    public void Exclude_wins_over_include_and_a_database_over_both()
    {
        var filter = new NamespaceFilter(["bot_core"], ["users"]);

        Assert.True(filter.Wants(new DumpNamespace("bot_core", "trades")));
        Assert.False(filter.Wants(new DumpNamespace("bot_core", "users")));
        Assert.False(filter.Within("other").Wants(new DumpNamespace("bot_core", "trades")));
        Assert.False(NamespaceFilter.Everything.Within("other").IsEverything);
    }

    [Fact]
    public void An_empty_pattern_is_refused() =>
        Assert.Equal(FailureKind.ConfigurationInvalid, Assert.Throws<BackupException>(() => new NamespaceFilter([""], [])).Failure.Kind);
}
