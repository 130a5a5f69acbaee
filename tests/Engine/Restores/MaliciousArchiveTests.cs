using System.Globalization;
using System.Text;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Engine.Tests.Outside;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Restores;

/// <summary>Archives made to do harm: each is refused before anything is written, inside the destination or outside of it.</summary>
public sealed class MaliciousArchiveTests
{
    /// <summary>By name: the entries, each as made by a source, since a test's data must be printable.</summary>
    private static readonly Dictionary<string, Func<string, StubEntry[]>> Evil = new(StringComparer.Ordinal)
    {
        ["up"] = _ => [StubEntry.File("../evil", "x")],
        ["up in the middle"] = _ => [StubEntry.Folder("a"), StubEntry.File("a/../../evil", "x")],
        ["absolute"] = outside => [StubEntry.File(outside + "/evil", "x")],
        ["empty component"] = _ => [StubEntry.File("a//evil", "x")],
        ["hard link up"] = _ => [StubEntry.Link("a", "../secret", EntryKind.HardLink)],
        ["hard link to an absolute path"] = outside => [StubEntry.Link("a", outside + "/secret", EntryKind.HardLink)],
        ["hard link to what did not come before"] = _ => [StubEntry.Link("a", "b", EntryKind.HardLink)],
        ["file through a link"] = outside => [StubEntry.Link("a", outside), StubEntry.File("a/evil", "x")],
        ["folder over a link"] = outside => [StubEntry.Link("a", outside), StubEntry.Folder("a"), StubEntry.File("a/evil", "x")],
        ["file over a link"] = outside => [StubEntry.Link("a", outside + "/secret"), StubEntry.File("a", "x")],
        ["hard link to a link, then through it"] = outside => [StubEntry.Link("a", outside), StubEntry.Link("b", "a", EntryKind.HardLink), StubEntry.File("b/evil", "x")],
        ["file below a file"] = _ => [StubEntry.File("a", "x"), StubEntry.File("a/evil", "x")],
        ["a root that is a link"] = outside => [StubEntry.Link(".", outside)],
    };

