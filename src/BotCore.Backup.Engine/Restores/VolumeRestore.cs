using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Components.Volumes;
using BotCore.Backup.Engine.Components.Volumes.Quiesce;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.DockerEngine;

namespace BotCore.Backup.Engine.Restores;

/// <summary>One restore into a volume under way: proven, what is in the volume kept in a snapshot, emptied, written, read back and compared. One thread.</summary>
internal sealed class VolumeRestore(BackupSession session, RestoreStep step, Action<BackupEvent> tell)
{
    private readonly BotBackup _backup = step.Backup;
    private readonly string _name = step.Volume!;
    private readonly bool _whole = step.Filter.IsEverything;

    public BotBackupRestore Run(CancellationToken token)
    {
        using var engine = VolumeEngine.Of(session.Configuration);
        HelperContainer.Sweep(engine, tell, token);
        engine.DemandUnused(_name, token);
        var volume = engine.Find(_name, token);
        // A volume that is made for a restore which then is none stays behind empty, and says nothing wrong.
        var target = volume ?? Make(engine, token);
        var way = VolumeWay.ToWrite(engine, target);
        tell(new Said($"Volume '{_name}' is written {way.Describe(engine.Facts)}."));
        if (way.Mountpoint is not { } folder)
            return new VolumeArchiveRestore(session, step, engine, target, tell) { Snapshot = () => TakeSnapshot(token) }.Run(token);

        var inner = new RestoreStep(_backup, folder, step.Request, step.Action) { Files = step.Files };
        var result = new RestoreJob(session, inner, tell) { Replace = _whole ? () => Empty(folder, engine, token) : null, Origin = VolumeName.RootOf(_name) }.Run(token);
        if (engine.Find(_name, token) is null)
            throw engine.Vanished(_name);
        return result with { Destination = step.Destination };
    }

    private EngineVolume Make(VolumeEngine engine, CancellationToken token)
    {
        var none = new Dictionary<string, string>(StringComparer.Ordinal);
        var made = engine.Do($"making volume '{_name}'", client => client.CreateVolume(_name, "local", none, none, token));
        tell(new Said($"Volume '{_name}' was made at {engine.Name}; driver options and labels that it once had are not in a backup."));
        return made;
    }

    private BotBackup? Empty(string folder, VolumeEngine engine, CancellationToken token)
    {
        if (!Directory.EnumerateFileSystemEntries(folder).Any())
            return null;
        DemandMayReplace(step);
        var snapshot = step.Request.NoSnapshot ? null : TakeSnapshot(token);
        try
        {
            engine.DemandUnused(_name, token);
            FolderEmptier.Empty(folder, token);
        }
        catch (BackupException wrong) when (snapshot is not null)
        {
            throw RestoreJob.WithWayBack(wrong, snapshot);
        }

        tell(new Said($"Volume '{_name}' was emptied."));
        return snapshot;
    }

    internal static void DemandMayReplace(RestoreStep step)
    {
        if (step.Request is { NoSnapshot: true, Force: false })
        {
            throw new BackupException(
                FailureKind.DestinationNotEmpty, $"Volume '{step.Volume}' is not empty, and -NoSnapshot keeps no copy of what is in it.", "Leave -NoSnapshot out, or add -Force.", step.Destination);
        }
    }

    private BotBackup TakeSnapshot(CancellationToken token)
    {
        var source = new VolumeSource(session.Configuration, _name, QuiesceMode.None, tell);
        var job = new ArchiveJob(Component.Volume, "pre_restore", BackupType.Snapshot, (_, _) => source, VolumeName.RootOf(_name), 0);
        var snapshot = BackupRunner.NewMaker(session, session.Local, tell).Make(job, session.RunId, token);
        tell(new Said($"What is in volume '{_name}' is safe in {snapshot.Location}."));
        return snapshot;
    }
}
