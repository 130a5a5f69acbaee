using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Components.Files;
using BotCore.Backup.Engine.Components.Volumes.Quiesce;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Outside.Posix;

namespace BotCore.Backup.Engine.Components.Volumes;

/// <summary>Reads a volume in the best way there is when it begins; containers that mount it are quiet as long as it is read, where that is asked for.</summary>
internal sealed class VolumeSource(BotBackupConfiguration settings, string name, QuiesceMode quiesce, Action<BackupEvent> tell) : IEntrySource
{
    /// <summary>Of an increment what reads the changes, in place of all that is there.</summary>
    public IEntrySource? Changes { get; init; }

    /// <summary>The folder that <see cref="Changes"/> reads.</summary>
    public string? Folder { get; init; }

    /// <inheritdoc/>
    public Manifest Describe(Manifest manifest) => Changes?.Describe(manifest) ?? manifest;

    /// <inheritdoc/>
    public IEnumerable<SourceItem> Read(CancellationToken token)
    {
        using var engine = VolumeEngine.Of(settings);
        HelperContainer.Sweep(engine, tell, token);
        var volume = engine.Volume(name, token);
        using var quiet = QuietContainers.Begin(engine, settings, [name], quiesce, tell, token);
        var way = VolumeWay.ToRead(engine, volume);
        tell(new Said($"Volume '{name}' is read {way.Describe(engine.Facts)}."));
        if (Changes is not null && !string.Equals(way.Mountpoint, Folder, StringComparison.Ordinal))
            throw new BackupException(FailureKind.SourceUnreachable, $"Volume '{name}' was to be read straight from {Folder}, and cannot be by now: it is read {way.Describe(engine.Facts)}.", "Make a full backup of it.", name);
        if (way.Mountpoint is { } folder)
        {
            var identity = IdentityOf(folder);
            foreach (var item in (Changes ?? new FileTreeSource(new FileTreeScope(new EntryPath(folder)) { Setting = "BACKUP_VOLUMES" })).Read(token))
                yield return item;
            if (engine.Find(name, token) is null || IdentityOf(folder) != identity)
                throw engine.Vanished(name);
            yield break;
        }

        if (engine.Facts.IsPodman)
            tell(new Warned($"podman tells no owners through its archive endpoint: all that is in volume '{name}' stands in the archive as root's. Run the backup as root on the machine of the engine to keep them."));
        foreach (var item in new VolumeArchiveSource(engine, volume, tell).Read(token))
            yield return item;
    }

    private static FileIdentity? IdentityOf(string folder) =>
        Syscalls.Status(Syscalls.CurrentFolder, DurableFile.Terminated(folder), follow: true, out var status) < 0 ? null : status.Identity;
}
