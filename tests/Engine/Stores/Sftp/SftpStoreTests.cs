using System.Security.Cryptography;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Stores.Sftp;
using BotCore.Backup.Engine.Tests.Outside;
using BotCore.Backup.TestServers;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Stores.Sftp;

[NeedsTools("sshd", "ssh", "ssh-keygen", "sftp")]
public sealed class SftpStoreTests : StoreContract, IClassFixture<SftpPlaceFixture>, IDisposable
{
    private readonly SftpPlaceFixture _place;
    private readonly string _folder;
    private readonly SftpStore _store;
    private readonly SftpStore _again;

    public SftpStoreTests(SftpPlaceFixture place)
    {
        _place = place;
        _folder = place.NewFolder();
        _store = place.Open(_folder);
        _again = place.Open(_folder + "/");
    }

    protected override IStore Store => _store;

    protected override IStore Again => _again;

    private static CancellationToken None => CancellationToken.None;

    [ServerFact]
    public void Files_and_folders_are_their_owners_alone()
    {
        Put("config/deep/a", [1]);
        Store.AcquireLease("config", None).Dispose();

        Assert.Equal("700", Convert.ToString((int)new DirectoryInfo(_folder).UnixFileMode, 8));
        foreach (var item in new DirectoryInfo(_folder).EnumerateFileSystemInfos("*", Everything))
            Assert.Equal(item is FileInfo ? "600" : "700", Convert.ToString((int)item.UnixFileMode, 8));
    }

    [ServerFact]
    public void An_abort_takes_away_the_folders_that_it_made()
    {
        Put("volumes/a", [1]);
        using (var writer = Store.Create("config/2025/11/a", None))
            writer.Write(new byte[3_000_000]);

        Assert.Equal(["volumes"], Directory.GetFileSystemEntries(_folder).Select(Path.GetFileName), StringComparer.Ordinal);
    }

    [ServerFact]
    public void A_removed_object_takes_its_empty_folders_along()
    {
        Put("config/2025/11/a", [1]);
        Put("volumes/a", [1]);
        Store.Delete("config/2025/11/a", None);

        Assert.Equal(["volumes"], Directory.GetFileSystemEntries(_folder).Select(Path.GetFileName), StringComparer.Ordinal);
    }

    [ServerFact]
    public void What_dead_runs_left_half_written_is_removed_from_its_folder_only()
    {
        Put("config/a", [1]);
        foreach (var folder in new[] { "config", "config/deep", "volumes" })
        {
            Directory.CreateDirectory(Path.Combine(_folder, folder));
            File.WriteAllText(Path.Combine(_folder, folder, ".a.tar.0011223344556677.partial"), "half");
        }

        File.WriteAllText(Path.Combine(_folder, "config", ".b.tar.0011223344556677.partial"), "half");

        Assert.Equal(2, Again.RemovePartials("config", key => key.EndsWith("a.tar", StringComparison.Ordinal), None).Count);
        Assert.Equal(["config/.b.tar.0011223344556677.partial", "config/a", "volumes/.a.tar.0011223344556677.partial"], FilesThere());
        Assert.Equal(["config/a"], Again.List("", None).Select(o => o.Key), StringComparer.Ordinal);
    }

    [ServerFact]
    public void A_link_to_a_folder_is_not_walked_and_one_to_a_file_is_the_file()
    {
        Put("config/a", [1, 2, 3]);
        File.CreateSymbolicLink(Path.Combine(_folder, "loop"), _folder);
        File.CreateSymbolicLink(Path.Combine(_folder, "config", "b"), "a");
        File.CreateSymbolicLink(Path.Combine(_folder, "config", "nowhere"), "gone");

        Assert.Equal([new StoredObject("config/a", 3), new StoredObject("config/b", 3)], Again.List("", None));
    }

    [ServerFact]
    public void Free_space_is_told_before_the_folder_is_there()
    {
        Assert.False(Directory.Exists(_folder));
        Assert.InRange(Store.FreeSpace!.Value, 1, new DriveInfo(_place.Server.Files).TotalSize);
    }

