using System.Net.Sockets;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Components.Volumes;
using BotCore.Backup.Engine.Components.Volumes.Quiesce;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.TestServers;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.Volumes;

/// <summary>What can be wrong with an engine, and what is said of it.</summary>
public sealed class VolumeFailureTests
{
    [Fact]
    public void Without_an_engine_the_source_is_unreachable()
    {
        using var place = new VolumePlace("unix:///absent/engine.sock", "redis_data");

        var failure = VolumePlace.Fails(place.Run(), FailureKind.SourceUnreachable);

        Assert.Contains("/absent/engine.sock", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Start", failure.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public void A_socket_that_nobody_listens_on_is_no_engine()
    {
        var folder = Directory.CreateTempSubdirectory("dead-");
        var path = Path.Combine(folder.FullName, "s");
        using (var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            socket.Bind(new UnixDomainSocketEndPoint(path));
            using var place = new VolumePlace("unix://" + path, "redis_data");
            VolumePlace.Fails(place.Run(), FailureKind.SourceUnreachable);
        }

        folder.Delete(recursive: true);
    }

    [DockerFact]
    public void Names_images_and_users_that_are_wrong_are_said()
    {
        using var docker = new DockerHost(withImage: false);
        var folder = docker.CreateVolume("redis_data");
        using var relay = new EngineRelay(docker.Socket);
        using var missing = new VolumePlace(docker.Endpoint, "no_such");
        using var place = new VolumePlace(relay.Endpoint, "redis_data");
        File.WriteAllText(Path.Combine(folder, "file"), "content");

        VolumePlace.Fails(missing.Run(), FailureKind.VolumeNotFound);
        // No image is there: an empty one is imported.
        var backup = place.BackUp();
        docker.ImportBusybox();
        var user = docker.Start("app", "redis_data");
        var inUse = Assert.Throws<BackupException>(() => place.Restore(backup, new RestoreRequest())).Failure;
        Assert.Equal(FailureKind.LiveTargetRefused, inUse.Kind);
        Assert.Contains("docker stop app", inUse.Advice, StringComparison.Ordinal);

        // Stopped, it holds the volume still, which through the engine alone can be emptied only by removing it.
        docker.Send("POST", $"containers/{user}/kill");
        docker.Send("POST", $"containers/{user}/wait");
        var held = Assert.Single(place.Restore(backup, new RestoreRequest()).OfType<Failed>()).Failure;
        Assert.Equal(FailureKind.LiveTargetRefused, held.Kind);
        Assert.Equal("content", File.ReadAllText(Path.Combine(folder, "file")));
    }

    [DockerTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_volume_that_vanishes_leaves_no_backup(bool isRemote)
    {
        using var docker = new DockerHost();
        File.WriteAllText(Path.Combine(docker.CreateVolume("redis_data"), "file"), "content");
        using var relay = new EngineRelay(docker.Socket);
        using var place = new VolumePlace(isRemote ? relay.Endpoint : docker.Endpoint, "redis_data");
        IEntrySource source = new VolumeSource(place.Session.Configuration, "redis_data", QuiesceMode.None, _ => { });

        if (isRemote)
        {
            // Gone, and made anew by the engine itself when a container names it.
            using var engine = VolumeEngine.Of(place.Session.Configuration);
            var known = engine.Volume("redis_data", default) with { CreatedAt = "2001-01-01T00:00:00Z" };
            docker.Send("DELETE", "volumes/redis_data");
            Assert.Equal(FailureKind.VolumeNotFound, Assert.Throws<BackupException>(() => new VolumeArchiveSource(engine, known, _ => { }).Read(default).Count()).Failure.Kind);
            return;
        }

        using var items = source.Read(default).GetEnumerator();
        Assert.True(items.MoveNext());
        docker.Send("DELETE", "volumes/redis_data");
        Assert.Equal(FailureKind.VolumeNotFound, Assert.Throws<BackupException>(() =>
        {
            while (items.MoveNext())
            {
            }
        }).Failure.Kind);
        VolumePlace.Fails(place.Run(), FailureKind.VolumeNotFound);
    }
}
