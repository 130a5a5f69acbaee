using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Retention;
using BotCore.Backup.Engine.Tests.Stores;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Retention;

public sealed class BackupRemoverTests
{
    [Fact]
    public void A_removed_backup_leaves_no_file_and_its_neighbours_stay()
    {
        var clock = new FixedClock();
        using var place = new Workplace(encrypted: false, clock);
        place.Write("a", "1");
        var old = place.BackUp();
        var files = Workplace.Describe(place.Store);
        clock.Now = clock.Now.AddHours(1);
        var young = place.BackUp();

        var removal = Workplace.Item<BotBackupRemoval>([.. BackupRemover.Run([BackupRemover.Plan(old, force: false, Workplace.None)], Workplace.None).ToBlockingEnumerable()]);
        Assert.Equal(Outcome.Succeeded, removal.Outcome);
        Assert.True(removal.Freed > old.Size);
        Assert.Equal(young.Id, ((BotBackup)Assert.IsType<Made>(Assert.Single(BackupCatalog.List(place.Local, Workplace.None))).Item).Id);
        Assert.Equal(files.Count, Workplace.Describe(place.Store).Count);
    }

    [Fact]
    public void The_newest_good_backup_is_kept_unless_forced()
    {
        using var place = new Workplace(encrypted: false);
        place.Write("a", "1");
        var only = place.BackUp();

        Assert.Equal(FailureKind.LastGoodBackup, Assert.Throws<BackupException>(() => BackupRemover.Plan(only, force: false, Workplace.None)).Failure.Kind);
        Workplace.Item<BotBackupRemoval>([.. BackupRemover.Run([BackupRemover.Plan(only, force: true, Workplace.None)], Workplace.None).ToBlockingEnumerable()]);
        Assert.Empty(BackupCatalog.List(place.Local, Workplace.None));
    }

    [Fact]
    public void Death_at_any_moment_of_a_removal_leaves_the_backup_or_nothing()
    {
        for (var moment = 1; ; moment++)
        {
            using var place = new Workplace(encrypted: false);
            place.Write("a", "1");
            var backup = place.BackUp();
            using var dying = new DyingStore(place.Local, moment);
            if (!Dies(backup with { Source = dying }))
                return;

            dying.Dispose();
            var listed = BackupCatalog.List(place.Local, Workplace.None).ToList();
            Assert.DoesNotContain(listed, happened => happened is Failed);
            Assert.Contains(place.RunBackup(), happened => happened is Made);
            Assert.DoesNotContain(Workplace.Describe(place.Store), file => file.Contains(".intent", StringComparison.Ordinal));
        }
    }

    private static bool Dies(BotBackup backup)
    {
        try
        {
            Workplace.Item<BotBackupRemoval>([.. BackupRemover.Run([new RemovalStep(backup)], Workplace.None).ToBlockingEnumerable()]);
            return false;
        }
        catch (ProcessDied)
        {
            return true;
        }
    }
}
