using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Components.Files;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Outside.Posix;
using BotCore.Backup.Engine.Tests.Outside;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.Files;

public sealed class FileTreeWriterTests : IDisposable
{
    private readonly TreeFolder _tree = new();

    public void Dispose() => _tree.Dispose();

    [LinuxFact]
    public void Nothing_is_written_through_a_symbolic_link_in_the_destination()
    {
        var outside = Directory.CreateDirectory(Path.Combine(_tree.Root, "outside")).FullName;
        Directory.CreateDirectory(_tree.Target);
        File.CreateSymbolicLink(Path.Combine(_tree.Target, "link"), outside);
        using var writer = Writer();

        foreach (var path in new[] { "link/file", "link/deeper/file" })
        {
            var error = Assert.Throws<BackupException>(() => Put(writer, path));
            Assert.Equal(FailureKind.RestoreFailed, error.Failure.Kind);
            Assert.Contains("link in the destination is a symbolic link", error.Message, StringComparison.Ordinal);
        }

        Assert.Throws<BackupException>(() => writer.Create(Folder("link/folder")));
        Assert.Throws<BackupException>(() => writer.Create(Link("link/link", "x")));
        Assert.Null(writer.KindOf(new EntryPath("link/any")));
        Assert.Empty(Directory.GetFileSystemEntries(outside));
    }

    [LinuxFact]
    public void A_link_of_the_archive_itself_leads_nowhere_either()
    {
        var outside = Directory.CreateDirectory(Path.Combine(_tree.Root, "outside")).FullName;
        File.WriteAllText(Path.Combine(outside, "file"), "theirs");
        using var writer = Writer();
        writer.Create(Folder("a"));
        Put(writer, "a/first");
        writer.Create(Folder("b"));
        writer.Create(Link("b", outside));
        writer.Create(Link("file", outside + "/file"));

        Assert.Throws<BackupException>(() => writer.Create(Link("a", outside)));
        Assert.Throws<BackupException>(() => Put(writer, "b/file"));
        Assert.Throws<BackupException>(() => writer.Create(HardLink("mine", "b/file")));
        Put(writer, "file", "ours");
        writer.Finish();

        Assert.Equal("theirs", File.ReadAllText(Path.Combine(outside, "file")));
        Assert.Equal("ours", File.ReadAllText(At("file")));
        Assert.Null(new FileInfo(At("file")).LinkTarget);
        Assert.Single(Directory.GetFileSystemEntries(outside));
    }

    [LinuxFact]
    public void A_folder_of_the_archive_takes_the_place_of_a_link()
    {
        var outside = Directory.CreateDirectory(Path.Combine(_tree.Root, "outside")).FullName;
        Directory.CreateDirectory(_tree.Target);
        File.CreateSymbolicLink(At("conf"), outside);
        using var writer = Writer();

        writer.Create(Folder("conf"));
        Put(writer, "conf/file");
        writer.Finish();

        Assert.Empty(Directory.GetFileSystemEntries(outside));
        Assert.Equal("content", File.ReadAllText(At("conf/file")));
    }

    [LinuxFact]
    public void Paths_that_no_honest_archive_holds_are_refused()
    {
        using var writer = Writer();
        foreach (var path in new[] { "../out", "a/../../out", "/out", "a//b", "a/", "a/./b", "", "a\0b", ".." })
        {
            Assert.Equal(FailureKind.ArchiveCorrupt, Assert.Throws<BackupException>(() => Put(writer, path)).Failure.Kind);
            Assert.Equal(FailureKind.ArchiveCorrupt, Assert.Throws<BackupException>(() => writer.Create(Folder(path))).Failure.Kind);
        }

        Assert.Equal(FailureKind.ArchiveCorrupt, Assert.Throws<BackupException>(() => writer.Create(HardLink("a", "../x"))).Failure.Kind);
        Assert.Empty(Directory.GetFileSystemEntries(_tree.Target));
        Assert.Equal(["dst", "src"], Directory.GetFileSystemEntries(_tree.Root).Select(Path.GetFileName).Order(StringComparer.Ordinal).ToList());
    }

