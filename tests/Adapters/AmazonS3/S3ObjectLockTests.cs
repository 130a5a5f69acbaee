using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Stores.S3;
using BotCore.Backup.TestServers;
using Xunit;

namespace BotCore.Backup.Adapters.Tests.AmazonS3;

/// <summary>Buckets that keep versions, and buckets that lock them.</summary>
[NeedsTools("ceph", "ceph-authtool", "monmaptool", "ceph-mon", "ceph-osd", "radosgw", "radosgw-admin")]
[Collection(S3Tests.Name)]
public sealed class S3ObjectLockTests(S3Server server)
{
    private static CancellationToken None => CancellationToken.None;

    [ServerTheory]
    [InlineData(S3LockMode.Compliance, 1000)]
    [InlineData(S3LockMode.Governance, 300_000)]
    public void Objects_are_put_with_a_lock(S3LockMode mode, int length)
    {
        var bucket = server.NewBucket(withLock: true);
        var store = server.Open(server.Options(bucket) with { ObjectLockDays = 3, ObjectLockMode = mode });
        S3StoreTests.Put(store, "config/a", new byte[length]);

        Assert.Equal(mode.ToString().ToUpperInvariant(), server.Requests.Header(bucket, "config/a", "x-amz-object-lock-mode"));
        var until = DateTime.Parse(server.Requests.Header(bucket, "config/a", "x-amz-object-lock-retain-until-date")!, System.Globalization.CultureInfo.InvariantCulture).ToUniversalTime();
        Assert.InRange(until, DateTime.UtcNow.AddDays(2.9), DateTime.UtcNow.AddDays(3.1));

        // The bytes stay behind the marker.
        store.Delete("config/a", None);
        Assert.Null(store.Find("config/a", None));
        Assert.Single(server.Requests.Versions(bucket));
        S3StoreTests.Put(store, "config/a", [2]);
        Assert.Equal(1, store.Find("config/a", None)!.Length);
    }

    [ServerFact]
    public void A_bucket_with_versioning_keeps_what_was_removed_and_hides_nothing()
    {
        var bucket = server.NewBucket();
        server.Requests.KeepVersions(bucket);
        var store = server.Open(server.Options(bucket));
        var lease = store.AcquireLease("models", None);
        S3StoreTests.Put(store, "models/lstm_20251118_040000.tar.gz", [1]);
        S3StoreTests.Put(store, "models/lstm_20251119_040000.tar.gz", new byte[300_000]);
        lease.Dispose();

        // One version of each, and no other: nothing of ours is written twice under one name.
        Assert.Equal(2, store.List("models/", None).Count());
        var models = server.Requests.Keys(bucket).Count(key => key.StartsWith("models/", StringComparison.Ordinal));
        Assert.Equal(2, models);
        var versions = server.Requests.Versions(bucket).Count;
        store.Delete("models/lstm_20251118_040000.tar.gz", None);
        Assert.Null(store.Find("models/lstm_20251118_040000.tar.gz", None));
        Assert.Single(store.List("models/", None));
        Assert.Equal(versions, server.Requests.Versions(bucket).Count);
    }

    [ServerFact]
    public void The_lock_is_proven_by_a_delete_that_is_refused()
    {
        var bucket = server.NewBucket(withLock: true);
        var store = server.Open(server.Options(bucket) with { ObjectLockDays = 1 });

        Assert.Equal(ObjectLockState.Proven, ((IObjectLock)store).ProveLock(None).State);
        Assert.Empty(store.List("", None));
        Assert.Empty(server.Requests.Keys(bucket));
        Assert.Equal(ObjectLockState.NotConfigured, ((IObjectLock)server.Open(server.Options(bucket))).ProveLock(None).State);
    }

    [ServerFact]
    public void A_lock_that_does_not_hold_is_found_out()
    {
        var bucket = server.NewBucket(withLock: true);
        var proxy = server.NewProxy();
        // The server never hears of the lock.
        proxy.Without = ["x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date"];
        var store = server.Open(server.Options(bucket) with { ObjectLockDays = 1, Endpoint = proxy.Endpoint });

        Assert.Equal(ObjectLockState.Broken, ((IObjectLock)store).ProveLock(None).State);
    }

    [ServerFact]
    public void Locks_that_the_bucket_does_not_have_are_refused_before_anything_is_put()
    {
        var bucket = server.NewBucket();
        var store = server.Open(server.Options(bucket) with { ObjectLockDays = 1 });

        Assert.Equal(FailureKind.ConfigurationInvalid, Assert.Throws<BackupException>(() => S3StoreTests.Put(store, "config/a", [1])).Failure.Kind);
        Assert.Equal(FailureKind.ConfigurationInvalid, Assert.Throws<BackupException>(() => ((IObjectLock)store).ProveLock(None)).Failure.Kind);
        Assert.Empty(server.Requests.Keys(bucket));
    }

    [ServerFact]
    public void In_a_bucket_with_versions_what_was_deleted_is_gone_for_the_store()
    {
        var bucket = server.NewBucket();
        server.Requests.KeepVersions(bucket);
        var store = server.Open(server.Options(bucket));
        S3StoreTests.Put(store, "config/a", [1]);
        store.Delete("config/a", None);

        Assert.Empty(store.List("", None));
        Assert.Null(store.Find("config/a", None));
        Assert.Equal(FailureKind.BackupNotFound, Assert.Throws<BackupException>(() => store.OpenRead("config/a", 0, None)).Failure.Kind);
        S3StoreTests.Put(store, "config/a", [2, 3]);
        Assert.Equal(2, store.Find("config/a", None)!.Length);
    }
}
