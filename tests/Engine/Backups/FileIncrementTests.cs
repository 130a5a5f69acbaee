using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Components.Files;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Engine.Retention;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Tests.Outside;
using BotCore.Backup.Engine.Verification;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Backups;

public sealed class FileIncrementTests : IDisposable
{
    // Ahead of the files' times: what a test wrote just now counts as long untouched.
    private readonly FixedClock _clock = new() { Now = DateTimeOffset.UtcNow.AddHours(1) };
    private readonly Workplace _work;

    public FileIncrementTests() => _work = new Workplace(clock: _clock);

    public void Dispose() => _work.Dispose();

    [LinuxFact]
    public void An_unchanged_tree_is_not_read_and_restores_whole()
    {
        Fill();
        var full = BackUp();

        var increment = BackUp(BackupType.Incremental);

        Assert.Equal(BackupType.Incremental, increment.Type);
        Assert.Equal("config_incremental", Path.GetFileName(increment.Key)[.."config_incremental".Length]);
        Assert.Equal(2, increment.Manifest!.Entries);
        Assert.Equal(2, increment.Manifest.Format);
        Assert.True(increment.Size.Bytes < 2000, $"{increment.Size.Bytes} bytes for nothing.");
        // What the walk gives as known it has not opened.
        using var index = new Unsealer(full, _work.Session.Keys, 1).OpenIndex(default);
        using var known = new KnownTree(full.Id, full.Taken, index.Read());
        var read = new FileTreeSource(new FileTreeScope(new EntryPath(_work.Project))) { Known = known }.Read(default).OfType<SourceEntry>().Where(entry => entry.Entry.Kind != EntryKind.Directory);
        Assert.Empty(read.Select(entry => entry.Path.ToString()));
        RestoresTo(increment);
    }

    [LinuxFact]
    public void What_changed_is_kept_and_what_is_gone_is_listed()
    {
        Fill();
        var full = BackUp();
        Change();

        var increment = BackUp(BackupType.Incremental);

        Assert.Equal(full.Id, increment.Manifest!.Increment!.Base);
        Assert.Equal(full.Id, increment.Manifest.Increment.Previous);
        Assert.Equal(3, increment.Manifest.Increment.Deleted);
        Assert.True(increment.Size.Bytes < 5000, $"{increment.Size.Bytes} bytes for a few small files.");
        RestoresTo(increment);
        Assert.Equal(Outcome.Succeeded, _work.Prove(increment).Outcome);
        Assert.Equal(Outcome.Succeeded, _work.Prove(increment, Depth.Restore).Outcome);
    }

    [LinuxFact]
    public void A_chain_of_several_goes_back_to_each_of_its_moments()
    {
        Fill();
        BackUp();
        var states = new List<(BotBackup Backup, IReadOnlyList<string> Tree)>();
        for (var turn = 0; turn < 4; turn++)
        {
            _work.Write($"turn-{turn}.txt", $"turn {turn}");
            _work.Write("always.txt", $"now {turn}");
            if (turn == 2)
                File.Delete(Path.Combine(_work.Project, "turn-0.txt"));
            states.Add((BackUp(BackupType.Incremental), Workplace.Describe(_work.Project)));
        }

        foreach (var (backup, tree) in states)
        {
            var there = Path.Combine(_work.Root, backup.Id);
            _work.Restore(backup, new RestoreRequest { Destination = there });
            Assert.Equal(tree, Workplace.Describe(there));
        }

        Assert.Equal(states[2].Backup.Id, states[3].Backup.Manifest!.Increment!.Previous);
    }

    [LinuxFact]
    public void Hard_links_modes_and_times_come_back()
    {
        Fill();
        Link("one.txt", "z-link.txt");
        BackUp();
        File.AppendAllText(Path.Combine(_work.Project, "one.txt"), "more");
        Shell.Run("chmod", "700", Path.Combine(_work.Project, "folder"));
        Link("two.txt", "a-link-of-two.txt");

        var increment = BackUp(BackupType.Incremental);

        RestoresTo(increment);
        Assert.Equal(Stat("one.txt", "z-link.txt", _work.Project), Stat("one.txt", "z-link.txt", _work.Destination));
        Assert.Equal(Inode(_work.Destination, "one.txt"), Inode(_work.Destination, "z-link.txt"));
        Assert.Equal(Inode(_work.Destination, "two.txt"), Inode(_work.Destination, "a-link-of-two.txt"));
        Assert.Equal(Stat("folder", "two.txt", _work.Project), Stat("folder", "two.txt", _work.Destination));
    }

