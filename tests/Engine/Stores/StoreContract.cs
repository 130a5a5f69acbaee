using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Retention.Pins;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.TestServers;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Stores;

/// <summary>What every store owes. A subclass makes an empty one, and says with <see cref="NeedsToolsAttribute"/> what its server needs.</summary>
public abstract class StoreContract
{
    private static CancellationToken None => CancellationToken.None;

    /// <summary>An empty store.</summary>
    protected abstract IStore Store { get; }

    /// <summary>The same place, as another process sees it.</summary>
    protected abstract IStore Again { get; }

    [ServerFact]
    public void An_empty_store_lists_and_finds_nothing()
    {
        Assert.Empty(Store.List("", None));
        Assert.Null(Store.Find("config/a", None));
        Assert.Equal(FailureKind.BackupNotFound, Kind(() => Store.OpenRead("config/a", 0, None).Dispose()));
        Store.Delete("config/a", None);
    }

    [ServerFact]
    public void What_was_committed_is_found_listed_and_read_from_any_offset()
    {
        byte[] content = [.. Enumerable.Range(0, 300_000).Select(i => (byte)(i * 7))];
        Put("config/a.tar", content);

        Assert.Equal(new StoredObject("config/a.tar", content.Length), Again.Find("config/a.tar", None));
        Assert.Equal([new StoredObject("config/a.tar", content.Length)], Again.List("", None));
        foreach (var offset in new[] { 0, 1, 65_535, content.Length - 1, content.Length })
            Assert.Equal(content[offset..], Get("config/a.tar", offset));
    }

    [ServerFact]
    public void An_empty_object_is_an_object()
    {
        Put("config/empty", []);

        Assert.Equal(0, Again.Find("config/empty", None)!.Length);
        Assert.Empty(Get("config/empty", 0));
    }

    [ServerFact]
    public void The_list_is_in_ordinal_order_and_goes_by_prefix()
    {
        string[] keys = ["volumes/z", "config/b", "config/B", "config/a/deep", "config/a.x", "configs/c"];
        foreach (var key in keys)
            Put(key, [1]);

        Assert.Equal(keys.Order(StringComparer.Ordinal), Again.List("", None).Select(o => o.Key), StringComparer.Ordinal);
        Assert.Equal(["config/B", "config/a.x", "config/a/deep", "config/b"], Again.List("config/", None).Select(o => o.Key), StringComparer.Ordinal);
        Assert.Equal(["config/a.x", "config/a/deep"], Again.List("config/a", None).Select(o => o.Key), StringComparer.Ordinal);
        Assert.Empty(Again.List("nothing/", None));
    }

    [ServerFact]
    public void Nothing_is_there_before_the_commit_and_an_abort_leaves_nothing()
    {
        using (var writer = Store.Create("config/a", None))
        {
            writer.Write(new byte[100_000]);
            Assert.Null(Again.Find("config/a", None));
            Assert.Empty(Again.List("", None));
        }

        Assert.Null(Again.Find("config/a", None));
        Assert.Empty(Again.List("", None));
        Assert.Empty(Again.RemovePartials("config", _ => true, None));
    }

    [ServerFact]
    public void Nothing_is_ever_overwritten()
    {
        Put("config/a", [1, 2, 3]);

        Assert.ThrowsAny<BackupException>(() => Put("config/a", [4]));
        Assert.Equal([1, 2, 3], Get("config/a", 0));
        Assert.Single(Again.List("", None));
    }

    [ServerFact]
    public void Of_two_writers_of_one_key_the_first_commit_wins()
    {
        using (var late = Store.Create("config/a", None))
        {
            late.Write([9]);
            Put("config/a", [1]);
            Assert.ThrowsAny<BackupException>(late.Commit);
        }

        Assert.Equal([1], Get("config/a", 0));
    }

    [ServerFact]
    public void What_was_deleted_is_gone_and_its_neighbours_stay()
    {
        Put("config/a", [1]);
        Put("config/b", [2]);
        Store.Delete("config/a", None);
        Store.Delete("config/a", None);

        Assert.Equal(["config/b"], Again.List("", None).Select(o => o.Key), StringComparer.Ordinal);
        Put("config/a", [3]);
        Assert.Equal([3], Get("config/a", 0));
    }

    [ServerFact]
    public void A_pin_stands_beside_its_archive_and_goes_with_it()
    {
        const string Key = "config/config_20251118_030000.tar.gz";
        Put(Key, [1, 2, 3]);
        var now = new DateTimeOffset(2026, 12, 1, 12, 0, 0, TimeSpan.Zero);
        BotBackup Listed() => (BotBackup)Assert.Single(BackupCatalog.List(Again, None).OfType<Made>()).Item;
        Assert.Null(Listed().Pin);

        PinFiles.Write(Listed(), new BackupPin(now.AddDays(1), "audit"), now, None);
        PinFiles.Write(Listed(), new BackupPin(null, "for ever, says \"the\" auditor"), now, None);
        Assert.Equal(new BackupPin(null, "for ever, says \"the\" auditor"), Listed().Pin);
        Assert.Equal(2, Again.List("", None).Count());
        PinFiles.Write(Listed(), new BackupPin(now.AddDays(1), "audit"), now, None);
        Assert.Equal(new BackupPin(now.AddDays(1), "audit"), BackupCatalog.Open(Again, Key, None).Pin);
        Assert.True(PinFiles.IsPinned(Again, Key, now, None));
        Assert.False(PinFiles.IsPinned(Again, Key, now.AddDays(1), None));

        PinFiles.Remove(Listed(), None);
        Assert.Null(Listed().Pin);
        PinFiles.Write(Listed(), new BackupPin(null, "again"), now, None);
        foreach (var file in BackupFiles.InOrderOfRemoval(Store, Key, None))
            Store.Delete(file, None);
        Assert.Empty(Again.List("", None));
    }

    [ServerFact]
    public void A_lease_is_one_at_a_time_and_comes_back()
    {
        var lease = Store.AcquireLease("config", None);
        Assert.Equal(FailureKind.Locked, Kind(() => Again.AcquireLease("config", None).Dispose()));
        Again.AcquireLease("volumes", None).Dispose();
        lease.Dispose();

        Again.AcquireLease("config", None).Dispose();
        Assert.Empty(Again.List("", None));
    }

    [ServerTheory]
    [InlineData("../a")]
    [InlineData("config/../../a")]
    [InlineData("/no-such-folder-of-botbackup/a")]
    public void A_key_that_leads_out_is_refused(string key)
    {
        Assert.Equal(FailureKind.AccessDenied, Kind(() => Store.Locate(key)));
        Assert.Equal(FailureKind.AccessDenied, Kind(() => Store.Find(key, None)));
        Assert.Equal(FailureKind.AccessDenied, Kind(() => Store.OpenRead(key, 0, None).Dispose()));
        Assert.Equal(FailureKind.AccessDenied, Kind(() => Store.Create(key, None).Dispose()));
        Assert.Equal(FailureKind.AccessDenied, Kind(() => Store.Delete(key, None)));
    }

    protected static FailureKind Kind(Action action) => Assert.ThrowsAny<BackupException>(action).Failure.Kind;

    protected void Put(string key, byte[] content)
    {
        using var writer = Store.Create(key, None);
        foreach (var part in content.Chunk(70_000))
            writer.Write(part);
        writer.Commit();
    }

    private byte[] Get(string key, long offset)
    {
        using var stream = Again.OpenRead(key, offset, None);
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }
}
