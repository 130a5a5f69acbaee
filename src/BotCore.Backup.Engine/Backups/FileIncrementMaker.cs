using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Components.Files;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Verification;

namespace BotCore.Backup.Engine.Backups;

/// <summary>Makes an increment of files, or the full backup that must be made where there is nothing to go on from. One thread.</summary>
internal sealed class FileIncrementMaker(BackupSession session, BackupStep step, RunMoment moment, Action<BackupEvent> tell)
{
    private readonly FileIncrementPlan _plan = step.FileIncrement!;
    private readonly ArchiveSpread _spread = new(step, moment.RunId, tell);

    /// <summary>Throws what went wrong, the store being as it was.</summary>
    public void Make(CancellationToken token)
    {
        Failure? needsFull = null;
        try
        {
            _spread.Make(store =>
            {
                var job = step.JobFor(store) with
                {
                    Type = BackupType.Incremental,
                    PlainBytes = 0,
                    IndexFormat = Manifest.CurrentFormat,
                    // Under the lease of its folder: what it stands on is not removed meanwhile.
                    Source = (_, said) =>
                    {
                        var changes = NewSource(store, failure => needsFull = failure, token);
                        return _plan.Around?.Invoke(changes, said) ?? changes;
                    },
                };
                return BackupRunner.NewMaker(session, store, tell, moment).Make(job, moment.RunId, token);
            }, token);
            return;
        }
        catch (BackupException none) when (ReferenceEquals(none.Failure, needsFull) && step.OnGap == GapAction.Full)
        {
            tell(new Warned($"{none.Failure.Message} A full backup is made, which begins a new chain."));
        }

        BackupRunner.MakeFull(session, step, _spread, moment, tell, token);
    }

    private FileIncrementSource NewSource(IStore store, Action<Failure> needsFull, CancellationToken token)
    {
        try
        {
            var there = FileChains.In(store, _plan.Folder, token);
            var tip = FileChains.TipOf(there, _plan.Component, _plan.Name) ?? throw Baseless(there.Any(backup => FileChains.IsIncrement(backup) && string.Equals(backup.Name, _plan.Name, StringComparison.Ordinal)), store);
            // What decides what is not kept must be genuine, and whole.
            new ArchiveProver(session.Keys, session.Threads).DemandGenuineIndex(tip, tip.Manifest!, token);
            if (_plan.Around is not null)
                DemandOfFolder(tip, token);
            tell(new Said($"The increment goes on from {tip.Key}."));
            return new FileIncrementSource(_plan.Scope, tip, () => new Unsealer(tip, session.Keys, session.Threads).OpenIndex(token));
        }
        catch (BackupException none) when (IsOfChain(none.Failure.Kind))
        {
            var advice = none.Failure.Kind is FailureKind.ChainBroken or FailureKind.BackupNotFound ? none.Failure.Advice : "Make a full backup, which begins a new chain, or add -OnGap Full; and see what is wrong with that backup.";
            var failure = none.Failure with { Advice = advice };
            needsFull(failure);
            throw new BackupException(failure);
        }
    }

    // An engine gives a volume in an order of its own, and tells no inodes.
    private void DemandOfFolder(BotBackup tip, CancellationToken token)
    {
        using var index = new Unsealer(tip, session.Keys, session.Threads).OpenIndex(token);
        if (index.Read().OfType<IndexEntry>().FirstOrDefault(entry => entry.Kind == EntryKind.File && entry.Path != KnownTree.DeletionList) is { State: null })
        {
            throw new BackupException(
                FailureKind.BackupNotFound, $"{tip.Location} was read through an engine's archive endpoint, and no increment can go on from that.", "Make a full backup from the folder, or add -OnGap Full.", tip.Location);
        }
    }

    private BackupException Baseless(bool hasIncrements, IStore store) => hasIncrements
        ? new BackupException(
            FailureKind.ChainBroken, $"{store.Location} has increments of {_plan.Name}, and what they stand on is not there.", "Copy it back from another store with Copy-BotBackup, make a full backup, or add -OnGap Full.", store.Location)
        : new BackupException(FailureKind.BackupNotFound, $"{store.Location} has no full backup of {_plan.Name} that an increment could stand on.", "Make a full backup first, or add -OnGap Full.", store.Location);

    // Where the store itself is away, a full backup would not come into it either.
    private static bool IsOfChain(FailureKind kind) => kind is FailureKind.ChainBroken or FailureKind.BackupNotFound or FailureKind.ChecksumMismatch or FailureKind.ManifestMismatch or FailureKind.ArchiveCorrupt
        or FailureKind.ArchiveUnauthenticated or FailureKind.WrongPassphrase or FailureKind.CredentialsMissing or FailureKind.ToolMissing;
}
