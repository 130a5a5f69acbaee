using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.DockerEngine;

namespace BotCore.Backup.Engine.Components.Volumes.Quiesce;

/// <summary>Containers that are quiet until this is disposed: whatever happens, they go on then. Only what ran is paused or stopped, and only that is started. One thread.</summary>
internal sealed class QuietContainers : IDisposable
{
    private const string Label = "botcore.quiesce";

    private readonly VolumeEngine _engine;
    private readonly Action<BackupEvent> _tell;
    private readonly QuiesceJournal _journal;
    private readonly List<QuietContainer> _quiet = [];

    private QuietContainers(VolumeEngine engine, BotBackupConfiguration settings, Action<BackupEvent> tell) => (_engine, _tell, _journal) = (engine, tell, new QuiesceJournal(settings));

    /// <summary>Makes those quiet that run and mount one of the volumes.</summary>
    public static QuietContainers Begin(VolumeEngine engine, BotBackupConfiguration settings, IReadOnlyList<string> volumes, QuiesceMode mode, Action<BackupEvent> tell, CancellationToken token)
    {
        var quiet = new QuietContainers(engine, settings, tell);
        try
        {
            foreach (var (container, wanted) in volumes.SelectMany(volume => Plan(engine, volume, mode, token)).DistinctBy(one => one.Container.Id, StringComparer.Ordinal).ToList())
                quiet.Add(container, wanted, volumes.Count, token);
            return quiet;
        }
        catch
        {
            quiet.Dispose();
            throw;
        }
    }

    /// <summary>Which containers are made quiet, and how.</summary>
    public static IReadOnlyList<(EngineContainer Container, QuiesceMode Mode)> Plan(VolumeEngine engine, string volume, QuiesceMode mode, CancellationToken token) =>
        [.. engine.Users(volume, token).Where(one => one.State is not "paused").Select(one => (one, ModeOf(one, mode))).Where(one => one.Item2 != QuiesceMode.None)];

    /// <summary>Lets a container go on; what it does now, or null where there was nothing to do.</summary>
    public static string? GoOn(VolumeEngine engine, QuietContainer container, CancellationToken token)
    {
        var before = Find(engine, container.Id, token);
        var isPause = container.Mode == QuiesceMode.Pause;
        if (before is null || (isPause ? before.State is not "paused" : before.State is not ("exited" or "created")))
            return null;
        engine.Do($"letting container '{container.Name}' go on", client =>
        {
            if (isPause)
                client.Unpause(container.Id, token);
            else
                client.Start(container.Id, token);
        });
        if (Find(engine, container.Id, token) is not { State: "running" or "restarting" })
        {
            throw new BackupException(
                FailureKind.ContainerNotRunning, $"Container '{container.Name}' was told to go on, and does not run.", $"Look at its log: docker logs {container.Name}.", container.Name);
        }

        return "runs again";
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        var all = true;
        foreach (var container in Enumerable.Reverse(_quiet))
        {
            try
            {
                if (GoOn(_engine, container, CancellationToken.None) is { } state)
                    _tell(new Said($"Container '{container.Name}' {state}."));
            }
            catch (BackupException wrong)
            {
                all = false;
                _tell(new Failed(wrong.Failure with { Message = $"Container '{container.Name}' was {(container.Mode == QuiesceMode.Pause ? "paused" : "stopped")} for the backup and is so still: {wrong.Message}" }));
            }
        }

        _journal.End(all);
        _quiet.Clear();
    }

    private void Add(EngineContainer container, QuiesceMode mode, int volumes, CancellationToken token)
    {
        if (container.State is "restarting")
            throw NotRunning(container, mode, "it is restarting");
        if (mode == QuiesceMode.Stop && _engine.Do($"looking at container '{container.Name}'", client => client.IsRemovedWhenStopped(container.Id, token)))
        {
            throw new BackupException(
                FailureKind.ConfigurationInvalid, $"Container '{container.Name}' was started with --rm: stopping it would remove it.", $"Use -Quiesce Pause, or give it the label {Label}=pause.", container.Name);
        }

        var quiet = new QuietContainer(container.Id, container.Name, mode);
        _journal.Add(quiet);
        _quiet.Add(quiet);
        try
        {
            _engine.Do($"making container '{container.Name}' quiet", client =>
            {
                if (mode == QuiesceMode.Pause)
                    client.Pause(container.Id, token);
                else
                    client.Stop(container.Id, token);
            });
        }
        catch (BackupException wrong) when (wrong.Failure.Kind == FailureKind.ContainerNotRunning)
        {
            throw NotRunning(container, mode, wrong.Message);
        }

        _tell(new Said($"Container '{container.Name}' is {(mode == QuiesceMode.Pause ? "paused" : "stopped")} while {(volumes == 1 ? "the volume is" : "volumes are")} read."));
    }

    private static EngineContainer? Find(VolumeEngine engine, string id, CancellationToken token) =>
        engine.Do("listing containers", client => client.Containers(token)).FirstOrDefault(one => string.Equals(one.Id, id, StringComparison.Ordinal));

    private static QuiesceMode ModeOf(EngineContainer container, QuiesceMode mode)
    {
        if (!container.Labels.TryGetValue(Label, out var text))
            return mode;
        return Enum.TryParse<QuiesceMode>(text, ignoreCase: true, out var own) && Enum.IsDefined(own) ? own : throw new BackupException(
            FailureKind.ConfigurationInvalid, $"Container '{container.Name}' has the label {Label}={text}.", "Make it none, pause or stop.", container.Name);
    }

    private static BackupException NotRunning(EngineContainer container, QuiesceMode mode, string why) => new(
        FailureKind.ContainerNotRunning,
        $"Container '{container.Name}' was to be {(mode == QuiesceMode.Pause ? "paused" : "stopped")} while its volume is read, and does not run: {why.TrimEnd('.')}.",
        $"Look at it with docker ps -a and docker logs {container.Name}; stop it or get it to run, and back up again.",
        container.Name);
}
