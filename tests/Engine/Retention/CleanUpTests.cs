using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Retention;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Stores.Leases;
using BotCore.Backup.Engine.Tests.Stores;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Retention;

/// <summary>Clean-ups of real stores: beside others, beside a backup, and where the process dies.</summary>
public sealed class CleanUpTests
{
    private static readonly CleanUpRequest Ninety = new() { Policy = new RetentionPolicy { Daily = 7, Weekly = 28, Monthly = 365, Config = 90, Volumes = 7, Snapshots = 7 } };

    [Fact]
    public void What_expired_goes_whole_and_all_else_stays()
    {
        using var site = new Site();
        var stranger = Path.Combine(site.Place.Store, "config", "notes.txt");
        File.WriteAllText(stranger, "not ours");
        var removed = Site.Removed(site.Clean());

        Assert.Equal(site.Old, removed.Select(removal => removal.Backup.Key).ToList());
        Assert.All(removed, removal => Assert.Equal((RetentionRules.Expired, Outcome.Succeeded), (removal.Rule, removal.Outcome)));
        Assert.All(removed, removal => Assert.True(removal.Freed > removal.Backup.Size));
        Assert.Equal(site.Young, site.Listed());
        Assert.Equal("not ours", File.ReadAllText(stranger));
        Assert.Empty(site.Clean());
    }

    [Fact]
    public void What_was_approved_goes_only_where_it_still_expires()
    {
        using var site = new Site();
        var approved = site.Plan();
        // The policy of the run is another than that of the plan: the one that keeps more counts.
        var longer = Ninety with { Policy = Ninety.Policy with { Config = 5000 } };
        Assert.Empty(CleanUp.Run(site.Place.Session, site.Place.Local, longer, approved, Workplace.None).ToBlockingEnumerable());
        Assert.Equal(site.Old.Count + site.Young.Count, site.Listed().Count);
        // And what nobody approved stays, though it expired.
        var some = Site.Removed([.. CleanUp.Run(site.Place.Session, site.Place.Local, Ninety, [approved[0]], Workplace.None).ToBlockingEnumerable()]);
        Assert.Equal(approved[0].Decision.Backup.Key, Assert.Single(some).Backup.Key);
    }

    [Fact]
    public void Of_two_at_once_one_is_told_to_wait_and_the_next_completes()
    {
        using var site = new Site();
        var approved = site.Plan();
        using (site.Place.Local.AcquireLease("config", Workplace.None))
        {
            // Whoever holds it, a backup or another clean-up.
            var failure = Workplace.Failure([.. CleanUp.Run(site.Place.Session, site.Place.Local, Ninety, approved, Workplace.None).ToBlockingEnumerable()]);
            Assert.Equal(FailureKind.Locked, failure.Kind);
            Assert.Equal(site.Old.Count + site.Young.Count, site.Listed().Count);
        }

        var both = new List<BackupEvent>[2];
        Parallel.For(0, 2, number => both[number] = [.. CleanUp.Run(site.Place.Session, site.Place.Local, Ninety, approved, Workplace.None).ToBlockingEnumerable()]);
        Assert.Equal(site.Old.Order(StringComparer.Ordinal), both.SelectMany(events => events).OfType<Made>().Select(made => ((BotBackupRemoval)made.Item).Backup.Key).Order(StringComparer.Ordinal));
        Assert.Equal(site.Young, site.Listed());
    }

    [Fact]
    public void What_a_restore_reads_stays_until_it_has_read_it()
    {
        using var site = new Site();
        var approved = site.Plan();
        var told = new List<BackupEvent>();
        // As two restores leave it while they run.
        using (ReadMark.Leave(site.Place.Local, told.Add, Workplace.None))
        using (ReadMark.Leave(site.Place.Local, told.Add, Workplace.None))
        {
            var failure = Workplace.Failure([.. CleanUp.Run(site.Place.Session, site.Place.Local, Ninety, approved, Workplace.None).ToBlockingEnumerable()]);
            Assert.Equal(FailureKind.Locked, failure.Kind);
            Assert.Contains("A restore, or another clean-up, is at work", failure.Message, StringComparison.Ordinal);
            Assert.Equal(site.Old.Count + site.Young.Count, site.Listed().Count);
        }

        Assert.Empty(told);
        Assert.Equal(site.Old.Count, Site.Removed(site.Clean()).Count);
    }

