using System.Diagnostics;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components.Volumes;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.DockerEngine;

namespace BotCore.Backup.Engine.Restores;

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
        var reading = new ArchiveReading(session, _backup, step.Files, _selection, tell);
        var survey = reading.Survey(step.Request.AllowDevices, long.MaxValue, _ => null, token);
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
            return Write(reading, survey, snapshot, clock, token);
        }
        catch (BackupException wrong) when (snapshot is not null)
        {
            throw RestoreJob.WithWayBack(wrong, snapshot);
        }
    }

    private BotBackupRestore Write(ArchiveReading reading, RestoreSurvey survey, BotBackup? snapshot, Stopwatch clock, CancellationToken token)
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
                reading.Fill(writer, progress, step.Destination, token);
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
            Partial = reading.IsPartial,
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
