using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Engine.Retention;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Verification;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Verification;

/// <summary>What is recorded of proofs, and what a listing makes of it.</summary>
public sealed class ProofLedgerTests
{
    [Fact]
    public void A_proof_is_recorded_and_a_listing_shows_it_without_opening_it()
    {
        using var place = new Workplace(encrypted: false);
        place.Write("a", "1");
        var backup = place.BackUp();
        Assert.Equal(Depth.Checksum, Listed(place).Proof.Depth);

        var result = place.Prove(backup);
        Assert.True(result.Recorded);
        var file = Assert.Single(Records(place, backup));
        // Only the name counts in a listing.
        var record = ProofRecord.TryParse(File.ReadAllBytes(file))!;
        File.WriteAllText(file, "");
        var listed = Listed(place);
        Assert.Equal((Depth.Archive, false), (listed.Proof.Depth, listed.IsDamaged));
        Assert.Equal(listed.Proof, place.Reopen(backup).Proof);
        Assert.InRange(listed.Proof.At!.Value, record.At.AddSeconds(-1), record.At);

        Assert.Equal((Depth.Archive, Outcome.Succeeded, ProofMark.Archive), (record.Depth, record.Outcome, record.Mark));
        Assert.Equal((backup.Size.Bytes, backup.Size.Bytes), (record.Read, record.Size));
        Assert.Equal((backup.Entries, backup.Entries), (record.EntriesRead, record.Entries));
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(BackupFiles.Manifest(backup.Location)))), record.ManifestSha256);
        Assert.Equal(backup.Id, record.Backup);
    }

    [Fact]
    public void Damage_shows_until_it_is_mended_and_proven_to_be()
    {
        using var sample = new SealedSample("small", encrypted: true);
        var place = sample.Place;
        place.Prove(sample.Backup);
        sample.Flip(sample.Archive.Length / 2);
        Assert.Equal(FailureKind.ChecksumMismatch, place.Prove(sample.Backup).Failure!.Kind);

        var damaged = Listed(place);
        Assert.True(damaged.IsDamaged);
        Assert.Equal((Depth.Unknown, FailureKind.ChecksumMismatch), (damaged.Proof.Depth, damaged.Proof.Damage));
        Assert.Equal("Damaged (ChecksumMismatch)", damaged.Proof.ToString());

        File.WriteAllBytes(sample.ArchiveFile, sample.Archive);
        Assert.True(Listed(place).IsDamaged);
        Assert.Equal(Outcome.Succeeded, place.Prove(sample.Backup, Depth.Checksum).Outcome);
        var mended = Listed(place);
        // What was proven at Archive depth before was another file.
        Assert.Equal((false, Depth.Checksum), (mended.IsDamaged, mended.Proof.Depth));
    }

    [Theory]
    [InlineData("archive@1", "Archive", false)]
    [InlineData("archive@1 checksum@2", "Archive", false)]
    [InlineData("restore@1 archive@2", "Restore", false)]
    [InlineData("archive@1 sandbox@2", "Restore (Sandbox)", false)]
    [InlineData("restore@1 sandbox@2", "Restore", false)]
    [InlineData("archive@1 failed-checksum-ChecksumMismatch@2", "Damaged (ChecksumMismatch)", true)]
    [InlineData("restore@1 failed-checksum-ChecksumMismatch@2 archive@3", "Archive", false)]
    [InlineData("failed-archive-ArchiveCorrupt@1 checksum@2", "Damaged (ArchiveCorrupt)", true)]
    [InlineData("failed-archive-ArchiveCorrupt@1 checksum@2 archive@3", "Archive", false)]
    [InlineData("failed-restore-RestoreMismatch@1 sandbox@2", "Damaged (RestoreMismatch)", true)]
    [InlineData("failed-archive-ArchiveCorrupt@1 failed-checksum-ChecksumMismatch@2 checksum@3", "Damaged (ArchiveCorrupt)", true)]
    [InlineData("archive@1 tried@2", "Archive", false)]
    [InlineData("tried@1", "Checksum", false)]
    [InlineData("archive@1 failed-checksum-ChecksumMismatch@5000", "Archive", false)]
    [InlineData("checksum@1 restore@5000", "Checksum", false)]
    [InlineData("failed-checksum-ChecksumMismatch@1 archive@5000", "Damaged (ChecksumMismatch)", true)]
    [InlineData("archive@1 nonsense@2", "Archive", false)]
    public void The_newest_look_decides_and_the_deepest_since_counts(string records, string expected, bool damaged)
    {
        var clock = new FixedClock();
        using var place = new Workplace(encrypted: false, clock);
        place.Write("a", "1");
        var backup = place.BackUp();
        foreach (var record in records.Split(' ').Select(text => text.Split('@')))
        {
            // Hours; the listing is made after 100 of them.
            var at = clock.Now.AddHours(int.Parse(record[1], System.Globalization.CultureInfo.InvariantCulture));
            var name = new ProofName(at, 1, ProofMark.Archive, Flaw: null, backup.Seal).KeyOf(backup.Key).Replace(".archive.", $".{record[0]}.", StringComparison.Ordinal);
            File.WriteAllText(place.Local.Locate(name), "");
        }

        clock.Now = clock.Now.AddHours(100);
        var listed = Listed(place, clock);
        Assert.Equal(damaged, listed.IsDamaged);
        Assert.Equal(expected + (damaged ? "" : ", Unauthenticated"), listed.Proof.ToString());
    }

    [Fact]
    public void A_record_of_another_manifest_says_nothing()
    {
        using var place = new Workplace(encrypted: false);
        place.Write("a", "1");
        var backup = place.BackUp();
        File.WriteAllText(place.Local.Locate(new ProofName(DateTimeOffset.UtcNow, 1, ProofMark.Restore, Flaw: null, "00000000").KeyOf(backup.Key)), "");
        Assert.Equal(Depth.Checksum, Listed(place).Proof.Depth);
    }

    [Fact]
    public void What_says_nothing_of_the_archive_is_not_recorded()
    {
        using var place = new Workplace();
        place.Write("a", "1");
        var backup = place.BackUp();
        using var other = place.NewSession("wrong");
        var result = place.Prove(backup, session: other);
        Assert.Equal(FailureKind.WrongPassphrase, result.Failure!.Kind);
        Assert.False(result.Recorded);
        Assert.Empty(Records(place, backup));
        Assert.False(Listed(place).IsDamaged);
    }

    [Fact]
    public void Proofs_of_one_second_have_turns_and_the_later_one_wins()
    {
        using var sample = new SealedSample("small", encrypted: false);
        using var still = sample.Place.NewSession(clock: new FixedClock());
        sample.Place.Prove(sample.Backup, session: still);
        sample.Flip(100);
        sample.Place.Prove(sample.Backup, session: still);
        Assert.Equal(2, Records(sample.Place, sample.Backup).Count);
        Assert.True(Listed(sample.Place).IsDamaged);
    }

    [Fact]
    public void Records_that_say_nothing_any_more_go()
    {
        var clock = new FixedClock();
        using var place = new Workplace(encrypted: false, clock);
        place.Write("a", "1");
        var backup = place.BackUp();
        foreach (var depth in Enumerable.Repeat(Depth.Archive, 2).Concat(Enumerable.Repeat(Depth.Checksum, 20)))
        {
            clock.Now = clock.Now.AddHours(1);
            place.Prove(backup, depth);
        }

        var kept = Records(place, backup);
        Assert.Equal(6, kept.Count);
        Assert.Single(kept, file => file.Contains(".archive.", StringComparison.Ordinal));
        Assert.Equal(Depth.Archive, Listed(place).Proof.Depth);
    }

    [Fact]
    public void A_store_that_takes_no_records_makes_no_proof_a_failed_one()
    {
        using var place = new Workplace(encrypted: false);
        place.Write("a", "1");
        var backup = place.BackUp() with { Source = new RefusingStore(place.Local) };
        var events = VerificationRunner.Run(place.Session, [backup, backup], Depth.Archive, Workplace.None).ToBlockingEnumerable().ToList();
        var results = events.OfType<Made>().Select(made => (BotBackupVerification)made.Item).ToList();
        Assert.All(results, result => Assert.Equal((Outcome.Succeeded, false, Depth.Archive), (result.Outcome, result.Recorded, result.Proof.Depth)));
        // Once for all of the store.
        Assert.Contains("could not be recorded", Assert.Single(events.OfType<Warned>()).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Records_are_no_strangers_and_go_with_their_backup()
    {
        using var place = new Workplace(encrypted: false);
        place.Write("a", "1");
        var backup = place.BackUp();
        place.Prove(backup);
        Assert.All(Records(place, backup), file => Assert.True(BackupFiles.IsCompanion(file)));
        Assert.All(BackupCatalog.List(place.Local, Workplace.None), happened => Assert.IsType<Made>(happened));
        Workplace.Item<BotBackupRemoval>([.. BackupRemover.Run([BackupRemover.Plan(backup, force: true, Workplace.None)], Workplace.None).ToBlockingEnumerable()]);
        Assert.StartsWith("RECOVER.txt ", Assert.Single(Workplace.Describe(place.Store)), StringComparison.Ordinal);
    }

    [Fact]
    public void An_archive_of_the_old_scripts_is_proven_too()
    {
        using var place = new Workplace(encrypted: false);
        place.Write("a", "1");
        var path = Path.Combine(place.Store, "config", "config_20251118_030000.tar.gz");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        BotCore.Backup.Engine.Tests.Outside.Shell.Run("tar", "czf", path, "-C", place.Project, ".");
        Assert.Equal("Unproven", Listed(place).Proof.ToString());
        Assert.True(place.Prove(Listed(place)).Recorded);
        Assert.Equal("Archive, Unauthenticated", Listed(place).Proof.ToString());
    }

    [Fact]
    public void A_whole_restore_is_a_proof_and_a_part_of_one_is_not()
    {
        using var place = new Workplace(encrypted: false);
        place.Write("a", "1");
        place.Write("b", "2");
        var backup = place.BackUp();
        place.Restore(backup, new RestoreRequest { Include = ["a"] });
        Assert.Empty(Records(place, backup));

        place.Restore(backup, new RestoreRequest { Destination = Path.Combine(place.Root, "whole") });
        Assert.Equal(Depth.Restore, Listed(place).Proof.Depth);
        var record = Records(place, backup).Select(file => ProofRecord.TryParse(File.ReadAllBytes(file))!).Single(one => one.Mark == ProofMark.Restore);
        Assert.Equal(Path.Combine(place.Root, "whole"), record.Where);
    }

    [Fact]
    public void A_restore_that_finds_damage_says_so_to_all()
    {
        using var sample = new SealedSample("small", encrypted: true);
        sample.Flip(sample.Archive.Length / 2);
        sample.Place.Refuse(sample.Backup);
        Assert.True(Listed(sample.Place).IsDamaged);
    }

    private static BotBackup Listed(Workplace place, TimeProvider? clock = null) =>
        (BotBackup)Assert.IsType<Made>(Assert.Single(BackupCatalog.List(place.Local, "", Workplace.None, clock))).Item;

    private static List<string> Records(Workplace place, BotBackup backup) =>
        [.. Directory.GetFiles(Path.GetDirectoryName(place.Local.Locate(backup.Key))!).Where(file => Path.GetFileName(file).StartsWith(Path.GetFileName(backup.Key) + ".proof.", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    // A share that is mounted read-only, to those who test what is on it.
    private sealed class RefusingStore(IStore inner) : IStore
    {
        public string Name => inner.Name;

        public string Location => inner.Location;

        public long? FreeSpace => 0;

        public IEnumerable<StoredObject> List(string prefix, CancellationToken token) => inner.List(prefix, token);

        public StoredObject? Find(string key, CancellationToken token) => inner.Find(key, token);

        public Stream OpenRead(string key, long offset, CancellationToken token) => inner.OpenRead(key, offset, token);

        public StoreWriter Create(string key, CancellationToken token, string? runId = null) =>
            throw new BackupException(FailureKind.AccessDenied, "The disk is read-only.", "Mount it for writing.", key);

        public void Delete(string key, CancellationToken token) => throw new BackupException(FailureKind.AccessDenied, "The disk is read-only.", "Mount it for writing.", key);

        public IReadOnlyList<string> RemovePartials(string folder, Func<string, bool> isMine, CancellationToken token) => [];

        public BotCore.Backup.Engine.Stores.Leases.StoreLease AcquireLease(string folder, CancellationToken token) => inner.AcquireLease(folder, token);

        public string Locate(string key) => inner.Locate(key);
    }
}
