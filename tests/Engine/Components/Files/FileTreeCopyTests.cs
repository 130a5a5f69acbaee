using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Outside.Posix;
using BotCore.Backup.Engine.Tests.Outside;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.Files;

/// <summary>Source and writer together; rsync says whether the copy is one.</summary>
public sealed class FileTreeCopyTests : IDisposable
{
    private readonly TreeFolder _tree = new();

    public void Dispose() => _tree.Dispose();

    [ToolFact("rsync", "bash", "setfacl", "setfattr")]
    public void A_copy_is_what_rsync_calls_a_copy()
    {
        _tree.Bash("""
            printf 'latin' > $'caf\xe9'; printf 'raw' > $'\xff\xfe'; printf 'line' > $'two\nlines'; printf 'x' > ' lead and trail '
            printf 'long' > "$(printf 'n%.0s' {1..255})"
            mkdir -p d/e/f empty; printf 'deep' > d/e/f/g; : > zero; head -c 300000 /dev/urandom > big
            ln big d/second; ln big third; ln -s d/e link; ln -s /nowhere/at/all dangling; ln -s $'t\xe9' $'l\xe9'; ln link linkagain
            mkfifo pipe; chmod 640 pipe
            setfattr -n user.comment -v hello big; setfattr -n user.dir -v there d; setfattr -n user.empty zero
            setfacl -m u:1234:rwx big; setfacl -m u:1234:rx,g:4321:r d; setfacl -d -m u:77:rwx d
            printf '#!' > suid; chmod 4755 suid; printf '#!' > sgid; chmod 2755 sgid; mkdir sticky; chmod 1777 sticky; mkdir setgid; chmod 2775 setgid
            touch -d '2001-02-03 04:05:06.123456789 UTC' big; touch -d '1969-12-31 23:59:58.5 UTC' zero
            touch -h -d '2003-01-01 00:00:00.987654321 UTC' dangling
            printf 'ro' > readonly; chmod 400 readonly; mkdir closed; printf 'in' > closed/in; chmod 555 closed
            touch -d '2002-02-02 02:02:02.000000001 UTC' d/e/f empty closed; touch -d '1999-01-01 UTC' .
            chmod 750 .
            """);

        Assert.Empty(_tree.Copy());

        Assert.Equal("", RsyncDifferences());
        Assert.Equal(TreeFolder.Describe(_tree.Source), TreeFolder.Describe(_tree.Target));
        Assert.Equal("", Shell.Run("find", _tree.Target, "-name", ".botbackup-*"));
    }

    [LinuxFact(AsRoot = true, Tools = ["setfattr", "rsync"])]
    public void Root_keeps_owners_devices_capabilities_and_attributes_of_links()
    {
        _tree.Bash("""
            printf a > file; chown 12345:54321 file; chmod 6755 file; chown -h 5:6 . ; mkdir theirs; chown 7:8 theirs; ln -s file link; chown -h 9:10 link
            mknod null c 1 3; mknod disk b 259 70000; chown 3:4 null; ln null nullagain
            printf cap > cap; setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 cap
            setfattr -h -n trusted.note -v onlink link; setfattr -n trusted.note -v onnode null
            """);

        Assert.Empty(_tree.Copy(allowDevices: true));

        Assert.Equal("", RsyncDifferences());
        Assert.Equal(TreeFolder.Describe(_tree.Source), TreeFolder.Describe(_tree.Target));
        Assert.Equal("103 11170", Shell.Run("stat", "-c", "%t %T", Path.Combine(_tree.Target, "disk")));
    }

