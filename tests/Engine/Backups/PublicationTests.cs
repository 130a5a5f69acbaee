using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Stores.Leases;
using BotCore.Backup.Engine.Tests.Stores;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Backups;

/// <summary>The order of publication: whenever a run dies, the store shows no backup or a whole one, and the next run finds nothing in its way.</summary>
public sealed class PublicationTests
{
    private static readonly string[] FilesOfABackup = [".tar.gz", ".tar.gz.index", ".tar.gz.manifest.json", ".tar.gz.sha256"];

    [Fact]
    public void A_run_that_dies_at_any_moment_leaves_no_backup_or_a_whole_one_and_the_next_run_cleans_up()
    {
        var moments = MomentsOfARun();
        Assert.True(moments > 40, $"only {moments} moments");
        var (none, whole) = (0, 0);
        for (var moment = 1; moment <= moments; moment++)
        {
            using var place = NewPlace();
            Die(place, moment);
            var listed = Listed(place);
            (none, whole) = listed.Count == 0 ? (none + 1, whole) : (none, whole + 1);
            var committed = Committed(place);

            place.BackUp(Source("second"));
            AssertTidy(place, committed + 1, $"died at {moment}");
        }

        Assert.True(none > 10 && whole > 0, $"{none} times none, {whole} times whole");
    }

    [Fact]
    public void A_run_that_dies_while_it_clears_up_after_another_leaves_that_to_the_third()
    {
        foreach (var first in new[] { 20, 30, 35, 40, 45 })
        {
            for (var second = 1; second <= 25; second++)
            {
                using var place = NewPlace();
                Die(place, first);
                Die(place, second);
                Listed(place);
                var committed = Committed(place);

                place.BackUp(Source("third"));
                AssertTidy(place, committed + 1, $"died at {first}, then at {second}");
            }
        }
    }

    [Fact]
    public void The_removal_of_leftovers_is_told()
    {
        using var place = NewPlace();
        var moments = MomentsOfARun();
        Die(place, moments * 2 / 3);
        var told = new List<BackupEvent>();
        place.BackUp(Source("second"), tell: told.Add);

        Assert.Contains(told, happened => happened is Warned warned && warned.Text.Contains("unfinished", StringComparison.Ordinal));
    }

    [Fact]
    public void Backups_of_one_second_get_names_of_their_own()
    {
        using var place = NewPlace();
        var names = Enumerable.Range(0, 4).Select(i => place.BackUp(Source($"{i}")).Key).ToArray();

        Assert.Equal(["", "_2", "_3", "_4"], names.Select(name => name["config/config_20251118_030000".Length..^".tar.gz".Length]), StringComparer.Ordinal);
        AssertTidy(place, 4, "four");
    }

    [Fact]
    public void A_name_that_only_a_manifest_or_an_intent_holds_is_not_taken()
    {
        using var place = NewPlace();
        var folder = Directory.CreateDirectory(Path.Combine(place.Store, "config")).FullName;
        File.WriteAllText(Path.Combine(folder, "config_20251118_030000.tar.gz.manifest.json"), "{}");

        Assert.EndsWith("_2.tar.gz", place.BackUp(Source("x")).Key, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_runs_at_once_are_Locked()
    {
        using var place = NewPlace();
        using var lease = place.Local.AcquireLease("config", Workplace.None);

        Assert.Equal(FailureKind.Locked, Assert.Throws<BackupException>(() => place.BackUp(Source("x"))).Failure.Kind);
        Assert.Empty(Workplace.Describe(place.Store));
    }

    [Theory]
    [InlineData(".tar.gz")]
    [InlineData(".index")]
    public void A_store_that_gives_back_other_bytes_gets_no_manifest(string file)
    {
        using var place = NewPlace();

        Assert.Equal(FailureKind.ChecksumMismatch, Assert.Throws<BackupException>(() => place.BackUp(Source("x"), new LyingStore(place.Local, file))).Failure.Kind);
        Assert.Empty(Workplace.Describe(place.Store));
    }

    private static Workplace NewPlace() => new(encrypted: false, new FixedClock());

    private static StubSource Source(string content) => new(StubSource.Root, StubEntry.File("a", content));

    private static int MomentsOfARun()
    {
        using var place = NewPlace();
        using var store = new DyingStore(place.Local, int.MaxValue);
        place.BackUp(Source("first"), store);
        return store.Moments;
    }

    private static void Die(Workplace place, int moment)
    {
        using var store = new DyingStore(place.Local, moment);
        Assert.Throws<ProcessDied>(() => place.BackUp(Source("first"), store));
    }

    private static List<BotBackup> Listed(Workplace place)
    {
        var events = BackupCatalog.List(place.Local, Workplace.None).ToList();
        Assert.Empty(events.OfType<Failed>());
        var backups = events.OfType<Made>().Select(made => (BotBackup)made.Item).ToList();
        foreach (var backup in backups)
        {
            Assert.NotNull(backup.Manifest);
            Assert.Equal(Outcome.Succeeded, place.Prove(backup).Outcome);
        }

        return backups;
    }

    // Between the manifest and the removal of the intent a backup is whole and not listed yet; the next run takes the intent away.
    private static int Committed(Workplace place) =>
        Directory.Exists(place.Store) ? Directory.GetFiles(place.Store, "config_*" + BackupFiles.ManifestSuffix, SearchOption.AllDirectories).Length : 0;

    private static void AssertTidy(Workplace place, int backups, string when)
    {
        var listed = Listed(place);
        Assert.True(listed.Count == backups, $"{when}: {listed.Count} backups, not {backups}");
        var expected = listed.SelectMany(backup => FilesOfABackup.Select(suffix => backup.Location[..^".tar.gz".Length] + suffix)).Order(StringComparer.Ordinal);
        var files = Directory.GetFiles(place.Store, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = default })
            .Where(file => !file.EndsWith(".lease", StringComparison.Ordinal)).Order(StringComparer.Ordinal);
        // What is listed was tested, too, and has a record of that.
        Assert.Equal(expected, files.Where(file => !listed.Exists(backup => file.StartsWith(backup.Location + ".proof.", StringComparison.Ordinal))), StringComparer.Ordinal);
    }

    /// <summary>A disk that flips a bit.</summary>
    private sealed class LyingStore(IStore inner, string file) : IStore
    {
        public string Name => inner.Name;

        public string Location => inner.Location;

        public long? FreeSpace => null;

        public IEnumerable<StoredObject> List(string prefix, CancellationToken token) => inner.List(prefix, token);

        public StoredObject? Find(string key, CancellationToken token) => inner.Find(key, token);

        public Stream OpenRead(string key, long offset, CancellationToken token)
        {
            using var stream = inner.OpenRead(key, offset, token);
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            bytes[^1] ^= (byte)(key.EndsWith(file, StringComparison.Ordinal) ? 1 : 0);
            return new MemoryStream(bytes);
        }

        public StoreWriter Create(string key, CancellationToken token, string? runId = null) => inner.Create(key, token, runId);

        public void Delete(string key, CancellationToken token) => inner.Delete(key, token);

        public IReadOnlyList<string> RemovePartials(string folder, Func<string, bool> isMine, CancellationToken token) => inner.RemovePartials(folder, isMine, token);

        public StoreLease AcquireLease(string folder, CancellationToken token) => inner.AcquireLease(folder, token);

        public string Locate(string key) => inner.Locate(key);
    }
}
