using System.Diagnostics;
using BotCore.Backup.Engine.Archives;
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
        DemandMayReplace();
        var snapshot = step.Request.NoSnapshot ? null : TakeSnapshot(token);
        engine.DemandUnused(_name, token);
        FolderEmptier.Empty(folder, token);
        tell(new Said($"Volume '{_name}' was emptied."));
        return snapshot;
    }

    internal void DemandMayReplace() => DemandMayReplace(step);

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
        var snapshot = BackupRunner.NewMaker(session, session.Local, tell).Make(job, BackupRunner.NewRunId(), token);
        tell(new Said($"What is in volume '{_name}' is safe in {snapshot.Location}."));
        return snapshot;
    }
}

/// <summary>The way of <see cref="VolumeRestore"/> where the volume is no folder of this machine: a tar sent to the engine.</summary>
internal sealed class VolumeArchiveRestore(BackupSession session, RestoreStep step, VolumeEngine engine, EngineVolume volume, Action<BackupEvent> tell)
{
    private readonly BotBackup _backup = step.Backup;
    private readonly RestoreSelection _selection = new(step.Filter);
    private readonly List<string> _warnings = [];
    private EngineVolume _volume = volume;

    /// <summary>Keeps what is in the volume.</summary>
    public required Func<BotBackup> Snapshot { get; init; }

    public BotBackupRestore Run(CancellationToken token)
    {
        var clock = Stopwatch.StartNew();
        var partial = !_selection.IsEverything && _backup.Manifest is { Encryption: not Encryption.Recipients };
        var reading = new ArchiveReading(session, _backup, step.Files, _selection, tell);
        var survey = reading.Survey(partial, step.Request.AllowDevices, long.MaxValue, _ => null, token);
        var isEmpty = IsEmpty(token);
        BotBackup? snapshot = null;
        if (!isEmpty)
        {
            VolumeRestore.DemandMayReplace(step);
            snapshot = step.Request.NoSnapshot ? null : Snapshot();
        }

        try
        {
            if (!isEmpty && _selection.IsEverything)
                Renew(token);
            return Write(reading, survey, snapshot, partial, clock, token);
        }
        catch (BackupException wrong) when (snapshot is not null)
        {
            throw new BackupException(wrong.Failure with { Advice = $"{wrong.Failure.Advice} What stood there before is in {snapshot.Location}: restore that to undo what was written." });
        }
    }

    private BotBackupRestore Write(ArchiveReading reading, RestoreSurvey survey, BotBackup? snapshot, bool partial, Stopwatch clock, CancellationToken token)
    {
        var isPodman = engine.Facts.IsPodman;
        var proof = new RestoreProof { Compared = attribute => !isPodman && attribute.Name is "security.capability" };
        using var progress = new RunProgress($"Restoring {_backup.Key}", survey.Bytes, tell);
        RestoreCounts counts;
        using (var helper = HelperContainer.Create(engine, _volume, readOnly: false, tell, token))
        {
            using var writer = new TarVisitor(_selection, proof, isPodman ? "" : HelperContainer.Folder);
            // docker keeps the setuid bit of a file with several names only where the tar begins above the mount; podman misses the mount there.
            engine.Do($"writing volume '{_volume.Name}'", client => client.PutArchive(helper.Id, isPodman ? "/" + HelperContainer.Folder : "/", output =>
            {
                writer.Begin(output);
                reading.Fill(writer, partial, progress, step.Destination, token);
                writer.End();
            }, token));
            counts = writer.Counts;
            if (writer.HasAcls)
                Warn($"The engine keeps no ACLs: those in '{_backup.Key}' are not in volume '{_volume.Name}'.");
        }

        if (isPodman)
            Warn($"podman does not tell the owners of what is in volume '{_volume.Name}': that they are those of the archive could not be compared.");
        proof.Demand(new VolumeArchiveSource(engine, _volume, tell), step.Destination, exact: !isPodman, done => progress.Move(done, () => "reading back"), token);
        tell(new Said("All that was written was read back through the engine and is what the archive holds, but for attributes, which it does not tell."));
        return new BotBackupRestore
        {
            Backup = _backup,
            Destination = step.Destination,
            Outcome = Outcome.Succeeded,
            Partial = partial,
            Snapshot = snapshot,
            Counts = counts,
            Duration = clock.Elapsed,
            Warnings = _warnings,
        };
    }

    private bool IsEmpty(CancellationToken token)
    {
        using var items = new VolumeArchiveSource(engine, _volume, tell).Read(token).GetEnumerator();
        return !items.MoveNext() || !items.MoveNext();
    }

    // The API removes no files: a volume is emptied by being made anew.
    private void Renew(CancellationToken token)
    {
        engine.DemandUnused(_volume.Name, token);
        var holders = engine.Do("listing containers", client => client.Containers(token)).Where(one => VolumeEngine.Mounts(one, _volume.Name)).Select(one => one.Name).ToList();
        if (holders.Count > 0)
        {
            throw new BackupException(
                FailureKind.LiveTargetRefused,
                $"Volume '{_volume.Name}' is held by {string.Join(", ", holders)}, and through the engine alone a volume can be emptied only by removing it.",
                $"Remove those containers (docker rm {string.Join(' ', holders)}) or run this on the engine's machine; or restore into another volume with -Destination volume:NAME.",
                _volume.Name);
        }

        engine.Do($"removing volume '{_volume.Name}'", client => client.RemoveVolume(_volume.Name, token));
        _volume = engine.Do($"making volume '{_volume.Name}'", client => client.CreateVolume(_volume.Name, _volume.Driver, _volume.Labels, _volume.Options, CancellationToken.None));
        if (!IsEmpty(token))
        {
            throw new BackupException(
                FailureKind.DestinationNotEmpty, $"Volume '{_volume.Name}' was made anew and is not empty: its driver keeps what it had.", "Empty it by hand, or restore into another volume with -Destination volume:NAME.", _volume.Name);
        }

        tell(new Said($"Volume '{_volume.Name}' was made anew, with the driver, the options and the labels that it had."));
    }

    private void Warn(string text)
    {
        _warnings.Add(text);
        tell(new Warned(text));
    }
}
