using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Stores.Leases;
using BotCore.Backup.Engine.Tests.Components.MongoDb;
using BotCore.Backup.Engine.Tests.Components.MongoDb.Increments;
using BotCore.Backup.Engine.Tests.Stores;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Backups;

/// <summary>One archive into several stores: sealed once, copied, and each store's outcome told for itself.</summary>
public sealed class SpreadTests
{
    [Fact]
    public void An_archive_is_sealed_once_and_stands_in_every_store()
    {
        using var place = new Workplace();
        place.Write("a.txt", "content");
        var far = new FolderStore(Path.Combine(place.Root, "far"), "s3");
        var session = place.NewSession(stores: new Dictionary<string, IStore>(StringComparer.Ordinal) { ["s3"] = far });
        var backup = Workplace.Item<BotBackup>(place.RunBackup(session, "s3", "local"));

        // The folder comes first, whatever the order of the names.
        Assert.Equal("local", backup.Store);
        Assert.Equal(["local", "s3"], backup.Stores.Select(one => one.Store), StringComparer.Ordinal);
        Assert.All(backup.Stores, one => Assert.Equal((Outcome.Succeeded, null), (one.Outcome, one.Failure)));
        Assert.Equal(Workplace.Describe(place.Store), Workplace.Describe(far.Location));
        Assert.NotNull(far.Find(BreakGlass.Key, Workplace.None));
        var copy = Assert.IsType<BotBackup>(Assert.IsType<Made>(Assert.Single(BackupCatalog.List(far, Workplace.None))).Item);
        Assert.Equal((backup.Id, "s3"), (copy.Id, copy.Store));
        Assert.Equal(Outcome.Succeeded, place.Prove(copy).Outcome);
    }

    [Fact]
    public void A_store_that_fails_stops_no_other_one_and_is_told()
    {
        using var place = new Workplace();
        place.Write("a.txt", "content");
        var far = new FolderStore(Path.Combine(place.Root, "far"), "s3");
        var away = new FailingStore(new FolderStore(Path.Combine(place.Root, "away"), "sftp"), _ => true, FailureKind.StoreUnreachable);
        var session = place.NewSession(stores: new Dictionary<string, IStore>(StringComparer.Ordinal) { ["s3"] = far, ["sftp"] = away });
        var events = place.RunBackup(session, "sftp", "s3", "local");

        var backup = Assert.IsType<BotBackup>(Assert.Single(events.OfType<Made>()).Item);
        Assert.Equal(["local Succeeded", "sftp Failed (StoreUnreachable)", "s3 Succeeded"], backup.Stores.Select(one => one.ToString()), StringComparer.Ordinal);
        Assert.Equal(FailureKind.StoreUnreachable, Assert.Single(events.OfType<Failed>()).Failure.Kind);
        Assert.Single(BackupCatalog.List(far, Workplace.None));
        Assert.Empty(Workplace.Describe(away.Location));
    }

    [Fact]
    public void Where_the_first_store_fails_the_next_one_is_sealed_into()
    {
        using var place = new Workplace();
        place.Write("a.txt", "content");
        var away = new FailingStore(new FolderStore(Path.Combine(place.Root, "away"), "sftp"), _ => true, FailureKind.AccessDenied);
        var far = new FolderStore(Path.Combine(place.Root, "far"), "s3");
        var session = place.NewSession(stores: new Dictionary<string, IStore>(StringComparer.Ordinal) { ["s3"] = far, ["sftp"] = away });
        var events = place.RunBackup(session, "sftp", "s3");

        var backup = Assert.IsType<BotBackup>(Assert.Single(events.OfType<Made>()).Item);
        Assert.Equal(("s3", FailureKind.AccessDenied), (backup.Store, Assert.Single(events.OfType<Failed>()).Failure.Kind));
        Assert.Equal(["sftp Failed (AccessDenied)", "s3 Succeeded"], backup.Stores.Select(one => one.ToString()), StringComparer.Ordinal);
        Assert.Equal(Outcome.Succeeded, place.Prove(backup).Outcome);
        Assert.False(Directory.Exists(place.Store));
    }

    [Fact]
    public void Where_no_store_takes_it_nothing_is_made_and_all_are_told()
    {
        using var place = new Workplace();
        place.Write("a.txt", "content");
        var stores = new[] { "s3", "sftp" }.ToDictionary(name => name, IStore (name) => new FailingStore(new FolderStore(Path.Combine(place.Root, name), name), _ => true, FailureKind.StoreFull), StringComparer.Ordinal);
        var events = place.RunBackup(place.NewSession(stores: stores), "s3", "sftp");

        Assert.Empty(events.OfType<Made>());
        Assert.Equal([FailureKind.StoreFull, FailureKind.StoreFull], events.OfType<Failed>().Select(failed => failed.Failure.Kind));
    }

