using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Events;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Backups;

/// <summary>Sources that fail or change while they are read.</summary>
public sealed class SourceProblemTests
{
    private static readonly Failure Unreadable = new(FailureKind.SourceUnreachable, "The disk does not answer.", "Look at it.", "b");

    [Fact]
    public void A_file_that_cannot_be_opened_fails_the_run_and_nothing_is_kept()
    {
        using var place = new Workplace();
        var source = new StubSource(StubSource.Root, new SourceProblem(new EntryPath("b"), EntryMark.None, Unreadable.Message, Unreadable), StubEntry.File("c", "3"));

        Assert.Equal(FailureKind.SourceUnreachable, Assert.Throws<BackupException>(() => place.BackUp(source)).Failure.Kind);
        Assert.Empty(Workplace.Describe(place.Store));
    }

    [Fact]
    public void Files_that_cannot_be_read_are_all_told_and_nothing_is_kept()
    {
        using var place = new Workplace();
        var told = new List<BackupEvent>();
        var source = new StubSource(StubSource.Root, Broken("b"), StubEntry.File("c", "3"), Broken("d"));
        var wrong = Assert.Throws<BackupException>(() => place.BackUp(source, tell: told.Add));

        Assert.Contains("2 of its paths", wrong.Message, StringComparison.Ordinal);
        Assert.Single(told.OfType<Failed>());
        Assert.Empty(Workplace.Describe(place.Store));
    }

    [Fact]
    public void A_path_that_no_restore_would_take_makes_the_run_fail()
    {
        using var place = new Workplace();
        var path = string.Join('/', Enumerable.Repeat(new string('d', 200), 21));

        var wrong = Assert.Throws<BackupException>(() => place.BackUp(new StubSource(StubSource.Root, StubEntry.File(path, "x"))));

        Assert.Equal(FailureKind.SourceUnreachable, wrong.Failure.Kind);
        Assert.Empty(Workplace.Describe(place.Store));
    }

    [Fact]
    public void What_vanished_or_changed_is_warned_of_counted_and_marked_in_the_index()
    {
        using var place = new Workplace();
        var told = new List<BackupEvent>();
        var backup = place.BackUp(
            new StubSource(
                StubSource.Root,
                StubEntry.File("changed", "1", EntryMark.Changed),
                new SourceProblem(new EntryPath("gone"), EntryMark.Vanished, "gone was removed."),
                StubEntry.File("kept", "2")),
            tell: told.Add);

        Assert.Equal(2, told.OfType<Warned>().Count());
        Assert.Equal((3L, 1L, 1L, 2L), (backup.Entries!.Value, backup.Manifest!.Changed, backup.Manifest.Vanished, backup.Flaws));
        using var index = new Unsealer(backup, place.Session.Keys, 1).OpenIndex(Workplace.None);
        var marks = index.Read().OfType<IndexEntry>().ToDictionary(entry => entry.Path.ToString(), entry => entry.Mark, StringComparer.Ordinal);
        Assert.Equal((EntryMark.Changed, EntryMark.Vanished, EntryMark.None), (marks["changed"], marks["gone"], marks["kept"]));
        Assert.Equal(Outcome.Succeeded, place.Prove(backup).Outcome);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1_500_000)]
    public void A_file_that_got_shorter_is_padded_and_the_tar_stays_whole(int left)
    {
        using var place = new Workplace();
        var content = Enumerable.Repeat((byte)7, left).ToArray();
        var backup = place.BackUp(new StubSource(StubSource.Root, StubEntry.File("shrunk", content, length: 2_000_000), StubEntry.File("after", "whole")));

        Assert.Equal(1, backup.Manifest!.Changed);
        Assert.Equal(Outcome.Succeeded, place.Prove(backup).Outcome);
        place.Restore(backup);
        Assert.Equal([.. content, .. new byte[2_000_000 - left]], File.ReadAllBytes(Path.Combine(place.Destination, "shrunk")));
        Assert.Equal("whole", File.ReadAllText(Path.Combine(place.Destination, "after")));
    }

    private static StubEntry Broken(string path) => StubEntry.File(path, new byte[5000], fails: new BackupException(Unreadable));
}
