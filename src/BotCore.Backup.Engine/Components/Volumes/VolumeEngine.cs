using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores.Leases;
using BotCore.Backup.Protocols.DockerEngine;

namespace BotCore.Backup.Engine.Components.Volumes;

/// <summary>The container engine of the settings; what goes wrong there comes as a <see cref="BackupException"/>. Connects at the first call. Thread-safe.</summary>
internal sealed class VolumeEngine : IDisposable
{
    private readonly DockerEngineClient _client;
    private readonly LeaseHolder _holder = LeaseHolder.New(DateTimeOffset.UtcNow);
    private AliveMark? _mark;

    private VolumeEngine(BotBackupConfiguration settings, DockerEngineOptions options, string name) => (Settings, _client, Name) = (settings, new DockerEngineClient(options), name);

    /// <summary>The settings.</summary>
    public BotBackupConfiguration Settings { get; }

    /// <summary>DOCKER_HOST, as it may be shown.</summary>
    public string Name { get; }

    /// <summary>What it is.</summary>
    public EngineFacts Facts => Do("asking what it is", client => client.Facts);

    /// <summary>Whether it is reached through a socket of this machine, and gives this machine's name for its own: a socket may lead elsewhere.</summary>
    public bool IsHere => _client.Options.IsLocal && string.Equals(Facts.Name, Environment.MachineName, StringComparison.Ordinal);

    /// <summary>The engine at DOCKER_HOST.</summary>
    public static VolumeEngine Of(BotBackupConfiguration settings) => At(settings, settings.DockerHost);

    /// <summary>The engine at <paramref name="endpoint"/>, spoken to as the settings say.</summary>
    public static VolumeEngine At(BotBackupConfiguration settings, Uri endpoint)
    {
        var name = SecretUri.Redact(endpoint.OriginalString);
        if (endpoint.Scheme is "ssh")
        {
            throw new BackupException(
                FailureKind.ConfigurationInvalid, $"DOCKER_HOST is {name}, and engines behind ssh are not spoken to.", "Forward its socket with ssh -L /run/engine.sock:/var/run/docker.sock, and name unix:///run/engine.sock.", name);
        }

        var options = new DockerEngineOptions(endpoint) { UseTls = settings.DockerTls, CertificateFolder = settings.DockerCertificates };
        try
        {
            return new VolumeEngine(settings, options, name);
        }
        catch (DockerEngineException wrong)
        {
            throw Failed(wrong, name, "reading its certificates");
        }
    }

    /// <summary>The volume; throws VolumeNotFound.</summary>
    public EngineVolume Volume(string name, CancellationToken token) => Find(name, token) ?? throw Missing(name);

    /// <summary>The volume; null where there is none.</summary>
    public EngineVolume? Find(string name, CancellationToken token) => Do($"looking for volume '{name}'", client => client.FindVolume(name, token));

    /// <summary>The volume was there, and is not, or is another one.</summary>
    public BackupException Vanished(string name) => new(
        FailureKind.VolumeNotFound, $"Volume '{name}' vanished from {Name} while it was used.", "Find out who removed it; nothing of it was kept.", name);

    /// <summary>Containers that run, or are about to, and mount the volume.</summary>
    public IReadOnlyList<EngineContainer> Users(string volume, CancellationToken token) =>
        [.. Do("listing containers", client => client.Containers(token)).Where(one => one.State is "running" or "paused" or "restarting" && Mounts(one, volume))];

    /// <summary>Throws where a container that runs mounts the volume.</summary>
    public void DemandUnused(string volume, CancellationToken token)
    {
        if (Users(volume, token) is not { Count: > 0 } users)
            return;
        var names = string.Join(", ", users.Select(one => one.Name));
        throw new BackupException(
            FailureKind.LiveTargetRefused,
            $"Volume '{volume}' is in use by {names}: what a program has open must not be replaced below it.",
            $"Stop what uses it (docker stop {string.Join(' ', users.Select(one => one.Name))}) and restore again, or restore into another volume with -Destination volume:NAME; nothing was written.",
            volume);
    }

    /// <summary>Whether a container mounts the volume.</summary>
    public static bool Mounts(EngineContainer container, string volume) => container.Mounts.Any(mount => string.Equals(mount.Name, volume, StringComparison.Ordinal) && mount.Type is "volume");

    /// <summary>Runs what speaks to the engine.</summary>
    public T Do<T>(string doing, Func<DockerEngineClient, T> speak)
    {
        try
        {
            return speak(_client);
        }
        catch (DockerEngineException wrong)
        {
            throw Failed(wrong, Name, doing);
        }
    }

    /// <inheritdoc cref="Do{T}"/>
    public void Do(string doing, Action<DockerEngineClient> speak) => Do(doing, client =>
    {
        speak(client);
        return true;
    });

    /// <inheritdoc/>
    public void Dispose()
    {
        _mark?.Dispose();
        _client.Dispose();
    }

    /// <summary>Who makes things there: while this is not disposed, others see that it lives.</summary>
    public LeaseHolder Announce()
    {
        _mark ??= new AliveMark(Settings, _holder.Token);
        return _holder;
    }

    /// <summary>No such volume.</summary>
    public BackupException Missing(string name) => new(
        FailureKind.VolumeNotFound, $"There is no volume '{name}' at {Name}.", "See what there is with docker volume ls, and correct BACKUP_VOLUMES.", name);

    private static BackupException Failed(DockerEngineException wrong, string name, string doing)
    {
        var (kind, advice) = wrong.Error switch
        {
            DockerEngineError.NoEngine => (FailureKind.SourceUnreachable, "Start the Docker Engine (or podman's service), or correct DOCKER_HOST."),
            DockerEngineError.AccessDenied => (FailureKind.AccessDenied, "Run this as root or as a member of the group that owns the socket."),
            DockerEngineError.CertificateRejected => (FailureKind.CertificateRejected, "Correct DOCKER_CERT_PATH (ca.pem, cert.pem, key.pem), or the engine's certificate."),
            DockerEngineError.VersionUnsupported => (FailureKind.ServerUnsupported, "Update the engine, or this module."),
            DockerEngineError.NotRunning => (FailureKind.ContainerNotRunning, "Look at it with docker ps -a, and run this again."),
            _ => (FailureKind.SourceUnreachable, "Look at the engine and its log, and run this again."),
        };
        return new BackupException(kind, $"{wrong.Message.TrimEnd('.')} ({doing}).", advice, name, wrong);
    }
}
