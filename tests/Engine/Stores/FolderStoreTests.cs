using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Tests.Outside;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Stores;

public sealed class FolderStoreTests : StoreContract, IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("store-");

    protected override IStore Store => new FolderStore(Root);

    protected override IStore Again => new FolderStore(Root + "/");

    private string Root => Path.Combine(_folder.FullName, "below", "store");

    [LinuxFact]
    public void Files_and_folders_are_their_owners_alone()
    {
        Put("config/deep/a", [1]);
        Store.AcquireLease("config", CancellationToken.None).Dispose();

        foreach (var item in _folder.EnumerateFileSystemInfos("*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = default }))
            Assert.Equal(item is FileInfo ? "600" : "700", Convert.ToString((int)item.UnixFileMode, 8));
    }

    [Fact]
    public void An_abort_takes_away_the_folders_that_it_made()
    {
        Put("volumes/a", [1]);
        using (var writer = Store.Create("config/2025/11/a", CancellationToken.None))
            writer.Write([1]);

        Assert.Equal(["volumes"], Directory.GetFileSystemEntries(Root).Select(Path.GetFileName), StringComparer.Ordinal);
    }

    [Fact]
    public void What_dead_runs_left_half_written_is_removed_from_its_folder_only()
    {
        Put("config/a", [1]);
        foreach (var folder in new[] { "config", "config/deep", "volumes" })
        {
            Directory.CreateDirectory(Path.Combine(Root, folder));
            File.WriteAllText(Path.Combine(Root, folder, ".a.tar.0011223344556677.partial"), "half");
        }

        Assert.Equal(2, Again.RemovePartials("config", _ => true, CancellationToken.None).Count);
        Assert.Equal(["config/a", "volumes/.a.tar.0011223344556677.partial"], Files());
        Assert.Equal(["config/a"], Again.List("", CancellationToken.None).Select(o => o.Key), StringComparer.Ordinal);
    }

    [LinuxFact]
    public void A_link_in_the_store_is_not_walked()
    {
        Put("config/a", [1]);
        File.CreateSymbolicLink(Path.Combine(Root, "loop"), Root);
        Directory.CreateSymbolicLink(Path.Combine(Root, "config", "up"), Root);

        Assert.DoesNotContain(Again.List("", CancellationToken.None), o => o.Key.Contains("up/", StringComparison.Ordinal) || o.Key.Contains("loop/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_removed_while_a_listing_goes_on_is_skipped()
    {
        Put("mongodb/kept", [1]);
        using var over = new CancellationTokenSource();
        var churn = Task.Run(() =>
        {
            while (!over.IsCancellationRequested)
            {
                foreach (var folder in Enumerable.Range(0, 8))
                {
                    Directory.CreateDirectory(Path.Combine(Root, "mongodb", $"{folder}"));
                    File.WriteAllText(Path.Combine(Root, "mongodb", $"{folder}", "gone"), "");
                }

                foreach (var folder in Enumerable.Range(0, 8))
                    Directory.Delete(Path.Combine(Root, "mongodb", $"{folder}"), recursive: true);
            }
        });
        try
        {
            for (var round = 0; round < 3000; round++)
                Assert.Contains(Again.List("mongodb/", CancellationToken.None), o => o.Key is "mongodb/kept");
        }
        finally
        {
            await over.CancelAsync();
            await churn;
        }
    }

    [Fact]
    public void The_lease_says_who_holds_it()
    {
        using var lease = Store.AcquireLease("config", CancellationToken.None);
        var held = Assert.Throws<BackupException>(() => Again.AcquireLease("config", CancellationToken.None));

        Assert.Contains($"process {Environment.ProcessId} on", held.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Free_space_is_told_before_the_folder_is_there() => Assert.True(Store.FreeSpace > 0);

    public void Dispose() => _folder.Delete(recursive: true);

    private string[] Files() =>
        [.. Directory.GetFiles(Root, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = default }).Select(file => Path.GetRelativePath(Root, file)).Order(StringComparer.Ordinal)];
}
