using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Archives.Tar;
using BotCore.Backup.Engine.Events;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Archives.Tar;

public sealed class ArchiveShapeTests
{
    private static readonly ArchiveShapeOptions Ours = new();
    private static readonly ArchiveShapeOptions Foreign = new() { AllowDuplicates = true };

    [Fact]
    public void An_honest_archive_passes()
        => Judge(Ours, "d .", "d a", "f a/f", "s a/s /etc", "h a/h a/f", "h b/h a/s", "d b", "p a/pipe", "h a/p2 a/pipe");

    [Theory]
    [InlineData("s a /etc", "f a/passwd")]
    [InlineData("s a /etc", "d a/b")]
    [InlineData("s d/a /etc", "f d/a/b/c")]
    [InlineData("s a /etc", "s a/b x")]
    [InlineData("f a", "f a/b")]
    [InlineData("p a", "f a/b")]
    [InlineData("s a /etc", "h h a/passwd")]
    [InlineData("f f", "h l f", "f l/x")]
    [InlineData("s s /etc", "h l s", "f l/passwd")]
    public void Nothing_is_written_through_what_is_no_directory(params string[] entries) => Refused(Foreign, "could write outside of the destination", entries);

    [Theory]
    [InlineData("h h f")]
    [InlineData("h h h")]
    [InlineData("d d", "h h d")]
    [InlineData("f d/x", "h h d")]
    public void A_hard_link_needs_a_target_that_came_before(params string[] entries) => Refused(Foreign, "could write outside of the destination", entries);

    [Theory]
    [InlineData("s a /etc", "d a")]
    [InlineData("d a", "s a /etc")]
    [InlineData("f a/x", "s a /etc")]
    [InlineData("f a/x", "f a")]
    [InlineData("s a /etc/passwd", "f a")]
    [InlineData("s a /etc/passwd", "f f", "h a f")]
    [InlineData("f f", "h a f", "d a")]
    [InlineData("f .")]
    [InlineData("s . /etc")]
    public void A_place_does_not_change_what_it_is(params string[] entries) => Refused(Foreign, "could write outside of the destination", entries);

    [Theory]
    [InlineData("f a", "f a")]
    [InlineData("d a", "d a")]
    [InlineData("d .", "d .")]
    [InlineData("s a x", "s a y")]
    [InlineData("f a", "s a y")]
    public void Only_foreign_archives_may_tell_a_path_twice(params string[] entries)
    {
        Judge(Foreign, entries);
        Refused(Ours, "comes twice", entries);
    }

    [Fact]
    public void A_folder_may_be_told_after_what_is_in_it() => Judge(Ours, "f a/b/c", "d a/b", "d a", "f a/d");

    [Fact]
    public void More_data_than_the_archive_can_hold_is_refused()
    {
        var options = new ArchiveShapeOptions { CompressedLength = 1000, MaximumRatio = 1032 };
        var most = (1000L * 1032) + (1024 * 1024);

        new ArchiveShape(options).Admit(Sized("a", most));
        Assert.Contains("more than the archive can hold", Throws(() => new ArchiveShape(options).Admit(Sized("a", most + 1))), StringComparison.Ordinal);

        var shape = new ArchiveShape(options);
        shape.Admit(Sized("a", most - 1));
        shape.Admit(Sized("b", 1));
        Assert.Contains("'c' declares 1 bytes", Throws(() => shape.Admit(Sized("c", 1))), StringComparison.Ordinal);
    }

    [Fact]
    public void Sizes_beyond_all_numbers_are_refused_too()
    {
        var shape = new ArchiveShape(new ArchiveShapeOptions { CompressedLength = long.MaxValue, MaximumRatio = 1 });

        shape.Admit(Sized("a", long.MaxValue));
        Throws(() => shape.Admit(Sized("b", long.MaxValue)));
    }

    [Theory]
    [InlineData(null, 1032)]
    [InlineData(10L, null)]
    public void Without_a_length_or_a_ratio_sizes_are_not_judged(long? length, int? ratio)
        => new ArchiveShape(new ArchiveShapeOptions { CompressedLength = length, MaximumRatio = ratio }).Admit(Sized("a", long.MaxValue));

    [Fact]
    public void Many_paths_are_kept_apart()
    {
        var shape = new ArchiveShape(Ours);
        for (var at = 0; at < 50_000; at++)
            shape.Admit(TarSample.File($"d{at % 100}/f{at}", "").Entry);

        for (var at = 0; at < 50_000; at += 7)
            Throws(() => shape.Admit(TarSample.File($"d{at % 100}/f{at}", "").Entry));
    }

    // Reference vectors of the SipHash paper's appendix and its reference code: key 00..0f, data 00..(n-1).
    [Theory]
    [InlineData(0, 0x726fdb47dd0e0e31UL)]
    [InlineData(1, 0x74f839c593dc67fdUL)]
    [InlineData(15, 0xa129ca6149be45e5UL)]
    public void The_hash_is_SipHash(int length, ulong expected)
        => Assert.Equal(expected, PathTable.SipHash(0x0706050403020100, 0x0f0e0d0c0b0a0908, Enumerable.Range(0, length).Select(at => (byte)at).ToArray()));

    private static ArchiveEntry Sized(string path, long size) => new() { Path = new EntryPath(path), Kind = EntryKind.File, Size = size };

    private static void Judge(ArchiveShapeOptions options, params string[] entries)
    {
        var shape = new ArchiveShape(options);
        foreach (var entry in entries)
            shape.Admit(Parse(entry));
    }

    private static void Refused(ArchiveShapeOptions options, string reason, string[] entries)
    {
        var shape = new ArchiveShape(options);
        foreach (var entry in entries[..^1])
            shape.Admit(Parse(entry));

        Assert.Contains(reason, Throws(() => shape.Admit(Parse(entries[^1]))), StringComparison.Ordinal);
    }

    private static string Throws(Action act)
    {
        var refused = Assert.Throws<BackupException>(act);
        Assert.Equal(FailureKind.ArchiveCorrupt, refused.Failure.Kind);
        Assert.IsType<EntryPath>(refused.Failure.Target);
        return refused.Message;
    }

    private static ArchiveEntry Parse(string text) => text.Split(' ') switch
    {
        ["f", var path] => TarSample.File(path, "").Entry,
        ["d", var path] => TarSample.Directory(path).Entry,
        ["p", var path] => new ArchiveEntry { Path = new EntryPath(path), Kind = EntryKind.Fifo },
        ["s", var path, var target] => TarSample.Link(path, EntryKind.SymbolicLink, target).Entry,
        ["h", var path, var target] => TarSample.Link(path, EntryKind.HardLink, target).Entry,
        _ => throw new ArgumentException(text, nameof(text)),
    };
}
