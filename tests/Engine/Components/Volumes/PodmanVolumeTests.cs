using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components.Volumes.Quiesce;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Engine.Tests.Outside;
using BotCore.Backup.TestServers;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.Volumes;

/// <summary>The same of podman's service.</summary>
public sealed class PodmanVolumeTests : IDisposable
{
    private readonly PodmanHost? _podman = PodmanHost.MissingHere is null ? new PodmanHost() : null;

    private PodmanHost Podman => _podman!;

    [PodmanFact]
    public void Twenty_thousand_files_come_back_identical_from_the_mountpoint()
    {
        var folder = Podman.CreateVolume("redis_data");
        VolumePlace.Fill(folder, 20_000);
        using var place = new VolumePlace(Podman.Endpoint, "redis_data");

        var backup = place.BackUp();

        Assert.Contains($"straight from {folder}", Assert.Single(place.LastPlan).Action, StringComparison.Ordinal);
        place.Prove(backup);
        VolumePlace.Item<BotBackupRestore>(place.Restore(backup, new RestoreRequest { Volume = "copy" }));
        Assert.Equal(VolumePlace.Describe(folder), VolumePlace.Describe(folder.Replace("redis_data", "copy", StringComparison.Ordinal)));
        Assert.Empty(Podman.Containers);
    }

    [PodmanFact]
    public void Through_the_archive_endpoint_all_but_owners_comes_back_and_that_is_said()
    {
        var folder = Podman.CreateVolume("redis_data");
        VolumePlace.Fill(folder, 200);
        // podman rounds times to seconds, up as well as down.
        Shell.Run("find", folder, "-depth", "-exec", "touch", "-h", "-d", "@1600000000", "{}", ";");
        using var relay = new EngineRelay(Podman.Socket);
        using var place = new VolumePlace(relay.Endpoint, "redis_data");

        var events = place.Run();
        var backup = VolumePlace.Item<BotBackup>(events);

        Assert.Contains(events.OfType<Warned>(), one => one.Text.Contains("no owners", StringComparison.Ordinal));
        place.Prove(backup);
        var restored = VolumePlace.Item<BotBackupRestore>(place.Restore(backup, new RestoreRequest { Volume = "copy" }));
        Assert.NotEmpty(restored.Warnings);
        Assert.Equal(
            VolumePlace.Describe(folder, owners: false, attributes: false), VolumePlace.Describe(folder.Replace("redis_data", "copy", StringComparison.Ordinal), owners: false, attributes: false));
        Assert.Empty(Podman.Containers);
    }

    [PodmanFact]
    public void A_volume_that_only_a_driver_mounts_is_not_believed_to_be_empty()
    {
        using var place = new VolumePlace(Podman.Endpoint, "bound");
        var data = Directory.CreateDirectory(Path.Combine(place.Root, "data")).FullName;
        File.WriteAllText(Path.Combine(data, "file"), "seen only while it is mounted");
        Podman.CreateVolume("bound", new { type = "none", o = "bind", device = data });

        Assert.Contains("not proven", VolumePlace.Fails([.. place.Run().Where(one => one is not Warned)], FailureKind.SourceUnreachable).Message, StringComparison.Ordinal);
    }

    [PodmanFact]
    public void A_container_is_paused_and_goes_on()
    {
        File.WriteAllText(Path.Combine(Podman.CreateVolume("redis_data"), "file"), "content");
        var running = Podman.Start("app", "redis_data");
        using var place = new VolumePlace(Podman.Endpoint, "redis_data");

        var events = place.Run(QuiesceMode.Pause);

        VolumePlace.Item<BotBackup>(events);
        Assert.Contains(events.OfType<Said>(), one => one.Text.Contains("'app' is paused", StringComparison.Ordinal));
        Assert.Equal("running", Podman.StateOf(running));
    }

    public void Dispose() => _podman?.Dispose();
}
