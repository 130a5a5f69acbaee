using System.Diagnostics;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Components.Files;
using BotCore.Backup.Engine.Components.Volumes.Quiesce;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Outside.Posix;
using BotCore.Backup.Engine.Stores.Leases;

namespace BotCore.Backup.Engine.Restores;

/// <summary>
/// Runs restore steps. Nothing is written before the whole archive (or, for a selection, its index) was proven and what would be overwritten is safe in a snapshot.
/// Each step becomes a <see cref="Made"/> with its BotBackupRestore, or a <see cref="Failed"/>.
/// </summary>
public static class RestoreRunner
{
    /// <summary>Runs <paramref name="steps"/> one after the other.</summary>
    public static IAsyncEnumerable<BackupEvent> Run(BackupSession session, IReadOnlyList<RestoreStep> steps, CancellationToken token) =>
        EventRun.Start("restore", (tell, stop) =>
        {
            QuiesceJournal.Repair(session.Configuration, tell, stop);
            foreach (var step in steps)
            {
                using var mark = IsShared(session, step.Backup) ? ReadMark.Leave(step.Backup.Source, tell, stop) : null;
                try
                {
                    var result = step.Server is not null ? new DatabaseRestore(session, step, tell).Run(stop)
                        : step.Volume is not null ? new VolumeRestore(session, step, tell).Run(stop)
                        : new RestoreJob(session, step, tell).Run(stop);
                    RestoreEvidence.Record(session, step, result, tell);
                    tell(new Made(result));
                }
                catch (BackupException wrong) when (wrong.Failure.Kind is not (FailureKind.PassphraseMissing or FailureKind.PassphraseTooOpen))
                {
                    RestoreEvidence.Record(session, step, wrong.Failure, tell);
                    tell(new Failed(wrong.Failure));
                }
            }
        }, token);

    // Only where clean-ups come: a file on somebody's stick gets no mark beside it.
    private static bool IsShared(BackupSession session, BotBackup backup) => backup.PlainDump is null && session.Configuration.EnabledStores.Contains(backup.Source.Name, StringComparer.OrdinalIgnoreCase);
}

/// <summary>One restore under way. One thread.</summary>
internal sealed class RestoreJob
{
    private readonly BackupSession _session;
    private readonly RestoreStep _step;
    private readonly Action<BackupEvent> _tell;
    private readonly BotBackup _backup;
    private readonly RestoreSelection _selection;
    private readonly ArchiveReading _reading;

    public RestoreJob(BackupSession session, RestoreStep step, Action<BackupEvent> tell)
    {
        (_session, _step, _tell, _backup) = (session, step, tell, step.Backup);
        _selection = new RestoreSelection(step.Filter);
        _reading = new ArchiveReading(session, _backup, step.Files, _selection, tell);
    }

    /// <summary>Empties the destination once the archive is proven, and gives the snapshot of what was in it; null where what stands there stays, but for what is overwritten.</summary>
    public Func<BotBackup?>? Replace { get; init; }

    /// <summary>What a snapshot says it was taken of; null for the destination.</summary>
    public EntryPath? Origin { get; init; }

    public BotBackupRestore Run(CancellationToken token)
    {
        var clock = Stopwatch.StartNew();
        var survey = Survey(token);
        var snapshot = Replace is null ? TakeSnapshot(survey, token) : Replace();

        try
        {
            return Write(survey, snapshot, clock, token);
        }
        catch (BackupException wrong) when (snapshot is not null)
        {
            throw WithWayBack(wrong, snapshot);
        }
    }

    /// <summary>The same failure, which also says where what stood there before is: the way back must not be hidden behind what went wrong.</summary>
    internal static BackupException WithWayBack(BackupException wrong, BotBackup snapshot) =>
        new(wrong.Failure with { Advice = $"{wrong.Failure.Advice} What stood there before is in {snapshot.Location}: restore that to undo what was done." });

    private BotBackupRestore Write(RestoreSurvey survey, BotBackup? snapshot, Stopwatch clock, CancellationToken token)
    {
        using var tree = new FileTreeWriter(new EntryPath(_step.Destination), allowDevices: _step.Request.AllowDevices);
        using var writer = new RestoreWriter(tree, _selection);
        using var progress = new RunProgress($"Restoring {_backup.Key}", survey.Bytes, _tell);
        _reading.Fill(writer, progress, _step.Destination, token);
        tree.Finish();
        tree.SyncAll();
        foreach (var warning in tree.Warnings)
            _tell(new Warned(warning));
        writer.Proof.Demand(new EntryPath(_step.Destination), exact: tree.Warnings.Count == 0, done => progress.Move(done, () => "reading back"), token);
        _tell(new Said("All that was written was read back and is what the archive holds."));
        return new BotBackupRestore
        {
            Backup = _backup,
            Destination = _step.Destination,
            Outcome = Outcome.Succeeded,
            Partial = _reading.IsPartial,
            Snapshot = snapshot,
            Counts = writer.Counts(survey.Overwritten.Count),
            Duration = clock.Elapsed,
            Warnings = [.. tree.Warnings],
        };
    }

    private RestoreSurvey Survey(CancellationToken token)
    {
        using var standing = Directory.Exists(_step.Destination) ? new FileTreeWriter(new EntryPath(_step.Destination)) : null;
        var survey = _reading.Survey(_step.Request.AllowDevices, FreeSpace(), path => standing?.KindOf(path), token);
        if (survey.Overwritten.Count > 0 && _step.Request is { NoSnapshot: true, Force: false })
        {
            throw new BackupException(
                FailureKind.DestinationNotEmpty,
                $"{survey.Overwritten.Count} entries at {_step.Destination} would be overwritten, and -NoSnapshot keeps no copy of them.",
                "Leave -NoSnapshot out, or add -Force.",
                _step.Destination);
        }

        return survey;
    }

    private BotBackup? TakeSnapshot(RestoreSurvey survey, CancellationToken token)
    {
        if (survey.Overwritten.Count == 0 || _step.Request.NoSnapshot)
            return null;
        var root = new EntryPath(_step.Destination);
        var scope = new FileTreeScope(root) { Selections = survey.Overwritten, Exact = true, Setting = "The restore" };
        var size = FileTreeEstimate.Measure(scope, token);
        var job = new ArchiveJob(_backup.Component == Component.Unknown ? Component.Config : _backup.Component, "pre_restore", BackupType.Snapshot, (_, _) => new FileTreeSource(scope), Origin ?? root, size.Bytes);
        var snapshot = BackupRunner.NewMaker(_session, _session.Local, _tell).Make(job, _session.RunId, token);
        _tell(new Said($"What is overwritten is safe in {snapshot.Location}."));
        return snapshot;
    }

    private long FreeSpace()
    {
        var there = _step.Destination;
        while (!Directory.Exists(there) && Path.GetDirectoryName(there) is { } above)
            there = above;
        return DurableFile.FreeSpace(there);
    }
}
