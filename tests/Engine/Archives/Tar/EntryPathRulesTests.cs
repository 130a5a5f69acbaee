using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Archives.Tar;
using BotCore.Backup.Engine.Events;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Archives.Tar;

public sealed class EntryPathRulesTests
{
    [Theory]
    [InlineData(".")]
    [InlineData("a")]
    [InlineData("a/b/..c/...")]
    [InlineData(".env")]
    [InlineData("a b\n\\..\\x")]
    public void Paths_below_the_destination_may_be_restored(string path) => Assert.Null(EntryPathRules.FindFlaw(new EntryPath(path)));

    [Theory]
    [InlineData("", "empty")]
    [InlineData("/", "absolute")]
    [InlineData("/etc/passwd", "absolute")]
    [InlineData("..", "'..'")]
    [InlineData("a/../b", "'..'")]
    [InlineData("a/..", "'..'")]
    [InlineData("a/./b", "'.'")]
    [InlineData("a//b", "empty component")]
    [InlineData("a/", "empty component")]
    [InlineData("a\0b", "NUL")]
    public void Others_may_not(string path, string flaw) => Assert.Contains(flaw, EntryPathRules.FindFlaw(new EntryPath(path)), StringComparison.Ordinal);

    [Theory]
    [InlineData(255, 1, true)]
    [InlineData(256, 1, false)]
    [InlineData(100, 40, true)]
    [InlineData(100, 41, false)]
    public void Lengths_are_those_that_a_file_system_takes(int component, int count, bool allowed)
    {
        var path = string.Join('/', Enumerable.Repeat(new string('c', component), count));

        Assert.Equal(allowed, EntryPathRules.FindFlaw(new EntryPath(path)) is null);
    }

    [Theory]
    [InlineData(EntryKind.HardLink, "/etc/passwd")]
    [InlineData(EntryKind.HardLink, "../x")]
    [InlineData(EntryKind.HardLink, "a/../../x")]
    [InlineData(EntryKind.HardLink, ".")]
    [InlineData(EntryKind.HardLink, "")]
    [InlineData(EntryKind.SymbolicLink, "")]
    [InlineData(EntryKind.SymbolicLink, "a\0b")]
    public void Link_targets_that_could_lead_out_are_refused(EntryKind kind, string target)
    {
        var refused = Assert.Throws<BackupException>(() => EntryPathRules.Check(TarSample.Link("link", kind, target).Entry));

        Assert.Equal(FailureKind.ArchiveCorrupt, refused.Failure.Kind);
        Assert.Contains("'link' could write outside of the destination", refused.Message, StringComparison.Ordinal);
        Assert.Equal(new EntryPath("link"), refused.Failure.Target);
    }

    [Theory]
    [InlineData("/etc/passwd")]
    [InlineData("../../x")]
    public void Symbolic_links_say_what_they_say(string target) => EntryPathRules.Check(TarSample.Link("link", EntryKind.SymbolicLink, target).Entry);
}