    public static TheoryData<string> Names => [.. Evil.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_foreign_archive_that_leads_out_is_ArchiveCorrupt(string name)
    {
        using var place = NewPlace(out var outside);
        var tar = new ForeignTar().Add((StubEntry)StubSource.Root).AddFile("honest", "first");
        foreach (var entry in Evil[name](outside))
            tar.Add(entry, entry.Entry.Kind == EntryKind.File ? "x"u8.ToArray() : null);

        AssertRefused(place, Foreign(place, tar), FailureKind.ArchiveCorrupt);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void An_archive_of_ours_that_leads_out_is_ArchiveCorrupt_and_a_selection_of_it_stays_inside(string name)
    {
        using var place = NewPlace(out var outside);
        var backup = place.BackUp(new StubSource([StubSource.Root, StubEntry.File("honest", "first"), .. Evil[name](outside)]));
        AssertRefused(place, backup, FailureKind.ArchiveCorrupt);

        var before = Outside(place);
        foreach (var include in new[] { "*", "**/evil", "a", "b", "a/evil" })
        {
            place.RunRestore(backup, new RestoreRequest { Include = [include] });
            Assert.Equal(before, Outside(place));
        }
    }

    [LinuxFact]
    public void What_comes_twice_is_ArchiveCorrupt_in_an_archive_of_ours()
    {
        using var place = NewPlace(out _);
        var backup = place.BackUp(new StubSource(StubSource.Root, StubEntry.File("a", "1"), StubEntry.File("a", "2")));

        AssertRefused(place, backup, FailureKind.ArchiveCorrupt);
    }

    [LinuxFact]
    public void A_file_that_declares_a_tebibyte_is_ArchiveCorrupt()
    {
        using var place = NewPlace(out _);
        var tar = new ForeignTar().AddFile("honest", "x").Add(StubEntry.File("bomb", [], length: 1L << 40), "short"u8.ToArray());
        var backup = Foreign(place, tar);

        AssertRefused(place, backup, FailureKind.ArchiveCorrupt);
        // By what it declares, and not only because it ends early.
        Assert.Contains("declares 1099511627776 bytes", Workplace.Failure(place.RunRestore(backup)).Message, StringComparison.Ordinal);
    }

    [LinuxFact]
    public void An_extended_header_of_more_than_its_limit_is_ArchiveCorrupt()
    {
        using var place = NewPlace(out _);
        // A real pax header, whose size is then made 64 MiB and its checksum right again.
        var block = new byte[512];
        "PaxHeaders/evil"u8.CopyTo(block);
        Encoding.ASCII.GetBytes(Convert.ToString(64 << 20, 8).PadLeft(11, '0')).CopyTo(block, 124);
        block[156] = (byte)'x';
        "ustar\00000"u8.CopyTo(block.AsSpan(257));
        block.AsSpan(148, 8).Fill((byte)' ');
        var sum = block.Sum(value => value);
        Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(block, 148);

        var held = GC.GetTotalAllocatedBytes();
        AssertRefused(place, Foreign(place, new ForeignTar().AddRaw(block).AddRaw(new byte[1 << 20])), FailureKind.ArchiveCorrupt);
        Assert.True(GC.GetTotalAllocatedBytes() - held < 1L << 30);
    }

    [LinuxFact]
    public void A_device_is_made_only_where_that_is_allowed()
    {
        using var place = NewPlace(out _);
        var device = new StubEntry(new ArchiveEntry { Path = new EntryPath("null"), Kind = EntryKind.CharacterDevice, Mode = 0x1B6, DeviceMajor = 1, DeviceMinor = 3 });
        var backup = place.BackUp(new StubSource(StubSource.Root, device, StubEntry.File("a", "1")));

        AssertRefused(place, backup, FailureKind.RestoreFailed);
        AssertRefused(place, backup, FailureKind.RestoreFailed, new RestoreRequest { Include = ["null"] });
        AssertRefused(place, Foreign(place, new ForeignTar().AddFile("a", "1").Add(device)), FailureKind.RestoreFailed);
        place.Restore(backup, new RestoreRequest { Exclude = ["null"] });
        Assert.Equal(["a"], Directory.GetFileSystemEntries(place.Destination).Select(Path.GetFileName), StringComparer.Ordinal);
    }

    [LinuxFact(AsRoot = true)]
    public void An_allowed_device_is_made()
    {
        using var place = NewPlace(out _);
        var device = new StubEntry(new ArchiveEntry { Path = new EntryPath("null"), Kind = EntryKind.CharacterDevice, Mode = 0x1B6, DeviceMajor = 1, DeviceMinor = 3 });
        place.Restore(place.BackUp(new StubSource(StubSource.Root, device)), new RestoreRequest { AllowDevices = true });

        Assert.Equal("character special file 1 3", Shell.Run("stat", "-c", "%F %t %T", Path.Combine(place.Destination, "null")));
    }

    [LinuxFact]
    public void A_link_that_stands_at_the_destination_is_never_written_through()
    {
        using var place = NewPlace(out var outside);
        var before = Workplace.Describe(outside);
        Directory.CreateDirectory(place.Destination);
        Directory.CreateSymbolicLink(Path.Combine(place.Destination, "a"), outside);
        var folderless = Foreign(place, new ForeignTar().AddFile("a/evil", "x"));
        Assert.Equal(FailureKind.RestoreFailed, Workplace.Failure(place.RunRestore(folderless)).Kind);
        Assert.Equal(before, Workplace.Describe(outside));

        // With a folder of that name in the archive the link gives way, and is in the snapshot.
        var backup = place.BackUp(new StubSource(StubSource.Root, StubEntry.Folder("a"), StubEntry.File("a/evil", "x")));
        var restored = place.Restore(backup);
        Assert.Equal(before, Workplace.Describe(outside));
        Assert.Null(new DirectoryInfo(Path.Combine(place.Destination, "a")).LinkTarget);
        Assert.NotNull(restored.Snapshot);
    }

    [LinuxFact]
    public void What_a_symbolic_link_says_comes_back_verbatim()
    {
        using var place = NewPlace(out var outside);
        string[] targets = [outside, "/etc/passwd", "../../up", "nowhere", "a//b/./..", "with space\nand line"];
        var links = targets.Select((target, i) => StubEntry.Link(string.Create(CultureInfo.InvariantCulture, $"l{i}"), target)).ToArray();
        place.Restore(place.BackUp(new StubSource([StubSource.Root, .. links])));

        Assert.Equal(targets, targets.Select((_, i) => new FileInfo(Path.Combine(place.Destination, $"l{i}")).LinkTarget!), StringComparer.Ordinal);
    }

    [MountFact]
    public void A_bomb_of_zeros_larger_than_the_disk_is_TooLittleSpace_and_nothing_is_written()
    {
        using var place = NewPlace(out _);
        using var disk = new SmallDisk("size=4m");
        var foreign = Foreign(place, new ForeignTar().AddFile("small", "x").AddFile("zeros", new byte[64 << 20]));
        var target = Path.Combine(disk.Folder, "below");

        foreach (var include in new string[][] { [], ["zeros"] })
        {
            Assert.Equal(FailureKind.TooLittleSpace, Workplace.Failure(place.RunRestore(foreign, new RestoreRequest { Destination = target, Include = include })).Kind);
            Assert.Empty(Workplace.Describe(disk.Folder));
        }

        var ours = place.BackUp(new StubSource(StubSource.Root, StubEntry.File("zeros", new byte[64 << 20])));
        Assert.Equal(FailureKind.TooLittleSpace, Workplace.Failure(place.RunRestore(ours, new RestoreRequest { Destination = target, Include = ["zeros"] })).Kind);
        Assert.Empty(Workplace.Describe(disk.Folder));
    }

    [LinuxFact]
    public void What_is_no_archive_at_all_is_ArchiveCorrupt()
    {
        using var place = NewPlace(out _);
        foreach (var bytes in new byte[][] { [], [0x1F], [0x1F, 0x8B, 8], new byte[10_000], "hello"u8.ToArray() })
            AssertRefused(place, Foreign(place, bytes), FailureKind.ArchiveCorrupt);
    }

    private static Workplace NewPlace(out string outside)
    {
        var place = new Workplace(encrypted: false);
        outside = Directory.CreateDirectory(Path.Combine(place.Root, "outside")).FullName;
        File.WriteAllText(Path.Combine(outside, "secret"), "kept");
        return place;
    }

    private static BotBackup Foreign(Workplace place, ForeignTar tar) => Foreign(place, tar.Pack());

    private static BotBackup Foreign(Workplace place, byte[] bytes)
    {
        var file = Path.Combine(Directory.CreateDirectory(Path.Combine(place.Root, "foreign")).FullName, "evil.tar.gz");
        File.WriteAllBytes(file, bytes);
        return BackupCatalog.OpenFile(place.Local, file, Workplace.None);
    }

    private static string[] Outside(Workplace place) =>
        [.. Workplace.Describe(place.Root).Where(line => !line.StartsWith("destination", StringComparison.Ordinal) && !line.StartsWith("store", StringComparison.Ordinal))];

    private static void AssertRefused(Workplace place, BotBackup backup, FailureKind kind, RestoreRequest? request = null)
    {
        var before = Untold(place);
        Assert.Equal(kind, place.Refuse(backup, request));
        Assert.Equal(before, Untold(place));
    }

    // Everything but the records of what was found.
    private static string[] Untold(Workplace place) => [.. Workplace.Describe(place.Root).Where(line => !line.Contains(".proof.", StringComparison.Ordinal))];
}
