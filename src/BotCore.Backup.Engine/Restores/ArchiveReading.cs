using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Verification;

namespace BotCore.Backup.Engine.Restores;

/// <summary>The two passes over an archive that a restore makes: one that proves and surveys it, one that hands out what is wanted. One thread.</summary>
internal sealed class ArchiveReading(BackupSession session, BotBackup backup, RestoreSelection selection, Action<BackupEvent> tell)
{
    /// <summary>Proves the archive (of a selection, its index), and finds out what would be written; throws where that must not be, or is nothing.</summary>
    public RestoreSurvey Survey(bool partial, bool allowDevices, long freeSpace, Func<EntryPath, EntryKind?> standing, CancellationToken token)
    {
        var survey = new RestoreSurvey(selection, allowDevices, freeSpace, standing);
        var prover = new ArchiveProver(session.Keys, session.Threads);
        if (partial)
        {
            SurveyIndex(prover, survey, token);
        }
        else
        {
            using var progress = new RunProgress($"Proving {backup.Key}", backup.PlainSize?.Bytes ?? 0, tell);
            var proof = prover.Prove(backup, Depth.Archive, survey, done => progress.Move(done, () => backup.Key), token);
            if (proof.Outcome != Outcome.Succeeded)
                throw new BackupException(proof.Failure ?? new Failure(FailureKind.ArchiveCorrupt, proof.Message, "Restore from another copy or an older backup.", backup));
            tell(new Said(proof.Message));
        }

        return survey.Entries > 0 ? survey : throw new BackupException(
            FailureKind.BackupNotFound, $"No entry of {backup.Location} matches what was asked for.", "Look at its entries with tar t, and correct -Include and -Exclude.", backup);
    }

    /// <summary>Hands out what is wanted, compared with the index.</summary>
    public void Fill(IEntryVisitor writer, bool partial, RunProgress progress, string destination, CancellationToken token)
    {
        if (partial)
        {
            List<IndexEntry> wanted;
            using (var index = OpenIndex(token))
                wanted = [.. index.Read().OfType<IndexEntry>().Where(selection.Needs)];
            var read = new SelectiveUnsealer(backup, backup.Manifest!, session.Keys).Read(wanted, writer, done => progress.Move(done, () => destination), token);
            tell(new Said($"{new ByteSize(read)} of {backup.Size} were read; what else is in the archive was not looked at."));
            return;
        }

        using var stored = backup.Source.OpenRead(backup.Key, 0, token);
        new Unsealer(backup, session.Keys, session.Threads).Read(stored, writer, done => progress.Move(done, () => destination), token);
    }

    private void SurveyIndex(ArchiveProver prover, RestoreSurvey survey, CancellationToken token)
    {
        prover.DemandGenuineIndex(backup, backup.Manifest!, token);
        using var index = OpenIndex(token);
        foreach (var entry in index.Read().OfType<IndexEntry>().Where(entry => entry.IsArchived))
            survey.Consider(entry.Path, entry.Kind, entry.LinkTarget, entry.Size);
    }

    private IndexReader OpenIndex(CancellationToken token) => new Unsealer(backup, session.Keys, session.Threads).OpenIndex(token);
}
