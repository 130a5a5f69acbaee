using System.Net.Sockets;
using System.Runtime.InteropServices;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Components.Files;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Outside.Posix;
using BotCore.Backup.Engine.Tests.Outside;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.Files;

public sealed partial class FileTreeSourceTests : IDisposable
{
    private const uint Nobody = 65534;

    private readonly TreeFolder _tree = new();

    public void Dispose() => _tree.Dispose();

    [LinuxFact]
    public void The_order_is_root_then_folders_before_content_by_bytes()
    {
        _tree.Bash("mkdir -p b/c a; touch b/c/x b/a.txt B a.b a/z");

        Assert.Equal([".", "B", "a", "a/z", "a.b", "b", "b/a.txt", "b/c", "b/c/x"], _tree.Paths());
        Assert.Equal(_tree.Paths(), _tree.Paths("."));
    }

    [LinuxFact]
    public void Selections_bring_the_folders_above_them_once_and_nothing_twice()
    {
        _tree.Bash("mkdir -p conf/nginx/sites other; touch conf/nginx/sites/a conf/nginx/.hidden conf/top other/x .env docker-compose.yml");

        Assert.Equal(
            [".", ".env", "conf", "conf/nginx", "conf/nginx/.hidden", "conf/nginx/sites", "conf/nginx/sites/a"],
            _tree.Paths("conf/nginx", "conf/nginx/sites/a", "./conf//nginx/", ".env", _tree.Source + "/.env"));
    }

    [LinuxFact]
    public void Globs_are_those_of_bash()
    {
        _tree.Bash("mkdir -p a/b/.c/d .x e; touch a/1.conf a/b/2.conf a/b/.3.conf a/b/.c/d/4.conf .x/5.conf top.conf 'a/[z].conf' e/no.txt");

        Assert.Equal([".", "top.conf"], _tree.Paths("*.conf"));
        Assert.Equal([".", "a", "a/1.conf", "a/[z].conf", "a/b", "a/b/2.conf", "top.conf"], _tree.Paths("**/*.conf"));
        Assert.Equal([".", "a", "a/b", "a/b/.3.conf"], _tree.Paths("a/b/.*.conf"));
        Assert.Equal([".", "a", "a/1.conf"], _tree.Paths("?/[0-9].conf"));
        Assert.Equal([".", "a", "a/[z].conf"], _tree.Paths("a/\\[z].c*"));
        Assert.Equal(_tree.Paths("a"), _tree.Paths("a/**"));
        Assert.Equal([".", "a", "a/b", "a/b/.c", "a/b/.c/d", "a/b/.c/d/4.conf"], _tree.Paths("a/**/.c/**/*.conf"));
    }

    [LinuxFact]
    public void A_literal_that_finds_nothing_fails_the_run_and_a_glob_warns()
    {
        _tree.Write("there/file");
        _tree.Bash("ln -s there link; mkdir -p skipped/in");
        var scope = _tree.Scope with
        {
            Selections = [new("gone"), new("there/none"), new("*.none"), new("link/file"), new("there/file/x"), new("skipped/in"), new("there")],
            LeaveOut = [new EntryPath(_tree.Source + "/skipped")],
        };

        var problems = TreeFolder.Items(scope).Problems;

        Problem("gone", "CONFIG_PATHS names gone, which does not exist", FailureKind.SourceUnreachable);
        Problem("there/none", "which does not exist", FailureKind.SourceUnreachable);
        Problem("link/file", "link is a symbolic link", FailureKind.SourceUnreachable);
        Problem("there/file/x", "there/file is no folder", FailureKind.SourceUnreachable);
        Problem("skipped/in", "skipped is left out", FailureKind.SourceUnreachable);
        Problem("*.none", "matches nothing", null);
        Problem("skipped", "left out", null);
        Assert.Equal(7, problems.Count);

        void Problem(string path, string text, FailureKind? kind)
        {
            var problem = Assert.Single(problems, problem => problem.Path == new EntryPath(path));
            Assert.Contains(text, problem.Text, StringComparison.Ordinal);
            Assert.Equal(kind, problem.Failure?.Kind);
        }
    }

