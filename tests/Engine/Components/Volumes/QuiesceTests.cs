using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components.Volumes;
using BotCore.Backup.Engine.Components.Volumes.Quiesce;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.TestServers;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.Volumes;

/// <summary>Containers of a real dockerd that are paused or stopped while what they mount is read, and go on whatever happens.</summary>
public sealed class QuiesceTests : IDisposable
{
    private readonly DockerHost? _docker = DockerHost.MissingHere is null ? new DockerHost() : null;

    private DockerHost Docker => _docker!;

    [DockerTheory]
    [InlineData(QuiesceMode.Pause, "paused")]
    [InlineData(QuiesceMode.Stop, "exited")]
    public void Who_mounts_the_volume_is_quiet_while_it_is_read_and_goes_on(QuiesceMode mode, string meanwhile)
    {
        using var place = NewPlace();
        var running = Docker.Start("app", "redis_data");
        var other = Docker.Start("bystander", "elsewhere");
        var stopped = Docker.Start("stopped", "redis_data");
        Docker.Send("POST", $"containers/{stopped}/kill");
        Docker.Send("POST", $"containers/{stopped}/wait");
        Assert.Equal("exited", Docker.StateOf(stopped));

        foreach (var item in Source(place, mode).Read(default))
        {
            Assert.Equal((meanwhile, "running", "exited"), (Docker.StateOf(running), Docker.StateOf(other), Docker.StateOf(stopped)));
            Assert.Single(Journals(place));
            item.Dispose();
        }

        Assert.Equal(("running", "running", "exited"), (Docker.StateOf(running), Docker.StateOf(other), Docker.StateOf(stopped)));
        Assert.Empty(Journals(place));
        VolumePlace.Item<BotBackup>(place.Run(mode));
        Assert.Contains($"app {(mode == QuiesceMode.Pause ? "paused" : "stopped")} meanwhile", Assert.Single(place.LastPlan).Action, StringComparison.Ordinal);
    }

    [DockerFact]
    public void It_goes_on_where_the_reading_is_given_up()
    {
        using var place = NewPlace();
        var running = Docker.Start("app", "redis_data");

        using (var items = Source(place, QuiesceMode.Pause).Read(default).GetEnumerator())
        {
            Assert.True(items.MoveNext());
            Assert.Equal("paused", Docker.StateOf(running));
        }

        Assert.Equal("running", Docker.StateOf(running));
        Assert.Empty(Journals(place));
    }

    [DockerFact]
    public void A_label_of_the_container_says_it_for_that_one_and_what_was_paused_stays_so()
    {
        using var place = NewPlace();
        var loud = Docker.Start("loud", "redis_data", Labels("none"));
        var stops = Docker.Start("stops", "redis_data", Labels("stop"));
        var paused = Docker.Start("paused", "redis_data");
        Docker.Send("POST", $"containers/{paused}/pause");

        foreach (var item in Source(place, QuiesceMode.Pause).Read(default))
        {
            Assert.Equal(("running", "exited", "paused"), (Docker.StateOf(loud), Docker.StateOf(stops), Docker.StateOf(paused)));
            item.Dispose();
        }

        Assert.Equal(("running", "running", "paused"), (Docker.StateOf(loud), Docker.StateOf(stops), Docker.StateOf(paused)));
    }

    [DockerFact]
    public void A_container_that_restarts_again_and_again_cannot_be_made_quiet()
    {
        using var place = NewPlace();
        var image = Docker.Start("flapping", "redis_data", null, false, "/bin/busybox", "false");
        Docker.Send("POST", $"containers/{image}/wait");
        // It is down; told to be paused it says so.
        using var engine = VolumeEngine.Of(place.Session.Configuration);

        var wrong = Assert.Throws<BackupException>(() => engine.Do("pausing", client => client.Pause(image, default)));

        Assert.Equal(FailureKind.ContainerNotRunning, wrong.Failure.Kind);
    }

    [DockerFact]
    public void A_container_that_a_stop_would_remove_is_not_stopped()
    {
        using var place = NewPlace();
        var running = Docker.Start("fleeting", "redis_data", null, remove: true);

        var failure = VolumePlace.Fails(place.Run(QuiesceMode.Stop), FailureKind.ConfigurationInvalid);

        Assert.Contains("--rm", failure.Message, StringComparison.Ordinal);
        Assert.Equal("running", Docker.StateOf(running));
        Assert.Empty(Journals(place));
    }

    [DockerFact]
    public void A_helper_whose_run_died_is_removed_by_the_next_one_and_that_of_a_living_run_is_not()
    {
        using var place = NewPlace();
        using var living = VolumeEngine.Of(place.Session.Configuration);
        using var helper = HelperContainer.Create(living, living.Volume("redis_data", default), readOnly: true, _ => { }, default);

        VolumePlace.Item<BotBackup>(place.Run());
        Assert.Single(Docker.Containers);

        // As the kernel does for a process that was killed: the lock is gone, the file stays.
        var mark = Assert.Single(Directory.GetFiles(Path.Combine(place.Store, ".botbackup", "alive")));
        File.Delete(mark);
        File.WriteAllText(mark, "");
        var events = place.Run();

        VolumePlace.Item<BotBackup>(events);
        Assert.Empty(Docker.Containers);
        Assert.Contains(events.OfType<Warned>(), one => one.Text.Contains("helper container", StringComparison.Ordinal));
    }

    private VolumePlace NewPlace()
    {
        File.WriteAllText(Path.Combine(Docker.CreateVolume("redis_data"), "file"), "content");
        return new VolumePlace(Docker.Endpoint, "redis_data");
    }

    private static Dictionary<string, string> Labels(string mode) => new(StringComparer.Ordinal) { ["botcore.quiesce"] = mode };

    private static IEntrySource Source(VolumePlace place, QuiesceMode mode) => new VolumeSource(place.Session.Configuration, "redis_data", mode, _ => { });

    private static string[] Journals(VolumePlace place)
    {
        var folder = Path.Combine(place.Store, ".botbackup", "quiesced");
        return Directory.Exists(folder) ? Directory.GetFiles(folder) : [];
    }

    public void Dispose() => _docker?.Dispose();
}