    [Fact]
    public void A_restore_holds_its_mark_while_it_reads()
    {
        using var site = new Site(old: 1);
        var backup = BackupCatalog.Open(site.Place.Local, site.Old[0], Workplace.None);
        var wasLocked = false;
        var watched = new LockedStore(site.Place.Local, "none", key =>
        {
            if (!string.Equals(key, backup.Key, StringComparison.Ordinal))
                return;
            wasLocked = true;
            Assert.Throws<BackupException>(() => ReadMark.Forbid(site.Place.Local, Workplace.None).Dispose());
        });
        site.Place.Restore(backup with { Source = watched });
        Assert.True(wasLocked);
        ReadMark.Forbid(site.Place.Local, Workplace.None).Dispose();
    }

    [Fact]
    public void A_restore_from_a_store_that_may_not_be_written_is_none_the_worse()
    {
        using var site = new Site(old: 1);
        var told = new List<BackupEvent>();
        var refusing = new LockedStore(site.Place.Local, "none") { RefusesLeases = true };
        Assert.Null(ReadMark.Leave(refusing, told.Add, Workplace.None));
        Assert.IsType<Said>(Assert.Single(told));
        Assert.Equal(Outcome.Succeeded, site.Place.Restore(BackupCatalog.Open(site.Place.Local, site.Old[0], Workplace.None) with { Source = refusing }).Outcome);
    }