    [LinuxFact]
    public void Selections_that_lead_out_are_refused()
    {
        foreach (var selection in new[] { "../x", "a/../../x", "/etc/passwd", _tree.Source + "-beside/x" })
        {
            var error = Assert.Throws<BackupException>(() => _tree.Paths(selection));
            Assert.Equal(FailureKind.ConfigurationInvalid, error.Failure.Kind);
        }
    }

    [LinuxFact]
    public void What_is_left_out_is_told_once_also_when_it_is_reached_by_another_path()
    {
        _tree.Write("backups/mongodb/archive");
        _tree.Write("kept");
        _tree.Bash($"ln -s '{_tree.Source}' ../alias");

        foreach (var path in new[] { _tree.Source + "/backups", _tree.Root + "/alias/backups/" })
        {
            var scope = _tree.Scope with { LeaveOut = [new EntryPath(path)] };
            var (entries, problems) = TreeFolder.Items(scope);

            Assert.Equal([".", "kept"], entries.Select(entry => entry.Path.ToString()).ToList());
            var problem = Assert.Single(problems);
            Assert.Null(problem.Failure);
            Assert.Equal(new FileTreeEstimate(2, "content".Length), FileTreeEstimate.Measure(scope, CancellationToken.None));
        }
    }

    [LinuxFact]
    public void A_root_that_is_missing_or_no_folder_is_told()
    {
        var missing = Assert.Throws<BackupException>(() => TreeFolder.Items(new FileTreeScope(new EntryPath(_tree.Root + "/none"))));
        var file = Assert.Throws<BackupException>(() => TreeFolder.Items(new FileTreeScope(new EntryPath(_tree.Write("file")))));

        Assert.Equal((FailureKind.SourceUnreachable, FailureKind.SourceUnreachable), (missing.Failure.Kind, file.Failure.Kind));
        Assert.Contains("ENOENT", missing.Message, StringComparison.Ordinal);
    }

    [LinuxFact]
    public void What_vanishes_between_listing_and_opening_is_marked()
    {
        _tree.Write("a");
        var gone = _tree.Write("b");
        _tree.Bash("ln a z; mkdir c");

        var items = new List<(string Path, EntryMark Mark)>();
        foreach (var item in Read())
        {
            if (item.Path == new EntryPath("."))
                File.Delete(gone);
            if (item is SourceProblem { Failure: not null })
                Assert.Fail("A file that vanished fails no run.");
            items.Add((item.Path.ToString(), (item as SourceProblem)?.Mark ?? EntryMark.None));
            if (item.Path == new EntryPath("a"))
                Directory.Delete(Path.Combine(_tree.Source, "c"));
        }

        Assert.Equal([(".", EntryMark.None), ("a", EntryMark.None), ("b", EntryMark.Vanished), ("c", EntryMark.Vanished), ("z", EntryMark.None)], items);
    }

    [LinuxFact]
    public void A_file_that_grows_gives_its_declared_bytes_and_is_marked()
    {
        var path = _tree.Write("file", "12345");
        File.SetLastWriteTimeUtc(path, DateTime.UnixEpoch);

        Assert.Equal(("12345", EntryMark.Changed), ReadFile(() => File.AppendAllText(path, "678")));
    }

    [LinuxFact]
    public void A_file_that_shrinks_ends_early_and_is_marked()
    {
        var path = _tree.Write("file", "12345");

        Assert.Equal(("12", EntryMark.Changed), ReadFile(() => File.WriteAllText(path, "12")));
    }

    [LinuxFact]
    public void A_file_that_is_rewritten_at_its_size_is_marked_and_one_let_be_is_not()
    {
        var path = _tree.Write("file", "12345");
        File.SetLastWriteTimeUtc(path, DateTime.UnixEpoch);

        Assert.Equal(("12345", EntryMark.None), ReadFile(() => { }));
        Assert.Equal(("abcde", EntryMark.Changed), ReadFile(() => File.WriteAllText(path, "abcde")));
    }

    [LinuxFact]
    public void A_file_whose_name_is_given_to_another_is_read_as_it_was_opened()
    {
        var path = _tree.Write("file", "12345");
        var other = Path.Combine(_tree.Root, "other");
        File.WriteAllText(other, "other content");

        Assert.Equal("12345", ReadFile(() => File.Move(other, path, overwrite: true)).Content);
    }

