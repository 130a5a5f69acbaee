using System.Diagnostics;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Components.Files;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Outside.Posix;
using BotCore.Backup.Engine.Verification;

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
            foreach (var step in steps)
            {
                try
                {
                    tell(new Made(step.Server is null ? new RestoreJob(session, step, tell).Run(stop) : new DatabaseRestore(session, step, tell).Run(stop)));
                }
                catch (BackupException wrong) when (wrong.Failure.Kind is not (FailureKind.PassphraseMissing or FailureKind.PassphraseTooOpen))
                {
                    tell(new Failed(wrong.Failure));
                }
            }
        }, token);
}

/// <summary>One restore under way. One thread.</summary>
internal sealed class RestoreJob(BackupSession session, RestoreStep step, Action<BackupEvent> tell)
{
    private readonly BotBackup _backup = step.Backup;
    private readonly RestoreSelection _selection = new(step.Filter);
    private readonly FileChainContent? _chain = step.Files is { } chain ? new FileChainContent(session, chain) : null;

    public BotBackupRestore Run(CancellationToken token)
    {
        var clock = Stopwatch.StartNew();
        var parts = step.Files?.Parts ?? [_backup];
        var partial = !_selection.IsEverything && parts.All(part => part.Manifest is { Encryption: not Encryption.Recipients });
        var survey = Survey(partial, token);
        var snapshot = TakeSnapshot(survey, token);

        try
        {
            return Write(survey, snapshot, partial, clock, token);
        }
        catch (BackupException wrong) when (snapshot is not null)
        {
            // The way back must not be hidden behind what went wrong.
            throw new BackupException(wrong.Failure with { Advice = $"{wrong.Failure.Advice} What stood there before is in {snapshot.Location}: restore that to undo what was written." });
        }
    }

    private BotBackupRestore Write(RestoreSurvey survey, BotBackup? snapshot, bool partial, Stopwatch clock, CancellationToken token)
    {
        using var tree = new FileTreeWriter(new EntryPath(step.Destination), allowDevices: step.Request.AllowDevices);
        using var writer = new RestoreWriter(tree, _selection);
        using var progress = new RunProgress($"Restoring {_backup.Key}", survey.Bytes, tell);
        Fill(writer, partial, progress, token);
        tree.Finish();
        tree.SyncAll();
        foreach (var warning in tree.Warnings)
            tell(new Warned(warning));
        writer.Proof.Demand(new EntryPath(step.Destination), exact: tree.Warnings.Count == 0, done => progress.Move(done, () => "reading back"), token);
        tell(new Said("All that was written was read back and is what the archive holds."));
        return new BotBackupRestore
        {
            Backup = _backup,
            Destination = step.Destination,
            Outcome = Outcome.Succeeded,
            Partial = partial,
            Snapshot = snapshot,
            Counts = writer.Counts(survey.Overwritten.Count),
            Duration = clock.Elapsed,
            Warnings = [.. tree.Warnings],
        };
    }