    [LinuxFact]
    public void A_file_with_its_old_size_and_time_is_found_by_its_change_time()
    {
        Fill();
        BackUp();
        var path = Path.Combine(_work.Project, "one.txt");
        var (time, text) = (File.GetLastWriteTimeUtc(path), File.ReadAllText(path));
        File.WriteAllText(path, new string('x', text.Length));
        File.SetLastWriteTimeUtc(path, time);

        RestoresTo(BackUp(BackupType.Incremental));
    }

    [LinuxFact]
    public void A_file_that_was_only_moved_back_and_forth_is_not_kept_again()
    {
        Fill();
        BackUp();
        var path = Path.Combine(_work.Project, "noise.bin");
        File.Move(path, path + ".away");
        File.Move(path + ".away", path);

        var increment = BackUp(BackupType.Incremental);

        Assert.Equal(2, increment.Manifest!.Entries + increment.Manifest.Increment!.Deleted);
    }

    [LinuxFact]
    public void A_file_of_the_moment_of_the_backup_is_compared_by_its_hash()
    {
        _clock.Now = DateTimeOffset.UtcNow;
        Fill();
        BackUp();
        var increment = BackUp(BackupType.Incremental);

        Assert.Equal(2, increment.Manifest!.Entries);
        RestoresTo(increment);
    }