    [LinuxFact]
    public void Holes_stay_holes()
    {
        _tree.Bash("truncate -s 1G sparse; printf data | dd of=sparse bs=1 seek=700000000 conv=notrunc status=none; truncate -s 64M hole");

        Assert.Empty(_tree.Copy());

        Assert.Equal(TreeFolder.Describe(_tree.Source), TreeFolder.Describe(_tree.Target));
        Assert.Equal(Runs(_tree.Source), Runs(_tree.Target));
        Assert.Equal("data", Shell.Run("dd", "if=" + Path.Combine(_tree.Target, "sparse"), "bs=4", "skip=175000000", "count=1", "status=none"));
        foreach (var name in new[] { "sparse", "hole" })
        {
            var shown = Shell.Run("stat", "-c", "%s %b", Path.Combine(_tree.Target, name)).Split(' ');
            Assert.Equal(name.Length == 4 ? "67108864" : "1073741824", shown[0]);
            Assert.InRange(int.Parse(shown[1], System.Globalization.CultureInfo.InvariantCulture), 0, 1024);
        }

        var hole = TreeFolder.Items(_tree.Scope).Entries.Single(entry => entry.Path == new EntryPath("hole"));
        Assert.Equal((64 << 20, 0), (hole.Size, hole.DataLength));
        Assert.Empty(hole.Sparse!);
    }

    [LinuxFact]
    public void Two_thousand_levels_beyond_any_path_length_are_copied_with_few_descriptors()
    {
        var folder = Syscalls.Open(Syscalls.CurrentFolder, DurableFile.Terminated(_tree.Source), Syscalls.OpenFolder, 0);
        for (var level = 0; level < 2000; level++)
        {
            Assert.Equal(0, Syscalls.MakeFolder(folder, "folder-name\0"u8, 0x1ED));
            foreach (var name in new[] { "a\0", "z\0" })
                Assert.Equal(0, Syscalls.MakeNode(folder, System.Text.Encoding.ASCII.GetBytes(name), FileType.Regular, 0x180, 0, 0));
            var next = Syscalls.Open(folder, "folder-name\0"u8, Syscalls.OpenFolder, 0);
            _ = Syscalls.Close(folder);
            folder = next;
        }

        _ = Syscalls.Close(folder);
        var most = 0;
        var entries = 0;
        foreach (var _ in new Engine.Components.Files.FileTreeSource(_tree.Scope).Read(CancellationToken.None))
            if (entries++ % 100 == 0)
                most = Math.Max(most, OpenIn(_tree.Source));

        Assert.Equal(1 + (3 * 2000), entries);
        Assert.InRange(most, 1, 40);
        Assert.Empty(_tree.Copy());
        var copied = TreeFolder.Items(new Engine.Components.Files.FileTreeScope(new EntryPath(_tree.Target))).Entries;
        Assert.Equal(
            TreeFolder.Items(_tree.Scope).Entries.Select(entry => (entry.Path, entry.Kind, entry.Mode, entry.Modified)),
            copied.Select(entry => (entry.Path, entry.Kind, entry.Mode, entry.Modified)));
        Assert.Equal(0, OpenIn(_tree.Root));
    }

    [LinuxFact]
    public void A_walk_given_up_leaves_nothing_open()
    {
        _tree.Write("a/b/file");
        _tree.Write("a/c/file");

        foreach (var item in new Engine.Components.Files.FileTreeSource(_tree.Scope).Read(CancellationToken.None))
            if (item is SourceEntry { Entry.Kind: EntryKind.File })
                break;

        Assert.Equal(0, OpenIn(_tree.Root));
    }

    private static List<SparseRun> Runs(string folder) =>
        [.. TreeFolder.Items(new Engine.Components.Files.FileTreeScope(new EntryPath(folder))).Entries.SelectMany(entry => entry.Sparse ?? [])];

    private string RsyncDifferences() =>
        Shell.Run("rsync", "-nacAXH", "--modify-window=-1", "--delete", "--itemize-changes", _tree.Source + "/", _tree.Target + "/");

    /// <summary>Descriptors of this process that lead into <paramref name="folder"/>.</summary>
    private static int OpenIn(string folder) =>
        Directory.GetFileSystemEntries("/proc/self/fd").Count(link =>
        {
            try
            {
                return new FileInfo(link).LinkTarget?.StartsWith(folder, StringComparison.Ordinal) == true;
            }
            catch (PathTooLongException)
            {
                return true; // Only the deep tree has such paths.
            }
            catch (IOException)
            {
                return false; // Another test closed it meanwhile.
            }
        });
}
