using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Verification;

namespace BotCore.Backup.Engine.Restores;

/// <summary>The two passes over an archive that a restore makes: one that proves and surveys it, one that hands out what is wanted. One thread.</summary>
/// <param name="session">The command's.</param>
/// <param name="backup">The backup.</param>
/// <param name="chain">Of an increment of files what it stands on, itself last; null for all else.</param>
/// <param name="selection">What is wanted.</param>
/// <param name="tell">Gets the events.</param>
internal sealed class ArchiveReading(BackupSession session, BotBackup backup, FileChain? chain, RestoreSelection selection, Action<BackupEvent> tell)
{
    private readonly FileChainContent? _chain = chain is null ? null : new FileChainContent(session, chain);

    /// <summary>Whether only the members of what is wanted are read: gpg gives an archive of recipients from its beginning to its end alone.</summary>
    public bool IsPartial { get; } = !selection.IsEverything && (chain?.Parts ?? [backup]).All(part => part.Manifest is { Encryption: not Encryption.Recipients });

    /// <summary>Proves the archive (of a selection, its index), and finds out what would be written; throws where that must not be, or is nothing.</summary>
    public RestoreSurvey Survey(bool allowDevices, long freeSpace, Func<EntryPath, EntryKind?> standing, CancellationToken token)
    {
        var survey = new RestoreSurvey(selection, allowDevices, freeSpace, standing);
        var prover = new ArchiveProver(session.Keys, session.Threads);
        if (IsPartial)
        {
            SurveyIndex(prover, survey, token);
        }
        else if (_chain is not null)
        {
            using var progress = new RunProgress($"Proving {backup.Key}", chain!.Parts.Sum(part => part.PlainSize?.Bytes ?? 0), tell);
            _chain.Prove(survey, done => progress.Move(done, () => backup.Key), text => tell(new Said(text)), token);
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
    public void Fill(IEntryVisitor writer, RunProgress progress, string destination, CancellationToken token)
    {
        if (_chain is not null)
        {
            var bytes = _chain.Write(selection, writer, IsPartial, done => progress.Move(done, () => destination), token);
            if (IsPartial)
                tell(new Said($"{new ByteSize(bytes)} of the {chain!.Parts.Count} archives were read; what else is in them was not looked at."));
            return;
        }

        if (IsPartial)
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
        if (_chain is not null)
        {
            _chain.Survey(survey, token);
            return;
        }

        prover.DemandGenuineIndex(backup, backup.Manifest!, token);
        using var index = OpenIndex(token);
        foreach (var entry in index.Read().OfType<IndexEntry>().Where(entry => entry.IsArchived))
            survey.Consider(entry.Path, entry.Kind, entry.LinkTarget, entry.Size);
    }

    private IndexReader OpenIndex(CancellationToken token) => new Unsealer(backup, session.Keys, session.Threads).OpenIndex(token);
}