    [LinuxFact]
    public void A_folder_that_is_moved_away_while_deep_in_it_fails_the_run_and_the_rest_goes_on()
    {
        var deep = string.Join('/', Enumerable.Repeat("d", 40));
        _tree.Bash($"mkdir -p a/{deep} z; touch a/{deep}/file a/y z/file");

        var items = new List<SourceItem>();
        foreach (var item in Read())
        {
            items.Add(item);
            if (item.Path.ToString().EndsWith("d/file", StringComparison.Ordinal))
                _tree.Bash("mv a/d ../moved");
        }

        // "a" itself stands where it stood; it is found from the root again, and so is what follows.
        Assert.Contains(items, item => item.Path == new EntryPath("a/y") && item is SourceEntry);
        Assert.Contains(items, item => item.Path == new EntryPath("z/file") && item is SourceEntry);
    }

    [LinuxFact]
    public void A_folder_that_cannot_be_found_again_fails_the_run()
    {
        var deep = string.Join('/', Enumerable.Repeat("d", 40));
        _tree.Bash($"mkdir -p a/{deep} z; touch a/{deep}/file a/d/y z/file");

        var items = new List<SourceItem>();
        foreach (var item in Read())
        {
            items.Add(item);
            if (item.Path.ToString().EndsWith("d/file", StringComparison.Ordinal))
                _tree.Bash("mv a/d/d ../moved; mv a/d ../moved-too");
        }

        var problem = Assert.Single(items.OfType<SourceProblem>());
        Assert.Equal((new EntryPath("a/d"), FailureKind.SourceUnreachable), (problem.Path, problem.Failure!.Kind));
        Assert.Contains(items, item => item.Path == new EntryPath("z/file") && item is SourceEntry);
    }

