using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Backups.Copying;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Tests.Stores;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Backups;

/// <summary>Copies from store to store: whole, compared, and only what is missing.</summary>
public sealed class CopyTests : IDisposable
{
    private readonly Workplace _place = new();
    private readonly FolderStore _far;

    public CopyTests()
    {
        _place.Write("a.txt", "content");
        _place.WriteNoise("noise", 300_000);
        _far = new FolderStore(Path.Combine(_place.Root, "far"), "folder");
    }

    [Fact]
    public void A_copy_is_the_same_backup_in_another_place()
    {
        var backup = _place.BackUp();
        var copy = Workplace.Item<BotBackup>(Run(backup));

        Assert.Equal((backup.Id, backup.Key, "folder", _far.Locate(backup.Key)), (copy.Id, copy.Key, copy.Store, copy.Location));
        Assert.Equal(Workplace.Describe(_place.Store), Workplace.Describe(_far.Location));
        Directory.Delete(_place.Store, recursive: true);
        Assert.Equal(Outcome.Succeeded, _place.Prove(copy).Outcome);
        _place.Restore(copy);
    }

    [Fact]
    public void What_stands_there_is_left_alone()
    {
        var backup = _place.BackUp();
        Run(backup);
        var step = CopyRunner.Plan(backup, _far, force: false, Workplace.None);
        Assert.NotNull(step.There);
        var untouched = new FailingStore(_far, _ => true, FailureKind.StoreFull);
        Assert.Equal(backup.Id, Workplace.Item<BotBackup>(Run(backup, untouched)).Id);
    }

    [Theory]
    [InlineData("")]
    [InlineData(".index")]
    public void What_is_damaged_is_not_copied(string file)
    {
        var backup = _place.BackUp();
        Flip(backup.Location + file);

        Assert.Equal(FailureKind.ChecksumMismatch, Workplace.Failure(Run(backup)).Kind);
        Assert.Empty(Workplace.Describe(_far.Location));
    }

    [Fact]
    public void A_damaged_copy_is_seen_by_its_length_and_replaced_by_force()
    {
        var backup = _place.BackUp();
        var copy = Workplace.Item<BotBackup>(Run(backup));
        File.WriteAllBytes(copy.Location, File.ReadAllBytes(copy.Location)[..1000]);

        Assert.Equal(FailureKind.DestinationNotEmpty, Assert.Throws<BackupException>(() => CopyRunner.Plan(backup, _far, force: false, Workplace.None)).Failure.Kind);
        Assert.Equal(Outcome.Succeeded, _place.Prove(Workplace.Item<BotBackup>(Run(backup, force: true))).Outcome);
    }

    [Fact]
    public void Another_backup_of_the_same_name_is_not_overwritten()
    {
        var clock = new FixedClock();
        var first = Workplace.Item<BotBackup>(_place.RunBackup(_place.NewSession(clock: clock)));
        Run(first);
        Directory.Delete(_place.Store, recursive: true);
        _place.Write("a.txt", "other content");
        var second = Workplace.Item<BotBackup>(_place.RunBackup(_place.NewSession(clock: clock)));
        Assert.Equal(first.Key, second.Key);
        var before = Workplace.Describe(_far.Location);

        Assert.Contains("another backup", Assert.Throws<BackupException>(() => CopyRunner.Plan(second, _far, force: false, Workplace.None)).Message, StringComparison.Ordinal);
        Assert.Equal(before, Workplace.Describe(_far.Location));
        Assert.Equal(second.Id, Workplace.Item<BotBackup>(Run(second, force: true)).Id);
    }

    [Fact]
    public void A_copy_that_died_is_not_listed_and_the_next_one_completes()
    {
        var backup = _place.BackUp();
        var moments = 0;
        for (var last = 1; ; last++)
        {
            using var dying = new DyingStore(_far, last);
            try
            {
                new ArchiveCopy(dying, _ => { }).Copy(backup, "run", Workplace.None);
                break;
            }
            catch (ProcessDied)
            {
                moments++;
                Assert.True(last < 500);
            }

            var listed = BackupCatalog.List(_far, Workplace.None).ToList();
            Assert.Empty(listed.OfType<Failed>());
            if (listed.Count > 0)
                Assert.Equal(Outcome.Succeeded, _place.Prove((BotBackup)Assert.IsType<Made>(Assert.Single(listed)).Item, Engine.Verification.Depth.Checksum).Outcome);
            if (listed.Count > 0 && _far.Find(BackupFiles.Intent(backup.Key), Workplace.None) is null)
                Directory.Delete(_far.Location, recursive: true);
        }

        Assert.True(moments > 20);
        Assert.Equal(Workplace.Describe(_place.Store).Where(line => !line.StartsWith(BreakGlass.Key, StringComparison.Ordinal)), Workplace.Describe(_far.Location), StringComparer.Ordinal);
    }

    [Fact]
    public void An_archive_of_the_old_scripts_is_copied_and_stays_unproven()
    {
        var folder = Path.Combine(_place.Root, "old", "config");
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "config_20251118_030000.tar.gz"), "whatever it holds");
        var old = Assert.IsType<BotBackup>(Assert.IsType<Made>(Assert.Single(BackupCatalog.List(new FolderStore(Path.Combine(_place.Root, "old")), Workplace.None))).Item);

        var copy = Workplace.Item<BotBackup>(Run(old));
        Assert.Equal((null, "Unproven"), (copy.Manifest, copy.Proof.ToString()));
        Assert.Equal("whatever it holds", File.ReadAllText(copy.Location));
        Assert.EndsWith("  config_20251118_030000.tar.gz\n", File.ReadAllText(copy.Location + ".sha256"), StringComparison.Ordinal);
        Assert.NotNull(CopyRunner.Plan(old, _far, force: false, Workplace.None).There);
    }

    [Fact]
    public void A_store_is_no_copy_of_itself()
    {
        var backup = _place.BackUp();
        Assert.Equal(FailureKind.ConfigurationInvalid, Assert.Throws<BackupException>(() => CopyRunner.Plan(backup, _place.Local, force: true, Workplace.None)).Failure.Kind);
    }

    public void Dispose() => _place.Dispose();

    private List<BackupEvent> Run(BotBackup backup, IStore? to = null, bool force = false) =>
        [.. CopyRunner.Run([CopyRunner.Plan(backup, to ?? _far, force, Workplace.None)], Workplace.None).ToBlockingEnumerable()];

    private static void Flip(string path)
    {
        var bytes = File.ReadAllBytes(path);
        bytes[^10] ^= 1;
        File.WriteAllBytes(path, bytes);
    }
}