    [LinuxFact]
    public void A_file_has_its_name_only_when_it_is_whole()
    {
        using var writer = Writer();
        Put(writer, "file", "old");

        using (var target = writer.BeginFile(File_("file", 5)))
        {
            target.Write("new"u8);
            Assert.Equal("old", File.ReadAllText(At("file")));
            Assert.Equal(FailureKind.RestoreMismatch, Assert.Throws<BackupException>(target.Commit).Failure.Kind);
            Assert.Equal(FailureKind.RestoreMismatch, Assert.Throws<BackupException>(() => target.Write("123"u8)).Failure.Kind);
        }

        Assert.Equal("old", File.ReadAllText(At("file")));
        Assert.Single(Directory.GetFileSystemEntries(_tree.Target));
    }

    [LinuxFact]
    public void An_empty_folder_gives_way_to_a_file_and_a_full_one_does_not()
    {
        Directory.CreateDirectory(At("empty"));
        Directory.CreateDirectory(At("full/in"));
        using var writer = Writer();

        Put(writer, "empty");
        var error = Assert.Throws<BackupException>(() => Put(writer, "full"));

        Assert.Contains("full in the destination is a folder with something in it", error.Message, StringComparison.Ordinal);
        Assert.Equal(EntryKind.File, writer.KindOf(new EntryPath("empty")));
        Assert.True(Directory.Exists(At("full/in")));
    }

    [LinuxFact]
    public void A_file_in_the_place_of_a_parent_is_told()
    {
        using var writer = Writer();
        Put(writer, "a");

        var error = Assert.Throws<BackupException>(() => Put(writer, "a/b"));

        Assert.Contains("a in the destination is no folder", error.Message, StringComparison.Ordinal);
    }

    [LinuxFact]
    public void Folders_that_the_archive_does_not_name_are_made()
    {
        using var writer = Writer();

        Put(writer, "a/b/c/file");
        Put(writer, "a/b/d");

        Assert.Equal("content", File.ReadAllText(At("a/b/c/file")));
        Assert.True(writer.Exists(new EntryPath("a/b/d")));
        Assert.False(writer.Exists(new EntryPath("a/b/e/f")));
        Assert.False(Directory.Exists(At("a/b/e")));
    }

    [LinuxFact]
    public void Devices_need_a_word_and_the_advice_names_it()
    {
        using var writer = Writer();

        var error = Assert.Throws<BackupException>(() => writer.Create(
            new ArchiveEntry { Path = new("null"), Kind = EntryKind.CharacterDevice, DeviceMajor = 1, DeviceMinor = 3 }));

        Assert.Contains("-AllowDevices", error.Failure.Advice, StringComparison.Ordinal);
        Assert.False(writer.Exists(new EntryPath("null")));
    }

    [LinuxFact]
    public void A_hard_link_never_takes_what_was_there_before()
    {
        Directory.CreateDirectory(_tree.Target);
        File.WriteAllText(At("old"), "old");
        using var writer = Writer();
        Put(writer, "new");

        var error = Assert.Throws<BackupException>(() => writer.Create(HardLink("link", "old")));
        writer.Create(HardLink("good", "new"));
        writer.Create(HardLink("good", "new"));
        writer.Create(HardLink("again", "good"));

        Assert.Contains("not from this restore", error.Message, StringComparison.Ordinal);
        Assert.Equal("3", Shell.Run("stat", "-c", "%h", At("new")));
        Assert.Equal(["again", "good", "new", "old"], Directory.GetFiles(_tree.Target).Select(Path.GetFileName).Order(StringComparer.Ordinal).ToList());
    }