    [LinuxFact]
    public void Include_takes_entries_from_their_own_archives()
    {
        Fill();
        BackUp();
        Change();
        var increment = BackUp(BackupType.Incremental);

        var restore = _work.Restore(increment, new RestoreRequest { Include = ["one.txt", "two.txt", "new/*"] });

        Assert.True(restore.Partial);
        Assert.Equal(["new", "one.txt", "two.txt"], Directory.EnumerateFileSystemEntries(_work.Destination).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal), StringComparer.Ordinal);
        Assert.Equal("changed", File.ReadAllText(Path.Combine(_work.Destination, "one.txt")));
        Assert.Equal("two", File.ReadAllText(Path.Combine(_work.Destination, "two.txt")));
    }

    [LinuxFact]
    public void A_missing_or_exchanged_part_is_ChainBroken()
    {
        Fill();
        var full = BackUp();
        Change();
        var middle = BackUp(BackupType.Incremental);
        _work.Write("later.txt", "later");
        var last = BackUp(BackupType.Incremental);

        Assert.Equal(FailureKind.LastGoodBackup, Assert.Throws<BackupException>(() => BackupRemover.Plan(full, force: false, default)).Failure.Kind);
        Assert.Equal(FailureKind.ChainBroken, Assert.Throws<BackupException>(() => BackupRemover.Plan(middle, force: false, default)).Failure.Kind);
        _ = BackupRemover.Run([BackupRemover.Plan(middle, force: true, default)], default).ToBlockingEnumerable().ToList();

        Assert.Equal(FailureKind.ChainBroken, Assert.Throws<BackupException>(() => _work.RunRestore(last)).Failure.Kind);
        Assert.Equal(FailureKind.ChainBroken, _work.Prove(last).Failure!.Kind);
        // The next increment goes on from what is whole.
        var next = BackUp(BackupType.Incremental);
        Assert.Equal(full.Id, next.Manifest!.Increment!.Previous);
        RestoresTo(next);
    }

    [LinuxFact]
    public void A_part_that_was_damaged_fails_the_restore_before_anything_is_written()
    {
        Fill();
        var full = BackUp();
        Change();
        var increment = BackUp(BackupType.Incremental);
        var bytes = File.ReadAllBytes(full.Location);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(full.Location, bytes);

        Assert.Equal(FailureKind.ChecksumMismatch, _work.Refuse(increment));
    }

    [LinuxFact]
    public void Without_a_full_backup_it_says_so_or_makes_one()
    {
        Fill();
        Assert.Equal(FailureKind.BackupNotFound, Workplace.Failure(Run(BackupType.Incremental)).Kind);
        Assert.Empty(Directory.EnumerateFiles(_work.Store, "config_*", SearchOption.AllDirectories));

        var backup = Workplace.Item<BotBackup>(Run(BackupType.Incremental, GapAction.Full));

        Assert.Equal(BackupType.Full, backup.Type);
        Assert.Equal(BackupType.Incremental, BackUp(BackupType.Incremental).Type);
    }

    [LinuxFact]
    public void It_is_copied_with_what_it_stands_on()
    {
        Fill();
        var full = BackUp();
        Change();
        var other = new FolderStore(Path.Combine(_work.Root, "other"), "other");
        var session = _work.NewSession(clock: _clock, stores: new Dictionary<string, IStore>(StringComparer.Ordinal) { ["other"] = other });

        var increment = Workplace.Item<BotBackup>(Run(BackupType.Incremental, session: session, stores: ["local", "other"]));

        Assert.Equal(2, increment.Stores.Count(store => store.Outcome == Outcome.Succeeded));
        Assert.Equal([full.Id, increment.Id], BackupCatalog.List(other, default).OfType<Made>().Select(made => ((BotBackup)made.Item).Id), StringComparer.Ordinal);
    }

    [LinuxFact(Tools = ["gpg", "tar", "xargs", "bash"])]
    public void Stock_tools_put_a_chain_together()
    {
        Fill();
        var full = BackUp();
        Change();
        var increment = BackUp(BackupType.Incremental);
        var passphrase = Path.Combine(_work.Root, "passphrase-0");
        Directory.CreateDirectory(_work.Destination);
        const string Script = """
            set -eu
            open_() { gpg --batch --quiet --pinentry-mode loopback --passphrase-file "$1" -d "$2" | gzip -dc; }
            open_ "$1" "$2" | tar x -C "$4"
            open_ "$1" "$3" | tar xO .botbackup-deleted | (cd "$4" && xargs -0 -r rm -rf --)
            open_ "$1" "$3" | tar x -C "$4" --exclude=.botbackup-deleted
            """;

        Shell.Run("bash", "-c", Script, "-", passphrase, full.Location, increment.Location, _work.Destination);

        Assert.Equal(Workplace.Describe(_work.Project), Workplace.Describe(_work.Destination));
    }

    [LinuxFact]
    public void A_tree_of_many_entries_gives_lines_in_order_and_bounded_members()
    {
        for (var folder = 0; folder < 50; folder++)
        {
            for (var file = 0; file < 900; file++)
                _work.Write($"d{folder}/f{file}", "");
        }

        BackUp();
        _work.Write("d7/f7", "changed");
        var increment = BackUp(BackupType.Incremental);

        Assert.Equal(45_051, increment.Manifest!.Increment!.TreeEntries);
        Assert.Equal(Outcome.Succeeded, _work.Prove(increment).Outcome);
        RestoresTo(increment);
    }

    private void Fill()
    {
        _work.Write("one.txt", "one");
        _work.Write("two.txt", "two");
        _work.Write("folder/three.txt", "three");
        _work.Write("folder/sub/four.txt", "four");
        _work.Write("folder.txt", "sorts between a folder and what is in it by its bytes");
        _work.Write("gone/five.txt", "five");
        _work.Write("gone/six.txt", "six");
        _work.Write("becomes-a-folder", "file");
        _work.WriteNoise("noise.bin", 300_000);
        File.CreateSymbolicLink(Path.Combine(_work.Project, "link"), "one.txt");
    }

    // Two of the three deletions are of things that became another kind.
    private void Change()
    {
        File.WriteAllText(Path.Combine(_work.Project, "one.txt"), "changed");
        Directory.Delete(Path.Combine(_work.Project, "gone"), recursive: true);
        File.Delete(Path.Combine(_work.Project, "becomes-a-folder"));
        _work.Write("becomes-a-folder/within.txt", "within");
        File.Delete(Path.Combine(_work.Project, "link"));
        _work.Write("link", "no link any more");
        _work.Write("new/seven.txt", "seven");
    }

    private BotBackup BackUp(BackupType type = BackupType.Full) => Workplace.Item<BotBackup>(Run(type));

    private IReadOnlyList<BackupEvent> Run(BackupType type, GapAction onGap = GapAction.Fail, BackupSession? session = null, params string[] stores)
    {
        _clock.Now += TimeSpan.FromMinutes(1);
        var used = session ?? _work.Session;
        var failures = new List<BackupEvent>();
        var steps = BackupPlanner.Plan(used, new BackupRequest { Components = [Component.Config], Type = type, OnGap = onGap, Stores = stores }, failure => failures.Add(new Failed(failure)), default);
        return [.. failures, .. BackupRunner.Run(used, steps, default).ToBlockingEnumerable()];
    }

    private void RestoresTo(BotBackup backup)
    {
        _work.Restore(backup);
        Assert.Equal(Workplace.Describe(_work.Project), Workplace.Describe(_work.Destination));
    }

    private void Link(string target, string name) => Shell.Run("ln", Path.Combine(_work.Project, target), Path.Combine(_work.Project, name));

    private static string Inode(string root, string name) => Shell.Run("stat", "-c", "%i", Path.Combine(root, name));

    private static string Stat(string one, string other, string root) => Shell.Run("stat", "-c", "%a %u %g %Y %h", Path.Combine(root, one), Path.Combine(root, other));
}
