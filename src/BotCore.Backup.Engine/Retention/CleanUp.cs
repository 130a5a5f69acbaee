using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Stores.Leases;

namespace BotCore.Backup.Engine.Retention;

/// <summary>What is to be cleaned up, and by which days. Immutable.</summary>
public sealed record CleanUpRequest
{
    /// <summary>The days.</summary>
    public required RetentionPolicy Policy { get; init; }

    /// <summary>Components to clean up; all where none is named.</summary>
    public IReadOnlyList<Component> Components { get; init; } = [];

    /// <summary>The moment to decide for; null for now.</summary>
    public DateTimeOffset? AsOf { get; init; }
}

/// <summary>One backup that a policy lets go.</summary>
public sealed record ExpiryStep : Step
{
    internal ExpiryStep(BotBackupDecision decision)
        : base(decision.Backup.Location, $"Remove the expired backup {decision.Backup.Key} ({decision.Backup.Size}): {decision.Reason}") => Decision = decision;

    /// <summary>Why.</summary>
    public BotBackupDecision Decision { get; }
}

/// <summary>
/// Removes what a policy lets go from one store. What was decided and approved is decided again under the leases of what it touches: a backup goes only where both say so. Increments go before what they stand on, each under an intent, so
/// a kill leaves nothing half listed and no increment without its base, and the next clean-up goes on.
/// </summary>
public static class CleanUp
{
    // What says that an archive is no backup any more; anything else may hide one that another stands on.
    private static readonly FailureKind[] Settled = [FailureKind.ManifestMissing, FailureKind.ManifestMismatch, FailureKind.BackupNotFound];

    /// <summary>A decision for every backup of <paramref name="store"/> that is asked for, as the store stands now; what cannot be read there is told through <paramref name="failed"/>.</summary>
    /// <exception cref="BackupException">What the store throws; a manifest that cannot be read for now: without it nothing can be decided.</exception>
    public static IReadOnlyList<BotBackupDecision> Decide(BackupSession session, IStore store, CleanUpRequest request, Action<Failure> failed, CancellationToken token) =>
        Decide(session, store, "", request, failed, token);

    // What stands on each other, and is of one thing, lies below one folder of a store.
    private static IReadOnlyList<BotBackupDecision> Decide(BackupSession session, IStore store, string prefix, CleanUpRequest request, Action<Failure> failed, CancellationToken token)
    {
        var backups = new List<BotBackup>();
        foreach (var happened in BackupCatalog.List(store, prefix, token, session.Clock))
        {
            if (happened is Made { Item: BotBackup backup })
                backups.Add(backup);
            else if (happened is Failed { Failure: var failure })
                Note(failure, failed);
        }

        var now = request.AsOf ?? session.Clock.GetUtcNow();
        return [.. RetentionDecider.Decide(backups, request.Policy, now, session.Configuration.DatabaseUrl is not null).Where(decision => request.Components.Count == 0 || request.Components.Contains(decision.Backup.Component))];
    }

    /// <summary>The steps of what expires, in the order in which it is removed.</summary>
    public static IReadOnlyList<ExpiryStep> Plan(IEnumerable<BotBackupDecision> decisions) =>
    [
        .. decisions.Where(decision => decision.Verdict == RetentionVerdict.Expire)
            .OrderBy(decision => decision.Backup.Type == BackupType.Incremental ? 0 : 1).ThenByDescending(decision => decision.Backup.Taken)
            .Select(decision => new ExpiryStep(decision)),
    ];

    /// <summary>Removes what <paramref name="approved"/> of <paramref name="store"/> names and what still expires. Each becomes a <see cref="Made"/> with a <see cref="BotBackupRemoval"/>, or a <see cref="Failed"/>.</summary>
    public static IAsyncEnumerable<BackupEvent> Run(BackupSession session, IStore store, CleanUpRequest request, IReadOnlyList<ExpiryStep> approved, CancellationToken token) =>
        EventRun.Start("clean-up", (tell, stop) =>
        {
            foreach (var kind in approved.GroupBy(step => step.Decision.Backup.Key.Split('/')[0], StringComparer.Ordinal))
            {
                stop.ThrowIfCancellationRequested();
                try
                {
                    RunKind(session, store, request, kind.Key, [.. kind.Select(step => step.Decision.Backup)], tell, stop);
                }
                catch (BackupException wrong)
                {
                    tell(new Failed(wrong.Failure));
                }
            }
        }, token);

