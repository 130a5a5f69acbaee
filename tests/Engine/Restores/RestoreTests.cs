using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Engine.Tests.Outside;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Restores;

/// <summary>Snapshots of what is overwritten, and restores of a selection.</summary>
public sealed class RestoreTests
{
    [LinuxFact]
    public void A_snapshot_holds_what_was_overwritten_and_brings_it_back()
    {
        using var place = new Workplace();
        place.Write("same", "new");
        place.Write("folder/other", "new");
        place.Write("added", "new");
        var backup = place.BackUp();
        Directory.CreateDirectory(Path.Combine(place.Destination, "folder"));
        File.WriteAllText(Path.Combine(place.Destination, "same"), "old");
        File.WriteAllText(Path.Combine(place.Destination, "folder", "other"), "old");
        File.WriteAllText(Path.Combine(place.Destination, "bystander"), "old");
        var before = Workplace.Describe(place.Destination);

        var restored = place.Restore(backup);
        Assert.Equal(2, restored.Counts.Overwritten);
        var snapshot = restored.Snapshot!;
        Assert.Equal(BackupType.Snapshot, snapshot.Type);
        Assert.Equal(["folder/other", "same"], Files(place, snapshot), StringComparer.Ordinal);
        Assert.Equal(Outcome.Succeeded, place.Prove(snapshot).Outcome);
        Assert.Equal("new", File.ReadAllText(Path.Combine(place.Destination, "same")));

        // Without -Destination, as the pipeline gives it: the snapshot's index knows where it belongs.
        var step = RestorePlanner.Plan(place.Session, place.Reopen(snapshot), new RestoreRequest(), Workplace.None);
        Assert.Equal(place.Destination, step.Destination);
        place.Restore(snapshot);
        File.Delete(Path.Combine(place.Destination, "added"));
        Assert.Equal(before, Workplace.Describe(place.Destination));
    }

    [LinuxFact]
    public void Without_a_snapshot_nothing_is_overwritten_unless_forced()
    {
        using var place = new Workplace();
        place.Write("same", "new");
        var backup = place.BackUp();
        Directory.CreateDirectory(place.Destination);
        File.WriteAllText(Path.Combine(place.Destination, "same"), "old");
        var before = Workplace.Describe(place.Root);

        foreach (var include in new string[][] { [], ["same"] })
        {
            Assert.Equal(FailureKind.DestinationNotEmpty, Workplace.Failure(place.RunRestore(backup, new RestoreRequest { NoSnapshot = true, Include = include })).Kind);
            Assert.Equal(before, Workplace.Describe(place.Root));
        }

        Assert.Null(place.Restore(backup, new RestoreRequest { NoSnapshot = true, Force = true }).Snapshot);
        Assert.Equal("new", File.ReadAllText(Path.Combine(place.Destination, "same")));
    }

    [LinuxFact]
    public void An_empty_destination_needs_no_snapshot()
    {
        using var place = new Workplace();
        place.Write("a", "1");
        var backup = place.BackUp();
        Directory.CreateDirectory(place.Destination);

        Assert.Null(place.Restore(backup, new RestoreRequest { NoSnapshot = true }).Snapshot);
    }

    [LinuxFact]
    public void A_snapshot_that_cannot_be_kept_stops_the_restore()
    {
        using var place = new Workplace();
        place.Write("same", "new");
        var backup = place.BackUp();
        Directory.CreateDirectory(place.Destination);
        File.WriteAllText(Path.Combine(place.Destination, "same"), "old");
        using var lease = place.Local.AcquireLease("pre-restore-snapshots", Workplace.None);

        Assert.Equal(FailureKind.Locked, Workplace.Failure(place.RunRestore(backup)).Kind);
        Assert.Equal("old", File.ReadAllText(Path.Combine(place.Destination, "same")));
    }

