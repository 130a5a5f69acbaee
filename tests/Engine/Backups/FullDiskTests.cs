using BotCore.Backup.Engine.Events;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Backups;

/// <summary>Disks that are full or read-only: the run fails with its kind, and the store is as it was.</summary>
public sealed class FullDiskTests
{
    [MountFact]
    public void A_disk_that_fills_up_is_StoreFull_and_the_store_is_as_it_was()
    {
        using var disk = new SmallDisk("size=5m");
        using var place = new Workplace(store: disk.Folder);
        place.WriteNoise("small", 20_000);
        place.BackUp();
        place.WriteNoise("noise", 8 << 20);
        var before = Workplace.Describe(disk.Folder);

        Assert.Equal(FailureKind.StoreFull, Workplace.Failure(place.RunBackup()).Kind);
        Assert.Equal(before, Workplace.Describe(disk.Folder));

        File.Delete(Path.Combine(place.Project, "noise"));
        place.BackUp();
    }

    [MountFact]
    public void An_estimate_that_cannot_fit_is_TooLittleSpace_before_anything_is_written()
    {
        using var disk = new SmallDisk("size=5m");
        using var place = new Workplace(store: disk.Folder);
        place.WriteNoise("noise", 24 << 20);

        Assert.Equal(FailureKind.TooLittleSpace, Workplace.Failure(place.RunBackup()).Kind);
        Assert.Empty(Workplace.Describe(disk.Folder));
    }

    [MountFact]
    public void A_disk_without_room_for_another_file_is_StoreFull_and_the_store_is_as_it_was()
    {
        for (var inodes = 2; inodes <= 9; inodes++)
        {
            using var disk = new SmallDisk($"size=5m,nr_inodes={inodes}");
            using var place = new Workplace(store: disk.Folder);
            place.Write("a", "1");
            var before = Workplace.Describe(disk.Folder);
            var events = place.RunBackup();
            if (events.OfType<Made>().Any())
            {
                Assert.True(inodes > 5);
                continue;
            }

            Assert.Equal(FailureKind.StoreFull, Workplace.Failure(events).Kind);
            Assert.Equal(before, Workplace.Describe(disk.Folder));
        }
    }

    [MountFact]
    public void A_read_only_disk_is_AccessDenied()
    {
        using var disk = new SmallDisk("size=5m");
        using var place = new Workplace(store: disk.Folder);
        place.Write("a", "1");
        place.BackUp();
        var before = Workplace.Describe(disk.Folder);
        disk.Remount("ro");

        Assert.Equal(FailureKind.AccessDenied, Workplace.Failure(place.RunBackup()).Kind);
        Assert.Equal(before, Workplace.Describe(disk.Folder));
    }
}
