using BotCore.Backup.Engine.Backups.Copying;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Engine.Backups;

/// <summary>
/// Brings one archive into all stores of its step: sealed once, into the first store that takes it, and copied from there into the others. A store that fails stops no other one, and is told. One thread.
/// </summary>
internal sealed class ArchiveSpread(BackupStep step, string runId, Action<BackupEvent> tell)
{
    private readonly List<StoreOutcome> _outcomes = [];
    private readonly List<Failure> _failures = [];
    private readonly HashSet<string> _explained = new(StringComparer.Ordinal);
    private readonly ChainCopy _chains = new(tell);

    /// <summary>Seals by <paramref name="seal"/> and copies. Throws what the source failed with, or the last store where none took it; what failed before that was told.</summary>
    public BotBackup Make(Func<IStore, BotBackup> seal, CancellationToken token)
    {
        _outcomes.Clear();
        _failures.Clear();
        BotBackup? made = null;
        try
        {
            foreach (var store in step.Stores)
                made = made is null ? Seal(seal, store) : Copy(made, store, token);
        }
        catch
        {
            TellFailures();
            throw;
        }

        if (made is null)
        {
            var last = _failures[^1];
            _failures.RemoveAt(_failures.Count - 1);
            TellFailures();
            throw new BackupException(last);
        }

        made = made with { Stores = [.. _outcomes], Outcome = _failures.Count == 0 ? Outcome.Succeeded : Outcome.Failed };
        tell(new Made(made));
        TellFailures();
        return made;
    }

    private BotBackup? Seal(Func<IStore, BotBackup> seal, IStore store)
    {
        var watched = new WatchedStore(store);
        try
        {
            var made = seal(watched) with { Source = store };
            tell(new Said($"{made.Location}: {made.Size} of {made.PlainSize}, written, read back and compared."));
            Succeed(store, made);
            return made;
        }
        catch (BackupException wrong) when (IsOfStore(watched, wrong.Failure))
        {
            Note(store, wrong.Failure);
            return null;
        }
    }

    private BotBackup Copy(BotBackup made, IStore store, CancellationToken token)
    {
        try
        {
            Succeed(store, _chains.Bring(made, store, runId, token));
        }
        catch (BackupException wrong)
        {
            Note(store, wrong.Failure);
        }

        return made;
    }

    // What the store itself threw, and what is said of a store where it is written to: no source has these.
    private static bool IsOfStore(WatchedStore store, Failure failure) =>
        store.Threw(failure)
        || failure.Kind is FailureKind.StoreUnreachable or FailureKind.StoreFull or FailureKind.TooLittleSpace or FailureKind.ChecksumMismatch or FailureKind.Locked;

    private void Succeed(IStore store, BotBackup there)
    {
        _outcomes.Add(new StoreOutcome(store.Name, there.Location, Outcome.Succeeded));
        if (_explained.Add(store.Location))
            BreakGlass.Leave(store, tell);
    }

    private void Note(IStore store, Failure failure)
    {
        _outcomes.Add(new StoreOutcome(store.Name, store.Location, Outcome.Failed, failure));
        _failures.Add(failure);
    }

    private void TellFailures()
    {
        foreach (var failure in _failures)
            tell(new Failed(failure) { IsOfOneStore = true });
        _failures.Clear();
    }
}
