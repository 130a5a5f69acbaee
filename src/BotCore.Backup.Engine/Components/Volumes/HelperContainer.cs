using System.Text;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Archives.Tar;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores.Leases;
using BotCore.Backup.Protocols.DockerEngine;

namespace BotCore.Backup.Engine.Components.Volumes;

/// <summary>A container that is made to have a volume mounted, and is never started. Removed when disposed; by the next run where this process is killed. One thread.</summary>
internal sealed class HelperContainer : IDisposable
{
    /// <summary>Where the volume is mounted; no image has such a folder, whose content the engine would copy into an empty volume.</summary>
    public const string Folder = "botcore-backup-volume";

    private const string Label = "botcore.backup.helper";
    private const string Image = "localhost/botcore-backup-helper:1";

    private readonly VolumeEngine _engine;
    private readonly Action<BackupEvent> _tell;

    private HelperContainer(VolumeEngine engine, string id, Action<BackupEvent> tell) => (_engine, Id, _tell) = (engine, id, tell);

    /// <summary>The container.</summary>
    public string Id { get; }

    /// <summary>Makes one for a volume that is there, and pins it by that: what a container holds cannot be removed.</summary>
    public static HelperContainer Create(VolumeEngine engine, EngineVolume volume, bool readOnly, Action<BackupEvent> tell, CancellationToken token)
    {
        var labels = new Dictionary<string, string>(StringComparer.Ordinal) { [Label] = Encoding.UTF8.GetString(engine.Announce().ToJson()) };
        // The smallest: some storage drivers copy it.
        var image = FindImage(engine, token) ?? Import(engine, token);
        var id = engine.Do("making a helper container", client => client.CreateContainer(image, volume.Name, "/" + Folder, readOnly, labels, token));
        return new HelperContainer(engine, id, tell);
    }

    /// <summary>Removes helpers of runs that were killed.</summary>
    public static void Sweep(VolumeEngine engine, Action<BackupEvent> tell, CancellationToken token)
    {
        foreach (var container in engine.Do("listing containers", client => client.Containers(token)))
        {
            if (!container.Labels.TryGetValue(Label, out var json) || container.State is not "created" || LeaseHolder.Parse(Encoding.UTF8.GetBytes(json)) is not { } holder)
                continue;
            // A mark that is missing is in another platform's BACKUP_DIR.
            if (!(AliveMark.IsDead(engine.Settings, holder.Token) ?? holder.IsGone()))
                continue;
            engine.Do("removing a helper container", client => client.RemoveContainer(container.Id, token));
            AliveMark.Remove(engine.Settings, holder.Token);
            tell(new Warned($"A helper container that a killed run ({holder}) had left at {engine.Name} was removed."));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            _engine.Do("removing a helper container", client => client.RemoveContainer(Id, CancellationToken.None));
        }
        catch (BackupException wrong)
        {
            _tell(new Warned($"The helper container {Id[..Math.Min(12, Id.Length)]} could not be removed; the next run does it. {wrong.Message}"));
        }
    }

    private static string? FindImage(VolumeEngine engine, CancellationToken token) =>
        engine.Do("listing images", client => client.Images(token)).Where(image => image.Id.Length > 0).MinBy(image => image.Size)?.Id;

    private static string Import(VolumeEngine engine, CancellationToken token)
    {
        // Not even one entry short: engines refuse a tar without any.
        var tar = new System.Buffers.ArrayBufferWriter<byte>();
        new TarHeaderWriter().Write(new ArchiveEntry { Path = new EntryPath("empty"), Kind = EntryKind.Directory, Mode = 0x1ED }, tar);
        TarHeaderWriter.WriteEnd(tar.WrittenCount, tar);
        BackupException? refused = null;
        try
        {
            engine.Do("importing an empty image", client => client.ImportImage(Image[..Image.LastIndexOf(':')], tar.WrittenSpan.ToArray(), token));
        }
        catch (BackupException wrong) when (wrong.Failure.Kind is not FailureKind.AccessDenied)
        {
            refused = wrong;
        }

        return FindImage(engine, token) ?? throw new BackupException(
            FailureKind.SourceUnreachable,
            $"{engine.Name} has no image that a helper container could be made of, and took none.{(refused is null ? "" : " " + refused.Message)}",
            "Pull any image there, such as docker pull busybox; it is never started.",
            engine.Name,
            refused);
    }
}
