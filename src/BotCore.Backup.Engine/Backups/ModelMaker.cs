using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Backups.Copying;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Components.Files;
using BotCore.Backup.Engine.Components.Models;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Verification;

namespace BotCore.Backup.Engine.Backups;

/// <summary>
/// Backs a model up where its content is another than that of the newest version that is stored. A store that missed that version gets a copy of it. One thread. See docs/decisions/0029.
/// </summary>
internal sealed class ModelMaker(BackupSession session, BackupStep step, RunMoment moment, Action<BackupEvent> tell)
{
    private readonly FileIncrementPlan _plan = step.Model!;
    private readonly List<Failure> _failures = [];
    private readonly List<StoreOutcome> _outcomes = [];

    /// <summary>Throws what went wrong; tells of a store that failed, and goes on with the others.</summary>
    public void Make(CancellationToken token)
    {
        var newest = step.Stores.Select(store => (Store: store, Version: NewestIn(store, token))).ToList();
        var known = newest.Select(one => one.Version).OfType<BotBackup>().Where(version => version.Hash is not null).ToList();
        var hash = known.Count == 0 ? null : HashNow(known[0], token);
        var there = hash is null ? null : known.Find(version => string.Equals(version.Hash, hash, StringComparison.Ordinal));
        if (there is null)
        {
            // What failed here fails there again, and is told there.
            BackupRunner.MakeFull(session, step, new ArchiveSpread(step, moment.RunId, tell), moment, tell, token);
            return;
        }

        foreach (var (store, version) in newest)
            Complete(store, version, there, token);
        tell(new Said($"{_plan.Name} is what {there.Key} holds, by its content ({hash}): nothing is made."));
        tell(new Made(there with { Outcome = _failures.Count == 0 ? Outcome.Skipped : Outcome.Failed, Reason = "Unchanged", Stores = _outcomes }));
        foreach (var failure in _failures)
            tell(new Failed(failure) { IsOfOneStore = true });
    }

    private BotBackup? NewestIn(IStore store, CancellationToken token)
    {
        try
        {
            return FileChains.TipOf(FileChains.In(store, _plan.Folder, token), Component.Model, _plan.Name);
        }
        catch (BackupException wrong)
        {
            _failures.Add(wrong.Failure);
            _outcomes.Add(new StoreOutcome(store.Name, store.Location, Outcome.Failed, wrong.Failure));
            return null;
        }
    }

    private string? HashNow(BotBackup version, CancellationToken token)
    {
        using var progress = new RunProgress($"Comparing {_plan.Name}", step.Job.PlainBytes, tell);
        using var index = OpenIndex(version, token);
        using var known = index is null ? null : new KnownTree(version.Id, version.Taken, index.Read());
        return ModelContent.HashOf(_plan.Scope, known, (done, path) => progress.Move(done, path.ToString), token);
    }

    // Without it every byte is read, which takes longer and says the same.
    private IndexReader? OpenIndex(BotBackup version, CancellationToken token)
    {
        try
        {
            new ArchiveProver(session.Keys, session.Threads).DemandGenuineIndex(version, version.Manifest!, token);
            return new Unsealer(version, session.Keys, session.Threads).OpenIndex(token);
        }
        catch (BackupException wrong) when (wrong.Failure.Kind is not (FailureKind.PassphraseMissing or FailureKind.PassphraseTooOpen))
        {
            tell(new Said($"The index of {version.Key} cannot be used ({wrong.Failure.Kind}), so all of {_plan.Name} is read."));
            return null;
        }
    }

    private void Complete(IStore store, BotBackup? version, BotBackup there, CancellationToken token)
    {
        if (_outcomes.Exists(outcome => string.Equals(outcome.Location, store.Location, StringComparison.Ordinal)))
            return;
        try
        {
            _outcomes.Add(version is not null && string.Equals(version.Hash, there.Hash, StringComparison.Ordinal)
                ? new StoreOutcome(store.Name, version.Location, Outcome.Skipped)
                : new StoreOutcome(store.Name, new ChainCopy(tell).Bring(there, store, moment.RunId, token).Location, Outcome.Succeeded));
        }
        catch (BackupException wrong)
        {
            _failures.Add(wrong.Failure);
            _outcomes.Add(new StoreOutcome(store.Name, store.Location, Outcome.Failed, wrong.Failure));
        }
    }
}
