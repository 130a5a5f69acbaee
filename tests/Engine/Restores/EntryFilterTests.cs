using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Restores;

public sealed class EntryFilterTests
{
    [Theory]
    [InlineData("*.env", "a/b/x.env", true)]
    [InlineData("*.env", "a/x.envy", false)]
    [InlineData("b", "a/b/c", true)]
    [InlineData("b", "a/bb/c", false)]
    [InlineData("a/b", "a/b", true)]
    [InlineData("a/b", "a/b/c/d", true)]
    [InlineData("a/b", "x/a/b", false)]
    [InlineData("/a", "x/a", false)]
    [InlineData("/a", "a/x", true)]
    [InlineData("a/*/c", "a/b/c", true)]
    [InlineData("a/*/c", "a/b/b/c", false)]
    [InlineData("a/**/c", "a/c", true)]
    [InlineData("a/**/c", "a/b/b/c/d", true)]
    [InlineData("./a/x", "a/x", true)]
    [InlineData("a/", "q/a/x", true)]
    [InlineData("[a-c]?", "b1", true)]
    [InlineData("[!a-c]?", "b1", false)]
    public void Patterns_match_as_they_say(string pattern, string path, bool wanted) => Assert.Equal(wanted, new EntryFilter([pattern], []).Wants(new EntryPath(path)));

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("./.")]
    [InlineData("../a")]
    [InlineData("a/../b")]
    public void What_can_match_nothing_is_ConfigurationInvalid(string pattern) =>
        Assert.Equal(FailureKind.ConfigurationInvalid, Assert.Throws<BackupException>(() => new EntryFilter([pattern], [])).Failure.Kind);

    [Fact]
    public void No_pattern_is_everything_and_what_is_excluded_wins()
    {
        Assert.True(new EntryFilter([], []).Wants(new EntryPath([0xFF])));
        var filter = new EntryFilter(["a"], ["a/b"]);
        Assert.True(filter.Wants(new EntryPath("a/c")));
        Assert.False(filter.Wants(new EntryPath("a/b/c")));
        Assert.True(new EntryFilter([], ["b"]).Wants(new EntryPath("c")));
    }

    [Fact]
    public void Many_stars_take_no_exponential_time() =>
        Assert.False(new EntryFilter([string.Concat(Enumerable.Repeat("*a", 60)) + "b"], []).Wants(new EntryPath(new string('a', 200))));
}