    [Fact]
    public void Death_at_any_moment_leaves_nothing_half_and_the_next_one_completes()
    {
        for (var moment = 1; ; moment += 9)
        {
            using var site = new Site(old: 2);
            var approved = site.Plan();
            using var dying = new DyingStore(site.Place.Local, moment);
            var died = false;
            try
            {
                Assert.DoesNotContain(CleanUp.Run(site.Place.Session, dying, Ninety, approved, Workplace.None).ToBlockingEnumerable(), happened => happened is Failed);
            }
            catch (Exception dead) when (dead is ProcessDied || dead is AggregateException { InnerException: ProcessDied })
            {
                died = true;
            }

            dying.Dispose();
            Assert.DoesNotContain(BackupCatalog.List(site.Place.Local, Workplace.None), happened => happened is Failed);
            site.Clean();
            // One whose removal had only been announced is a backup again by now, and nobody had approved that it goes this time.
            site.Clean();
            Assert.Equal(site.Young, site.Listed());
            if (!died)
                return;
            // A run that ends what died may have found nothing that expires any more; the next backup clears its leftovers.
            Assert.Contains(site.Place.RunBackup(), happened => happened is Made);
            Assert.DoesNotContain(Workplace.Describe(site.Place.Store), file => file.Contains(".intent", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void A_removal_that_the_store_only_pretends_is_no_success()
    {
        using var site = new Site(old: 1);
        var pretending = new LockedStore(site.Place.Local, site.Old[0]) { Pretends = true };
        var approved = CleanUp.Plan(CleanUp.Decide(site.Place.Session, pretending, Ninety, _ => { }, Workplace.None));
        var failure = Workplace.Failure([.. CleanUp.Run(site.Place.Session, pretending, Ninety, approved, Workplace.None).ToBlockingEnumerable()]);

        Assert.Equal(FailureKind.AccessDenied, failure.Kind);
        Assert.Contains("still has", failure.Message, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(site.Place.Store, site.Old[0])));
    }

    [Fact]
    public void One_that_the_store_does_not_let_go_stays_whole_and_is_told()
    {
        using var site = new Site();
        var locked = new LockedStore(site.Place.Local, site.Old[0]);
        var events = CleanUp.Run(site.Place.Session, locked, Ninety, CleanUp.Plan(CleanUp.Decide(site.Place.Session, locked, Ninety, _ => { }, Workplace.None)), Workplace.None).ToBlockingEnumerable().ToList();

        var refused = Assert.Single(events.OfType<Failed>()).Failure;
        Assert.Equal(FailureKind.AccessDenied, refused.Kind);
        Assert.Contains("refuses to let it go", refused.Message, StringComparison.Ordinal);
        Assert.Equal(site.Old.Count - 1, events.OfType<Made>().Count());
        Assert.Equal([site.Old[0], .. site.Young], site.Listed());
        Assert.Equal(Outcome.Succeeded, site.Place.Prove((BotBackup)BackupCatalog.List(site.Place.Local, Workplace.None).OfType<Made>().First().Item).Outcome);
    }

    [Fact]
    public void One_under_an_object_lock_stays_until_that_is_over_and_is_no_failure()
    {
        using var site = new Site();
        var locked = new LockedStore(site.Place.Local, site.Old[0]) { Name = "s3" };
        using var session = new BackupSession(BotBackupConfiguration.Load(
            null, new Dictionary<string, string>(StringComparer.Ordinal), new Dictionary<string, string>(StringComparer.Ordinal) { ["BACKUP_DIR"] = site.Place.Store, ["S3_OBJECT_LOCK_DAYS"] = "300", ["ENCRYPTION_ENABLED"] = "false" }))
        { Clock = site.Place.Session.Clock };
        var events = CleanUp.Run(session, locked, Ninety, CleanUp.Plan(CleanUp.Decide(session, locked, Ninety, _ => { }, Workplace.None)), Workplace.None).ToBlockingEnumerable().ToList();

        Assert.Empty(events.OfType<Failed>());
        var kept = Assert.Single(events.OfType<Made>().Select(made => (BotBackupRemoval)made.Item), removal => removal.Outcome == Outcome.Skipped);
        Assert.Equal((RetentionRules.Locked, site.Old[0], 0L), (kept.Rule, kept.Backup.Key, kept.Freed.Bytes));
        Assert.Equal([site.Old[0], .. site.Young], site.Listed());
    }

    /// <summary>A store with old backups and young ones.</summary>
    private sealed class Site : IDisposable
    {
        private readonly FixedClock _clock = new();

        public Site(int old = 4)
        {
            Place = new Workplace(encrypted: false, _clock);
            Place.Write("a", "1");
            var now = _clock.Now;
            _clock.Now = now.AddDays(-200);
            for (var number = 0; number < old; number++)
            {
                Old.Add(Place.BackUp().Key);
                _clock.Now = _clock.Now.AddDays(1);
            }

            _clock.Now = now.AddDays(-3);
            Young.Add(Place.BackUp().Key);
            _clock.Now = now;
            Young.Add(Place.BackUp().Key);
            // Newest first, as they go.
            Old.Reverse();
        }

        public Workplace Place { get; }

        public List<string> Old { get; } = [];

        public List<string> Young { get; } = [];

        public IReadOnlyList<ExpiryStep> Plan() => CleanUp.Plan(CleanUp.Decide(Place.Session, Place.Local, Ninety, _ => { }, Workplace.None));

        public IReadOnlyList<BackupEvent> Clean() => [.. CleanUp.Run(Place.Session, Place.Local, Ninety, Plan(), Workplace.None).ToBlockingEnumerable()];

        public static IReadOnlyList<BotBackupRemoval> Removed(IReadOnlyList<BackupEvent> events)
        {
            Assert.DoesNotContain(events, happened => happened is Failed);
            return [.. events.OfType<Made>().Select(made => (BotBackupRemoval)made.Item)];
        }

        public IReadOnlyList<string> Listed() => [.. BackupCatalog.List(Place.Local, Workplace.None).OfType<Made>().Select(made => ((BotBackup)made.Item).Key)];

        public void Dispose() => Place.Dispose();
    }

    /// <summary>A store that keeps the files of one backup under a lock.</summary>
    private sealed class LockedStore(IStore inner, string locked, Action<string>? reading = null) : IStore
    {
        public bool RefusesLeases { get; init; }

        public bool Pretends { get; init; }

        public string Name { get; init; } = inner.Name;

        public string Location => inner.Location;

        public long? FreeSpace => inner.FreeSpace;

        public IEnumerable<StoredObject> List(string prefix, CancellationToken token) => inner.List(prefix, token);

        public StoredObject? Find(string key, CancellationToken token) => inner.Find(key, token);

        public Stream OpenRead(string key, long offset, CancellationToken token)
        {
            reading?.Invoke(key);
            return inner.OpenRead(key, offset, token);
        }

        public StoreWriter Create(string key, CancellationToken token, string? runId = null) => inner.Create(key, token, runId);

        public void Delete(string key, CancellationToken token)
        {
            var isLocked = string.Equals(BackupFiles.ArchiveOf(key), locked, StringComparison.Ordinal) && !key.EndsWith(BackupFiles.IntentSuffix, StringComparison.Ordinal);
            if (isLocked && Pretends)
                return;
            if (isLocked)
                throw new BackupException(FailureKind.AccessDenied, "The object is locked.", "Wait.", key);
            inner.Delete(key, token);
        }

        public IReadOnlyList<string> RemovePartials(string folder, Func<string, bool> isMine, CancellationToken token) => inner.RemovePartials(folder, isMine, token);

        public StoreLease AcquireLease(string folder, CancellationToken token) =>
            RefusesLeases ? throw new BackupException(FailureKind.AccessDenied, "Nothing may be written there.", "Ask for the right to.", folder) : inner.AcquireLease(folder, token);

        public string Locate(string key) => inner.Locate(key);
    }
}