    [LinuxFact]
    public void A_selection_brings_its_folders_with_their_modes_and_nothing_else()
    {
        using var place = new Workplace();
        foreach (var name in new[] { "a/b/wanted.txt", "a/b/other.txt", "a/side/x", "c/y" })
            place.Write(name, name);
        Shell.Run("chmod", "700", Path.Combine(place.Project, "a"));
        Shell.Run("chmod", "2750", Path.Combine(place.Project, "a/b"));

        for (var round = 0; round < 2; round++)
        {
            var restored = place.Restore(place.BackUp(), new RestoreRequest { Include = ["wanted.txt"] });
            Assert.True(restored.Partial);
            Assert.Equal(["a", "a/b", "a/b/wanted.txt"], Names(place.Destination), StringComparer.Ordinal);
            Assert.Equal("700", Mode(place.Destination, "a"));
            Assert.Equal("2750", Mode(place.Destination, "a/b"));
            Directory.Delete(place.Destination, recursive: true);
        }

        Assert.Equal(FailureKind.BackupNotFound, place.Refuse(place.BackUp(), new RestoreRequest { Include = ["nothing"] }));
    }

    [LinuxFact]
    public void A_hard_link_comes_back_with_its_content_where_its_target_is_not_asked_for()
    {
        using var place = new Workplace();
        place.Write("a/first", "shared");
        Directory.CreateDirectory(Path.Combine(place.Project, "z"));
        foreach (var name in new[] { "z/one", "z/two" })
            Shell.Run("ln", Path.Combine(place.Project, "a/first"), Path.Combine(place.Project, name));
        place.Restore(place.BackUp(), new RestoreRequest { Include = ["z"] });

        Assert.Equal(["z", "z/one", "z/two"], Names(place.Destination), StringComparer.Ordinal);
        Assert.Equal("shared", File.ReadAllText(Path.Combine(place.Destination, "z/one")));
        Assert.Equal("2", Shell.Run("stat", "-c", "%h", Path.Combine(place.Destination, "z/two")));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_selection_reads_only_its_members_and_refuses_one_that_was_altered(bool encrypted)
    {
        using var place = new Workplace(encrypted);
        place.WriteNoise("a.bin", 1_100_000);
        place.WriteNoise("b.bin", 6_000_000);
        place.WriteNoise("c.bin", 1_100_000);
        var backup = place.BackUp();
        var bytes = File.ReadAllBytes(backup.Location);
        bytes[3_000_000] ^= 1;
        File.WriteAllBytes(backup.Location, bytes);

        foreach (var good in new[] { "a.bin", "c.bin" })
        {
            place.Restore(backup, new RestoreRequest { Include = [good] });
            Assert.Equal(File.ReadAllBytes(Path.Combine(place.Project, good)), File.ReadAllBytes(Path.Combine(place.Destination, good)));
            Directory.Delete(place.Destination, recursive: true);
        }

        Assert.Equal(FailureKind.ArchiveCorrupt, Workplace.Failure(place.RunRestore(backup, new RestoreRequest { Include = ["b.bin"] })).Kind);
        Assert.Empty(Workplace.Describe(place.Destination));
    }

    [LinuxFact]
    public void Names_that_are_not_utf8_come_back_as_the_bytes_they_are()
    {
        using var place = new Workplace();
        EntryPath[] odd = [new([0xFF, 0xFE]), new("line\nbreak"), new("quo\"te\\"), new("Köln")];
        var backup = place.BackUp(new StubSource([StubSource.Root, .. odd.Select(path => new StubEntry(new ArchiveEntry { Path = path, Kind = EntryKind.File, Mode = 0x1A4, Size = 1 }, "x"u8.ToArray()))]));
        place.Restore(backup);

        var listed = Shell.Run("sh", "-c", $"cd '{place.Destination}' && for f in *; do printf %s \"$f\" | od -An -v -tx1 | tr -d ' \\n'; echo; done");
        Assert.Equal(odd.Select(path => Convert.ToHexStringLower(path.Bytes)).Order(StringComparer.Ordinal), listed.Split('\n').Order(StringComparer.Ordinal), StringComparer.Ordinal);
    }

    private static string[] Files(Workplace place, BotBackup backup)
    {
        using var index = new Unsealer(backup, place.Session.Keys, 1).OpenIndex(Workplace.None);
        return [.. index.Read().OfType<IndexEntry>().Where(entry => entry.Kind == EntryKind.File).Select(entry => entry.Path.ToString()).Order(StringComparer.Ordinal)];
    }

    private static string[] Names(string folder) =>
        [.. Workplace.Describe(folder).Select(line => line[..line.LastIndexOf(' ')])];

    private static string Mode(string folder, string name) => Shell.Run("stat", "-c", "%a", Path.Combine(folder, name));
}