    [Fact]
    public void A_source_that_fails_is_not_taken_for_a_store_that_does()
    {
        using var place = new Workplace();
        var far = new FolderStore(Path.Combine(place.Root, "far"), "s3");
        var session = place.NewSession(stores: new Dictionary<string, IStore>(StringComparer.Ordinal) { ["s3"] = far });
        var reads = 0;
        var job = new ArchiveJob(Component.Config, "config", BackupType.Full, (_, _) =>
        {
            reads++;
            throw new BackupException(FailureKind.AccessDenied, "It may not be read.", "Run as root.");
        }, new EntryPath(place.Project), 0);
        var events = BackupRunner.Run(session, [new BackupStep(_ => job, [session.Local, far], "")], Workplace.None).ToBlockingEnumerable().ToList();

        Assert.Equal((FailureKind.AccessDenied, 1), (Workplace.Failure(events).Kind, reads));
    }

    [Fact]
    public void A_store_that_missed_increments_gets_them_before_the_next_one()
    {
        using var mongo = new MongoPlatform();
        var isAway = false;
        var far = new FailingStore(new FolderStore(Path.Combine(mongo.Folder, "far"), "s3"), _ => isAway, FailureKind.StoreUnreachable);
        var session = mongo.Session(more: new Dictionary<string, string>(StringComparer.Ordinal) { ["ENABLE_S3_BACKUP"] = "true", ["S3_BACKUP_BUCKET"] = "bucket" }, stores: new Dictionary<string, IStore>(StringComparer.Ordinal) { ["s3"] = far });
        Slices.Write(mongo);
        Assert.Equal(2, mongo.BackUp(session).Stores.Count);
        isAway = true;
        for (var round = 0; round < 2; round++)
        {
            Slices.Write(mongo);
            var events = Slices.Run(session);
            Assert.Equal(FailureKind.StoreUnreachable, Assert.Single(events.OfType<Failed>()).Failure.Kind);
            Assert.Single(events.OfType<Made>());
        }

        isAway = false;
        Slices.Write(mongo);
        var last = Workplace.Item<BotBackup>(Slices.Run(session));
        Assert.All(last.Stores, one => Assert.Equal(Outcome.Succeeded, one.Outcome));
        Assert.Equal(Workplace.Describe(mongo.Store), Workplace.Describe(far.Location));
        Assert.Equal(3, OplogChains.Load(far, Workplace.None).Find(OplogTimeline.EndOf(last)).Slices.Count);
    }

    [Fact]
    public void A_full_backup_that_a_store_lacks_comes_with_the_first_increment()
    {
        using var mongo = new MongoPlatform();
        Slices.Write(mongo);
        mongo.BackUp();
        var far = new FolderStore(Path.Combine(mongo.Folder, "far"), "s3");
        var session = mongo.Session(more: new Dictionary<string, string>(StringComparer.Ordinal) { ["ENABLE_S3_BACKUP"] = "true", ["S3_BACKUP_BUCKET"] = "bucket" }, stores: new Dictionary<string, IStore>(StringComparer.Ordinal) { ["s3"] = far });
        Slices.Write(mongo);
        Slices.Take(session);

        Assert.Equal([BackupType.Full, BackupType.Incremental], BackupCatalog.List(far, Workplace.None).OfType<Made>().Select(made => ((BotBackup)made.Item).Type));
    }

    [Fact]
    public void A_run_that_lost_its_lease_publishes_nothing()
    {
        using var place = new Workplace();
        place.Write("a.txt", "content");
        var store = new FolderStore(Path.Combine(place.Root, "far"), "s3");
        var session = place.NewSession(stores: new Dictionary<string, IStore>(StringComparer.Ordinal) { ["s3"] = new TakenOverStore(store) });

        Assert.Equal(FailureKind.Locked, Workplace.Failure(place.RunBackup(session, "s3")).Kind);
        Assert.Empty(Workplace.Describe(store.Location));
        // A copy is published no otherwise.
        var events = place.RunBackup(session, "local", "s3");
        Assert.Single(events.OfType<Made>());
        Assert.Equal(FailureKind.Locked, Assert.Single(events.OfType<Failed>()).Failure.Kind);
        Assert.Empty(Workplace.Describe(store.Location));
    }

    /// <summary>A store whose leases are lost as soon as they are taken.</summary>
    private sealed class TakenOverStore(IStore inner) : IStore
    {
        public string Name => inner.Name;

        public string Location => inner.Location;

        public long? FreeSpace => null;

        public IEnumerable<StoredObject> List(string prefix, CancellationToken token) => inner.List(prefix, token);

        public StoredObject? Find(string key, CancellationToken token) => inner.Find(key, token);

        public Stream OpenRead(string key, long offset, CancellationToken token) => inner.OpenRead(key, offset, token);

        public StoreWriter Create(string key, CancellationToken token, string? runId = null) => inner.Create(key, token, runId);

        public void Delete(string key, CancellationToken token) => inner.Delete(key, token);

        public IReadOnlyList<string> RemovePartials(string folder, Func<string, bool> isMine, CancellationToken token) => inner.RemovePartials(folder, isMine, token);

        public StoreLease AcquireLease(string folder, CancellationToken token) => new Lease();

        public string Locate(string key) => inner.Locate(key);

        private sealed class Lease : StoreLease
        {
            public override void Demand(CancellationToken token) => throw new BackupException(FailureKind.Locked, "Somebody else has it.", "Wait.");

            protected override void Dispose(bool disposing)
            {
                // Lost already.
            }
        }
    }
}
