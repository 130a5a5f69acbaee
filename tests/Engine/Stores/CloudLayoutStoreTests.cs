using BotCore.Backup.Engine.Stores;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Stores;

public sealed class CloudLayoutStoreTests : StoreContract, IDisposable
{
    private const string Full = "mongodb/2025/11/mongodb_full_20251118_020000.tar.gz";
    private const string Increment = "mongodb/2025/11/mongodb_incremental_20251118_030000.tar.gz";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("layout-");

    protected override IStore Store => new CloudLayoutStore(new FolderStore(_folder.FullName));

    protected override IStore Again => new CloudLayoutStore(new FolderStore(_folder.FullName));

    [Fact]
    public void Archives_stand_where_the_platform_has_them_and_are_read_as_everywhere()
    {
        foreach (var key in new[] { Full, Full + ".manifest.json", Increment, "config/a.tar.gz" })
            Put(key, [1, 2, 3]);
        Put("mongodb/2025/11/mongodb_gap_1_1.json", [4]);

        Assert.Equal(
            [
                "config/a.tar.gz", "mongodb_full/2025/11/mongodb_full_20251118_020000.tar.gz", "mongodb_full/2025/11/mongodb_full_20251118_020000.tar.gz.manifest.json",
                "mongodb_incremental/2025/11/mongodb_gap_1_1.json", "mongodb_incremental/2025/11/mongodb_incremental_20251118_030000.tar.gz",
            ],
            new FolderStore(_folder.FullName).List("", default).Select(one => one.Key), StringComparer.Ordinal);
        Assert.Equal([Full, Full + ".manifest.json", "mongodb/2025/11/mongodb_gap_1_1.json", Increment], Again.List("mongodb/", default).Select(one => one.Key), StringComparer.Ordinal);
        Assert.Equal(new StoredObject(Full, 3), Again.Find(Full, default));
        Assert.EndsWith("mongodb_full/2025/11/mongodb_full_20251118_020000.tar.gz", Again.Locate(Full), StringComparison.Ordinal);
        Again.Delete(Full, default);
        Assert.Null(Store.Find(Full, default));
    }

    [Fact]
    public void What_dead_runs_left_is_found_by_its_key()
    {
        foreach (var tree in new[] { "mongodb_full/2025/11/.mongodb_full_1.tar", "mongodb_incremental/2025/11/.mongodb_incremental_1.tar", "mongodb/2025/11/.other", "config/.mongodb_full_1.tar" })
        {
            var path = Path.Combine(_folder.FullName, tree + ".0011223344556677.partial");
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, "half");
        }

        var asked = new List<string>();
        Assert.Empty(Again.RemovePartials("mongodb/2025/11", key =>
        {
            asked.Add(key);
            return false;
        }, default));
        Assert.Equal(["mongodb/2025/11/mongodb_full_1.tar", "mongodb/2025/11/mongodb_incremental_1.tar", "mongodb/2025/11/other"], asked.Order(StringComparer.Ordinal), StringComparer.Ordinal);
        Assert.Single(Again.RemovePartials("mongodb", key => key.Contains("full", StringComparison.Ordinal), default));
        Assert.Equal(3, Again.RemovePartials("", _ => true, default).Count);
    }

    [Fact]
    public void Leases_are_those_of_the_keys()
    {
        using var lease = Store.AcquireLease("mongodb", default);

        Assert.Equal(Engine.Events.FailureKind.Locked, Kind(() => new FolderStore(_folder.FullName).AcquireLease("mongodb", default).Dispose()));
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
