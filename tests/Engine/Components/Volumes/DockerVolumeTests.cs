using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.TestServers;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.Volumes;

/// <summary>Volumes of a real dockerd: there and back, straight from the Mountpoint and through the archive endpoint.</summary>
public sealed class DockerVolumeTests : IDisposable
{
    private const int Many = 20_000;

    private readonly DockerHost? _docker = DockerHost.MissingHere is null ? new DockerHost() : null;

    private DockerHost Docker => _docker!;

    [DockerFact]
    public void Twenty_thousand_files_come_back_identical_from_the_mountpoint()
    {
        var folder = Docker.CreateVolume("redis_data");
        VolumePlace.Fill(folder, Many);
        using var place = new VolumePlace(Docker.Endpoint, "redis_data");

        var backup = place.BackUp();

        Assert.Contains($"straight from {folder}", Assert.Single(place.LastPlan).Action, StringComparison.Ordinal);
        Assert.Matches(@"^volumes/redis_data_\d{8}_\d{6}\.tar\.gz$", backup.Key);
        place.Prove(backup);
        var restored = VolumePlace.Item<BotBackupRestore>(place.Restore(backup, new RestoreRequest { Volume = "copy" }));
        Assert.Equal(("volume:copy", (BotBackup?)null), (restored.Destination, restored.Snapshot));
        Assert.Equal(VolumePlace.Describe(folder), VolumePlace.Describe(folder.Replace("redis_data", "copy", StringComparison.Ordinal)));
        Assert.Empty(Docker.Containers);
    }

    [DockerFact]
    public void Twenty_thousand_files_come_back_identical_through_the_archive_endpoint()
    {
        var folder = Docker.CreateVolume("redis_data");
        VolumePlace.Fill(folder, Many);
        using var relay = new EngineRelay(Docker.Socket);
        using var place = new VolumePlace(relay.Endpoint, "redis_data");

        var backup = place.BackUp();

        Assert.Contains("through the engine's archive endpoint", Assert.Single(place.LastPlan).Action, StringComparison.Ordinal);
        place.Prove(backup);
        VolumePlace.Item<BotBackupRestore>(place.Restore(backup, new RestoreRequest { Volume = "copy" }));
        Assert.Equal(VolumePlace.Describe(folder, attributes: false), VolumePlace.Describe(folder.Replace("redis_data", "copy", StringComparison.Ordinal), attributes: false));
        Assert.Empty(Docker.Containers);
    }

    [DockerTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_volume_is_emptied_after_a_snapshot_and_the_snapshot_leads_back(bool isRemote)
    {
        var folder = Docker.CreateVolume("redis_data", labels: new Dictionary<string, string>(StringComparer.Ordinal) { ["kept"] = "yes" });
        VolumePlace.Fill(folder, 10);
        using var relay = new EngineRelay(Docker.Socket);
        using var place = new VolumePlace(isRemote ? relay.Endpoint : Docker.Endpoint, "redis_data");
        var backup = place.BackUp();
        var before = VolumePlace.Describe(folder, attributes: false);
        File.WriteAllText(Path.Combine(folder, "later"), "not in the backup");
        Directory.Delete(Path.Combine(folder, "many"), recursive: true);
        var damaged = VolumePlace.Describe(folder, attributes: false);

        var restored = VolumePlace.Item<BotBackupRestore>([.. place.Restore(backup, new RestoreRequest()).Where(one => one is not Made { Item: BotBackup })]);

        Assert.Equal(before, VolumePlace.Describe(folder, attributes: false));
        Assert.Equal((Component.Volume, BackupType.Snapshot), (restored.Snapshot!.Component, restored.Snapshot.Type));
        var back = VolumePlace.Item<BotBackupRestore>(place.Restore(restored.Snapshot, new RestoreRequest { NoSnapshot = true, Force = true }));
        Assert.Equal("volume:redis_data", back.Destination);
        Assert.Equal(damaged, VolumePlace.Describe(folder, attributes: false));
    }

    [DockerFact]
    public void What_reads_empty_at_its_mountpoint_is_read_through_the_engine()
    {
        using var place = new VolumePlace(Docker.Endpoint, "bound, hollow");
        var data = Directory.CreateDirectory(Path.Combine(place.Root, "data")).FullName;
        File.WriteAllText(Path.Combine(data, "file"), "seen only while it is mounted");
        var folder = Docker.CreateVolume("bound", new { type = "none", o = "bind", device = data });
        Docker.CreateVolume("hollow");
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder));

        var made = place.Run().OfType<Made>().Select(one => (BotBackup)one.Item).ToDictionary(one => one.Name, StringComparer.Ordinal);

        Assert.Equal((2, 1), (made["bound"].Entries, made["hollow"].Entries));
        Assert.All(place.LastPlan, step => Assert.Contains("archive endpoint", step.Action, StringComparison.Ordinal));
    }

    [DockerFact]
    public void Labels_say_what_is_backed_up_where_no_name_does()
    {
        Docker.CreateVolume("wanted", labels: new Dictionary<string, string>(StringComparer.Ordinal) { ["botcore.backup"] = "true" });
        Docker.CreateVolume("other");
        using var labelled = new VolumePlace(Docker.Endpoint, "");
        using var all = new VolumePlace(Docker.Endpoint, "*");

        Assert.Equal("wanted", labelled.BackUp().Name);
        Assert.Equal(["other", "wanted"], all.Run().OfType<Made>().Select(one => ((BotBackup)one.Item).Name), StringComparer.Ordinal);
    }

    [DockerFact]
    public void Some_entries_are_restored_beside_what_is_there()
    {
        var folder = Docker.CreateVolume("redis_data");
        VolumePlace.Fill(folder, 10);
        using var place = new VolumePlace(Docker.Endpoint, "redis_data");
        var backup = place.BackUp();
        File.WriteAllText(Path.Combine(folder, "later"), "stays");
        File.Delete(Path.Combine(folder, "big"));

        var restored = VolumePlace.Item<BotBackupRestore>(place.Restore(backup, new RestoreRequest { Include = ["big"] }));

        Assert.True(restored.Partial);
        Assert.Equal(3_000_000, new FileInfo(Path.Combine(folder, "big")).Length);
        Assert.True(File.Exists(Path.Combine(folder, "later")));
    }

    public void Dispose() => _docker?.Dispose();
}