    private static void RunKind(BackupSession session, IStore store, CleanUpRequest request, string folder, IReadOnlyList<BotBackup> approved, Action<BackupEvent> tell, CancellationToken token)
    {
        // A full of a database goes on being made while increments are, so whoever removes of both holds both.
        var names = approved.Select(BackupRemover.LeaseOf).Append(folder).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        using var leases = new HeldLeases(store, names, token);
        using var unread = ReadMark.Forbid(store, token);
        foreach (var lease in names)
        {
            foreach (var leftover in Publication.RemoveLeftovers(store, folder, lease, token))
                tell(new Warned($"A run that died left '{leftover}' unfinished in {store.Location}; it was removed."));
        }

        var wanted = approved.Select(backup => backup.Key).ToHashSet(StringComparer.Ordinal);
        var stands = false;
        foreach (var step in Plan(Decide(session, store, folder + "/", request, _ => { }, token).Where(decision => wanted.Contains(decision.Backup.Key))))
        {
            token.ThrowIfCancellationRequested();
            // An increment that could not be removed still needs its full, whichever that is.
            if (stands && step.Decision.Backup.Type != BackupType.Incremental)
                break;
            leases.Demand(token);
            unread.Demand(token);
            var happened = Remove(step, LockEnd(session, store, step.Decision.Backup), request.AsOf ?? session.Clock.GetUtcNow());
            stands |= happened is Failed or Made { Item: BotBackupRemoval { Outcome: Outcome.Skipped } } && step.Decision.Backup.Type == BackupType.Incremental;
            tell(happened);
        }
    }

    // What was uploaded under S3_OBJECT_LOCK_DAYS nobody can remove before: that is reported, and not fought.
    private static DateTimeOffset? LockEnd(BackupSession session, IStore store, BotBackup backup) =>
        session.Configuration.S3LockDays is > 0 and var days && string.Equals(store.Name, "s3", StringComparison.OrdinalIgnoreCase) ? (backup.Manifest?.Completed ?? backup.Taken).AddDays(days) : null;

    private static BackupEvent Remove(ExpiryStep step, DateTimeOffset? locked, DateTimeOffset now)
    {
        try
        {
            return new Made(BackupRemover.RemoveHeld(step.Decision.Backup, step.Decision.Rule, step.Decision.Reason, CancellationToken.None, now));
        }
        catch (BackupException refused) when (refused.Failure.Kind == FailureKind.AccessDenied && locked > now)
        {
            return new Made(new BotBackupRemoval
            {
                Backup = step.Decision.Backup,
                Rule = RetentionRules.Locked,
                Reason = $"It expired, and the store keeps it under its lock until {locked.Value.UtcDateTime:u} at least: a later clean-up removes it.",
                Freed = 0,
                Outcome = Outcome.Skipped,
            });
        }
        catch (BackupException refused) when (refused.Failure.Kind == FailureKind.AccessDenied)
        {
            return new Failed(refused.Failure with { Message = $"{step.Target} expired, and the store refuses to let it go: {refused.Failure.Message}", Advice = "Where it is under an object lock, wait until that is over; it is kept whole until then. Else look at the rights on that store." });
        }
        catch (BackupException wrong)
        {
            return new Failed(wrong.Failure);
        }
    }

    private static void Note(Failure failure, Action<Failure> failed)
    {
        if (!Settled.Contains(failure.Kind))
            throw new BackupException(failure with { Message = $"{failure.Message} Nothing was decided, since other backups may stand on what could not be read." });
        failed(failure);
    }
}