    [ServerFact]
    public void The_place_is_a_URI()
    {
        var place = $"sftp://{SshServer.User}@127.0.0.1:{_place.Server.Port}{_folder}";
        Assert.Equal(place, Again.Location);
        Assert.Equal(place + "/config/a", Again.Locate("config/a"));
    }

    [ServerFact]
    public void The_servers_own_disk_has_the_bytes_that_were_written()
    {
        var content = RandomNumberGenerator.GetBytes(5_000_011);
        Put("config/a", content);

        Assert.StartsWith(Convert.ToHexStringLower(SHA256.HashData(content)), Shell.Run("sha256sum", Path.Combine(_folder, "config", "a")), StringComparison.Ordinal);
    }

    [ServerFact]
    public void The_stock_program_reads_what_was_written_and_what_it_wrote_is_read()
    {
        var content = RandomNumberGenerator.GetBytes(3_000_017);
        Put("config/a", content);
        var local = Directory.CreateTempSubdirectory("sftp-");
        try
        {
            var file = Path.Combine(local.FullName, "a");
            Sftp(local, $"get {_folder}/config/a {file}\nput {file} {_folder}/config/b\n");

            Assert.Equal(content, File.ReadAllBytes(file));
            Assert.Equal(content.Length, Again.Find("config/b", None)!.Length);
            Assert.Equal(content, Read(Again, "config/b", 0));
        }
        finally
        {
            local.Delete(recursive: true);
        }
    }

    [ServerFact]
    public void Twenty_thousand_files_are_listed()
    {
        var keys = Enumerable.Range(0, 20_000).Select(i => $"mongodb/{2000 + (i % 25)}/{1 + (i % 12):00}/mongodb_full_{i:000000}.tar.gz").ToArray();
        foreach (var key in keys)
        {
            var path = Path.Combine(_folder, key);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, []);
        }

        Assert.Equal(keys.Order(StringComparer.Ordinal), Again.List("", None).Select(o => o.Key), StringComparer.Ordinal);
        Assert.Equal(keys.Count(key => key.StartsWith("mongodb/2003/0", StringComparison.Ordinal)), Again.List("mongodb/2003/0", None).Count());
    }

    [ServerFact]
    public void Many_threads_share_the_one_connection()
    {
        var contents = Enumerable.Range(0, 8).Select(i => RandomNumberGenerator.GetBytes(2_000_000 + i)).ToArray();
        Parallel.For(0, contents.Length, i => PutIn(_store, $"config/{i}", contents[i]));
        Parallel.For(0, contents.Length, i => Assert.Equal(contents[i], Read(_store, $"config/{i}", 0)));

        Assert.Equal(contents.Length, Again.List("config/", None).Count());
    }

    [ServerFact]
    public void A_cancelled_upload_leaves_nothing_and_the_connection_serves_on()
    {
        using var cancel = new CancellationTokenSource();
        using (var writer = Store.Create("config/a", cancel.Token))
        {
            writer.Write(new byte[1_000_000]);
            cancel.Cancel();
            Assert.ThrowsAny<OperationCanceledException>(() => writer.Write(new byte[50_000_000]));
        }

        Assert.Empty(FilesThere());
        Put("config/a", [1]);
    }

    public void Dispose()
    {
        _store.Dispose();
        _again.Dispose();
    }

    internal static void PutIn(IStore store, string key, byte[] content)
    {
        using var writer = store.Create(key, None);
        writer.Write(content);
        writer.Commit();
    }

    internal static byte[] Read(IStore store, string key, long offset)
    {
        using var stream = store.OpenRead(key, offset, None);
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }

    private static EnumerationOptions Everything => new() { RecurseSubdirectories = true, AttributesToSkip = default };

    private string[] FilesThere() => Directory.Exists(_folder)
        ? [.. Directory.GetFiles(_folder, "*", Everything).Select(file => Path.GetRelativePath(_folder, file)).Order(StringComparer.Ordinal)]
        : [];

    private void Sftp(DirectoryInfo local, string commands)
    {
        var batch = Path.Combine(local.FullName, "batch");
        File.WriteAllText(batch, commands);
        var server = _place.Server;
        Shell.Run("sftp", [.. server.Arguments, "-q", "-P", $"{server.Port}", "-i", server.KeyFile, "-b", batch, $"{SshServer.User}@127.0.0.1"]);
    }
}