    private RestoreSurvey Survey(bool partial, CancellationToken token)
    {
        using var standing = Directory.Exists(step.Destination) ? new FileTreeWriter(new EntryPath(step.Destination)) : null;
        var survey = new RestoreSurvey(_selection, step.Request.AllowDevices, FreeSpace(), path => standing?.KindOf(path));
        var prover = new ArchiveProver(session.Keys, session.Threads);
        if (partial)
        {
            SurveyIndex(prover, survey, token);
        }
        else if (_chain is not null)
        {
            using var progress = new RunProgress($"Proving {_backup.Key}", step.Files!.Parts.Sum(part => part.PlainSize?.Bytes ?? 0), tell);
            _chain.Prove(survey, done => progress.Move(done, () => _backup.Key), text => tell(new Said(text)), token);
        }
        else
        {
            using var progress = new RunProgress($"Proving {_backup.Key}", _backup.PlainSize?.Bytes ?? 0, tell);
            var proof = prover.Prove(_backup, Depth.Archive, survey, done => progress.Move(done, () => _backup.Key), token);
            if (proof.Outcome != Outcome.Succeeded)
                throw new BackupException(proof.Failure ?? new Failure(FailureKind.ArchiveCorrupt, proof.Message, "Restore from another copy or an older backup.", _backup));
            tell(new Said(proof.Message));
        }

        if (survey.Entries == 0)
            throw new BackupException(FailureKind.BackupNotFound, $"No entry of {_backup.Location} matches what was asked for.", "Look at its entries with tar t, and correct -Include and -Exclude.", _backup);
        if (survey.Overwritten.Count > 0 && step.Request is { NoSnapshot: true, Force: false })
        {
            throw new BackupException(
                FailureKind.DestinationNotEmpty,
                $"{survey.Overwritten.Count} entries at {step.Destination} would be overwritten, and -NoSnapshot keeps no copy of them.",
                "Leave -NoSnapshot out, or add -Force.",
                step.Destination);
        }

        return survey;
    }

    private void SurveyIndex(ArchiveProver prover, RestoreSurvey survey, CancellationToken token)
    {
        if (_chain is not null)
        {
            _chain.Survey(survey, token);
            return;
        }

        prover.DemandGenuineIndex(_backup, _backup.Manifest!, token);
        using var index = OpenIndex(token);
        foreach (var entry in index.Read().OfType<IndexEntry>().Where(entry => entry.IsArchived))
            survey.Consider(entry.Path, entry.Kind, entry.LinkTarget, entry.Size);
    }

    private BotBackup? TakeSnapshot(RestoreSurvey survey, CancellationToken token)
    {
        if (survey.Overwritten.Count == 0 || step.Request.NoSnapshot)
            return null;
        var root = new EntryPath(step.Destination);
        var scope = new FileTreeScope(root) { Selections = survey.Overwritten, Exact = true, Setting = "The restore" };
        var size = FileTreeEstimate.Measure(scope, token);
        var job = new ArchiveJob(_backup.Component == Component.Unknown ? Component.Config : _backup.Component, "pre_restore", BackupType.Snapshot, (_, _) => new FileTreeSource(scope), root, size.Bytes);
        var snapshot = BackupRunner.NewMaker(session, session.Local, tell).Make(job, BackupRunner.NewRunId(), token);
        tell(new Said($"What is overwritten is safe in {snapshot.Location}."));
        return snapshot;
    }

    private void Fill(RestoreWriter writer, bool partial, RunProgress progress, CancellationToken token)
    {
        if (_chain is not null)
        {
            var bytes = _chain.Write(_selection, writer, partial, done => progress.Move(done, () => step.Destination), token);
            if (partial)
                tell(new Said($"{new ByteSize(bytes)} of the {step.Files!.Parts.Count} archives were read; what else is in them was not looked at."));
            return;
        }

        if (partial)
        {
            List<IndexEntry> wanted;
            using (var index = OpenIndex(token))
                wanted = [.. index.Read().OfType<IndexEntry>().Where(_selection.Needs)];
            var read = new SelectiveUnsealer(_backup, _backup.Manifest!, session.Keys).Read(wanted, writer, done => progress.Move(done, () => step.Destination), token);
            tell(new Said($"{new ByteSize(read)} of {_backup.Size} were read; what else is in the archive was not looked at."));
            return;
        }

        using var stored = _backup.Source.OpenRead(_backup.Key, 0, token);
        new Unsealer(_backup, session.Keys, session.Threads).Read(stored, writer, done => progress.Move(done, () => step.Destination), token);
    }

    private IndexReader OpenIndex(CancellationToken token) => new Unsealer(_backup, session.Keys, session.Threads).OpenIndex(token);

    private long FreeSpace()
    {
        var there = step.Destination;
        while (!Directory.Exists(there) && Path.GetDirectoryName(there) is { } above)
            there = above;
        return DurableFile.FreeSpace(there);
    }
}