    [ToolFact("setfacl", "setfattr", "getfacl", "getfattr")]
    public void What_the_archive_has_not_is_taken_away_from_folders_that_were_there()
    {
        Directory.CreateDirectory(At("d"));
        Shell.Run("bash", "-c", $"cd '{_tree.Target}'; setfacl -d -m u:1234:rwx d; setfacl -m u:77:r d; setfattr -n user.old -v x d; chmod 755 d");
        using var writer = Writer();

        writer.Create(Folder("d") with { Mode = 0x1E8 });
        Put(writer, "d/file");
        writer.Finish();

        Assert.DoesNotContain("1234", Shell.Run("getfacl", "-np", At("d"), At("d/file")), StringComparison.Ordinal);
        Assert.DoesNotContain("77", Shell.Run("getfacl", "-np", At("d")), StringComparison.Ordinal);
        Assert.Equal("", Shell.Run("getfattr", "-d", At("d")));
        Assert.Equal("750 600", Shell.Run("stat", "-c", "%a", At("d"), At("d/file")).ReplaceLineEndings(" "));
    }

    [LinuxFact(AsRoot = true)]
    public void Owners_by_name_are_those_of_this_machine_and_numbers_where_unknown()
    {
        using (var writer = new FileTreeWriter(new EntryPath(_tree.Target), OwnerMapping.ByName))
        {
            var entry = File_("known", 0) with { UserId = 4242, GroupId = 4343, UserName = "daemon", GroupName = "daemon" };
            foreach (var one in new[] { entry, entry with { Path = new("unknown"), UserName = "no-such-user", GroupName = "" } })
            {
                using var target = writer.BeginFile(one);
                target.Commit();
            }
        }

        Assert.Equal("daemon:daemon", Shell.Run("stat", "-c", "%U:%G", At("known")));
        Assert.Equal("4242:4343", Shell.Run("stat", "-c", "%u:%g", At("unknown")));
    }

    [LinuxFact(AsRoot = true)]
    public void A_full_disk_is_told_and_leaves_no_trace()
    {
        Directory.CreateDirectory(_tree.Target);
        Shell.Run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", _tree.Target);
        try
        {
            using var writer = Writer();
            Assert.InRange(writer.FreeSpace, 1, 1 << 20);
            var error = Assert.Throws<BackupException>(() => Put(writer, "big", new string('x', 2 << 20)));

            Assert.Equal(FailureKind.RestoreFailed, error.Failure.Kind);
            Assert.Contains("full (ENOSPC)", error.Message, StringComparison.Ordinal);
            Assert.Empty(Directory.GetFileSystemEntries(_tree.Target));
            writer.SyncAll();
        }
        finally
        {
            Shell.Run("umount", "-l", _tree.Target);
        }
    }

    [LinuxFact]
    public void Links_without_a_target_and_kinds_of_the_wrong_door_are_refused()
    {
        using var writer = Writer();

        Assert.Equal(FailureKind.ArchiveCorrupt, Assert.Throws<BackupException>(() => writer.Create(Link("l", ""))).Failure.Kind);
        Assert.Throws<ArgumentException>(() => writer.BeginFile(Folder("d")));
        Assert.Throws<ArgumentException>(() => writer.Create(File_("f", 0)));
    }

    private static ArchiveEntry Folder(string path) => Mine(path, EntryKind.Directory) with { Mode = 0x1ED };

    private static ArchiveEntry Link(string path, string target) => Mine(path, EntryKind.SymbolicLink) with { LinkTarget = new(target) };

    private static ArchiveEntry HardLink(string path, string target) => Mine(path, EntryKind.HardLink) with { LinkTarget = new(target) };

    private static ArchiveEntry File_(string path, long size) => Mine(path, EntryKind.File) with { Size = size, Mode = 0x180 };

    private static ArchiveEntry Mine(string path, EntryKind kind) => new()
    {
        Path = new(path),
        Kind = kind,
        UserId = DurableFile.EffectiveUser!.Value,
        GroupId = DurableFile.EffectiveUser!.Value,
    };

    private static void Put(FileTreeWriter writer, string path, string content = "content")
    {
        using var target = writer.BeginFile(File_(path, content.Length));
        target.Write(System.Text.Encoding.ASCII.GetBytes(content));
        target.Commit();
    }

    private FileTreeWriter Writer() => new(new EntryPath(_tree.Target));

    private string At(string name) => Path.Combine(_tree.Target, name);
}