    [LinuxFact]
    public void Sockets_are_told_and_left()
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(Path.Combine(_tree.Source, "s")));

        var (entries, problems) = TreeFolder.Items(_tree.Scope);

        Assert.Single(entries);
        Assert.Contains("s is a socket", Assert.Single(problems).Text, StringComparison.Ordinal);
        Assert.Null(problems[0].Failure);
    }

    [LinuxFact]
    public void What_may_not_be_read_fails_the_run_and_the_rest_goes_on()
    {
        _tree.Bash("mkdir shut; touch shut/in secret open; chmod 000 secret shut");
        var problems = new List<SourceProblem>();
        var entries = new List<ArchiveEntry>();

        WithoutPrivilege(() => (entries, problems) = TreeFolder.Items(_tree.Scope));

        Assert.Equal([".", "open"], entries.Select(entry => entry.Path.ToString()).ToList());
        Assert.Equal(["secret", "shut"], problems.Select(problem => problem.Path.ToString()).ToList());
        Assert.All(problems, problem => Assert.Equal(FailureKind.AccessDenied, problem.Failure!.Kind));
    }

    [LinuxFact]
    public void Later_names_of_one_file_link_to_the_first_that_was_read()
    {
        _tree.Bash("printf content > m; ln m n; mkdir a; ln m a/z; ln m ../outside");

        var files = TreeFolder.Items(_tree.Scope).Entries.Where(entry => entry.Kind != EntryKind.Directory).ToList();

        Assert.Equal([EntryKind.File, EntryKind.HardLink, EntryKind.HardLink], files.Select(entry => entry.Kind));
        Assert.Equal(["a/z", "m", "n"], files.Select(entry => entry.Path.ToString()).ToList());
        Assert.All(files.Skip(1), entry => Assert.Equal((new EntryPath("a/z"), 0), (entry.LinkTarget, entry.Size)));
    }

    [LinuxFact]
    public void A_medium_that_fails_is_told_with_the_name_of_the_file()
    {
        // A descriptor that may only be written fails every read, as a bad disk would.
        var descriptor = Syscalls.Open(Syscalls.CurrentFolder, DurableFile.Terminated(_tree.Write("bad")), 1, 0);
        Assert.Equal(0, Syscalls.Status(descriptor, out var status));
        using var entry = new FileEntry(descriptor, status, new ArchiveEntry { Path = new("bad"), Kind = EntryKind.File, Size = status.Size });

        var error = Assert.Throws<BackupException>(() => entry.Read(new byte[10]));

        Assert.Equal(FailureKind.SourceUnreachable, error.Failure.Kind);
        Assert.Contains("bad cannot be read", error.Message, StringComparison.Ordinal);
        Assert.True(entry.Failed);
    }

    [LinuxFact]
    public void The_next_name_takes_the_place_of_a_first_that_could_not_be_read()
    {
        _tree.Bash("printf content > a; ln a b; ln a c");
        Syscalls.Status(Syscalls.CurrentFolder, DurableFile.Terminated(Path.Combine(_tree.Source, "a")), follow: false, out var status);
        var links = new HardLinks();

        links.Remember(status, new EntryPath("a"));
        links.Forget(status.Identity);
        Assert.False(links.TryTake(status, out _));
        links.Remember(status, new EntryPath("b"));

        Assert.True(links.TryTake(status, out var first));
        Assert.Equal(new EntryPath("b"), first);
    }

    [LinuxFact]
    public void The_estimate_is_what_the_source_gives()
    {
        _tree.Bash("mkdir -p a/b; head -c 5000 /dev/urandom > a/b/x; ln a/b/x y; truncate -s 1G hole; ln -s y l; mkfifo p");

        var all = FileTreeEstimate.Measure(_tree.Scope, CancellationToken.None);
        var some = FileTreeEstimate.Measure(_tree.Scope with { Selections = [new("a/*/x")] }, CancellationToken.None);

        Assert.Equal(new FileTreeEstimate(8, 5000), all);
        Assert.Equal(TreeFolder.Items(_tree.Scope).Entries.Count, all.Entries);
        Assert.Equal(new FileTreeEstimate(4, 5000), some);
    }

    [LinuxFact]
    public void A_walk_is_stopped_by_its_token()
    {
        _tree.Write("file");
        using var stop = new CancellationTokenSource();
        stop.Cancel();

        Assert.Throws<OperationCanceledException>(() => new FileTreeSource(_tree.Scope).Read(stop.Token).Count());
    }

    [LinuxFact(AsRoot = true)]
    public void Reading_leaves_the_time_of_access_alone()
    {
        var path = _tree.Write("file");
        File.SetLastAccessTimeUtc(path, DateTime.UnixEpoch);

        ReadFile(() => { });

        Assert.Equal(DateTime.UnixEpoch, File.GetLastAccessTimeUtc(path));
    }

    private IEnumerable<SourceItem> Read() => new FileTreeSource(_tree.Scope).Read(CancellationToken.None);

    /// <summary>Reads the tree's file, with <paramref name="meanwhile"/> between its opening and its reading.</summary>
    private (string Content, EntryMark Mark) ReadFile(Action meanwhile)
    {
        foreach (var entry in Read().OfType<SourceEntry>().Where(entry => entry.Entry.Kind == EntryKind.File))
        {
            meanwhile();
            var (buffer, content) = (new byte[3], new List<byte>());
            while (entry.Read(buffer) is > 0 and var read)
                content.AddRange(buffer.AsSpan(0, read));
            return (System.Text.Encoding.UTF8.GetString([.. content]), entry.Finish());
        }

        throw new InvalidOperationException("There is no file.");
    }

    /// <summary>Root reads everything, so for root a thread of its own acts on files as nobody (setfsuid(2) is per thread).</summary>
    private void WithoutPrivilege(Action action)
    {
        var asRoot = DurableFile.EffectiveUser == 0;
        if (asRoot)
            Shell.Run("chown", "-R", "65534", _tree.Root);
        Exception? thrown = null;
        var thread = new Thread(() =>
        {
            try
            {
                if (asRoot)
                    _ = SetFileSystemUser(Nobody);
                action();
            }
            catch (Exception exception)
            {
                thrown = exception;
            }
        });
        thread.Start();
        thread.Join();
        Assert.Null(thrown);
    }

    [LibraryImport("libc", EntryPoint = "setfsuid")]
    private static partial int SetFileSystemUser(uint user);
}
