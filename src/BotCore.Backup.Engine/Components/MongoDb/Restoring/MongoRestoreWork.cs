using System.Globalization;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb;

namespace BotCore.Backup.Engine.Components.MongoDb.Restoring;

/// <summary>
/// The writing part of a restore, phase by phase. Before each phase begins it is noted in the claim's record, so that the same restore, run again after this process was killed, goes on:
/// an interrupted load is dropped and done again, a replay goes on at its last checkpoint, indexes are asked for again, and half a swap is taken back. One thread.
/// </summary>
internal sealed class MongoRestoreWork(
    MongoTarget target, MongoClient client, IDumpSource source, MongoRestoreOptions options, DumpSurvey survey, MongoRestorePlan plan, RestoreClaim claim, Action<BackupEvent> tell, Action<string> warn)
{
    private readonly StagingNames _names = new(claim.Id);

    // Documents that are there need not be written again.
    private bool IsResumed => claim.Found is { Phase: RestorePhase.Replaying or RestorePhase.Indexing };

    /// <summary>Makes good what an interrupted restore left half done: a swap, or a load.</summary>
    public void TakeBack(IReadOnlyList<string> databases, CancellationToken token) => target.Guard("taking up an interrupted restore", () =>
    {
        if (claim.Found is not { } found)
            return;
        var begun = string.Create(CultureInfo.InvariantCulture, $"The restore {found.Id} of {found.Source}, begun {found.Started:yyyy-MM-dd HH:mm:ss} UTC on {found.Owner.Host}, was interrupted");
        if (IsResumed)
        {
            tell(new Said($"{begun}. It resumes {(found.Phase == RestorePhase.Indexing ? "at its indexes" : $"at {found.Applied?.AppliedTo.ToString() ?? "the beginning of the oplog"}")}: its documents were loaded and proven."));
            return;
        }

        if (found.Phase == RestorePhase.Swapping)
        {
            RestoreLeftovers.TakeBack(client, found.Id);
            tell(new Said($"{begun} while it swapped its collections in. That was taken back; it begins anew."));
        }
        else
        {
            tell(new Said($"{begun} while it loaded documents. They are dropped and loaded anew."));
        }

        RestoreLeftovers.Drop(client, found.Id, databases);
        claim.Enter(RestorePhase.Loading, token);
    });

    /// <summary>Ends before anything was written. What an interrupted restore left stays as it is.</summary>
    public void Leave()
    {
        if (!IsResumed)
            End(DropAdvice);
    }

    /// <summary>Loads, replays, builds indexes, swaps in, and does what cannot be swapped.</summary>
    public MongoRestoreResult Run(int overwritten, IReadOnlyList<string> warnings, CancellationToken token)
    {
        var staging = new StagedRestore(client, source, options, _names, plan, tell);
        ReplayResult? replay;
        IReadOnlyList<DumpNamespace> swapped;
        IReadOnlyList<string> databases;
        try
        {
            (swapped, replay) = Stage(staging, token);
            // From here on it is seconds of renames, and half of them done is worse than all.
            databases = target.Guard("swapping in what was restored", () =>
            {
                claim.Enter(RestorePhase.Swapping, CancellationToken.None);
                return new StagedSwap(client, _names, tell).Swap(swapped, [.. plan.Items.Where(item => item.Way == RestoreWay.View)]);
            });
        }
        catch (Exception wrong)
        {
            GiveUp(staging, wrong);
            throw;
        }

        // What comes next must be done all the same. A record that stays says that all was swapped in: nothing is staged any more.
        End($"The same restore, run again, drops it and begins anew; do not use Undo-BotRestore -Id {_names.Id} for that, it takes the swap back.");
        Finish(swapped, token);
        return new MongoRestoreResult(
            _names.Id, plan.Items, plan.Items.Sum(item => item.Set?.Count ?? 0), plan.Items.Sum(item => item.Set?.Bytes ?? 0), overwritten, replay, databases, warnings);
    }

    private (IReadOnlyList<DumpNamespace> Swapped, ReplayResult? Replay) Stage(StagedRestore staging, CancellationToken token)
    {
        try
        {
            return target.Guard("restoring", () =>
            {
                if (IsResumed)
                    staging.Take();
                else
                    staging.Load(token);
                var replay = Replay(staging, token);
                claim.Enter(RestorePhase.Indexing, token);
                var swapped = staging.BuildIndexes(token);
                token.ThrowIfCancellationRequested();
                return (swapped, replay);
            });
        }
        catch (BackupException wrong)
        {
            throw new BackupException(wrong.Failure with { Advice = $"Nothing was swapped in: what stood there is as it was. {wrong.Failure.Advice}" });
        }
    }

    private ReplayResult? Replay(StagedRestore staging, CancellationToken token)
    {
        ReplayCheckpoint? resume = null;
        if (IsResumed)
        {
            // Where the replay was done the oplog is only followed, for what it says of collections and indexes.
            resume = claim.Found!.Phase == RestorePhase.Indexing && survey.Scan?.Last is { } last ? new ReplayCheckpoint(last, []) : claim.Found.Applied ?? new ReplayCheckpoint(default, []);
        }

        if (claim.Phase != RestorePhase.Indexing)
            claim.Enter(RestorePhase.Replaying, token);
        return staging.Replay(survey.Scan, resume, checkpoint => Note(checkpoint, token), token);
    }

    private void Note(ReplayCheckpoint checkpoint, CancellationToken token)
    {
        if (claim.Phase == RestorePhase.Replaying)
            claim.Save(checkpoint, token);
    }

    // What can be taken up again stays where the connection broke: the server may be back in a minute, and the load took an hour.
    private void GiveUp(StagedRestore staging, Exception wrong)
    {
        if (claim.Lost.IsCancellationRequested)
            return;
        if (source.Identity is not null && claim.Phase is RestorePhase.Replaying or RestorePhase.Indexing && IsLostConnection(wrong))
        {
            tell(new Warned($"What was loaded stays as {StagingNames.StagedPrefix(_names.Id)}*: the same restore, run again, goes on where this one stopped. Undo-BotRestore -Id {_names.Id} drops it."));
            return;
        }

        if (IsOurs() && staging.Discard())
            End(DropAdvice);
    }

    // Another process may have taken all of it over while this one was stuck.
    private bool IsOurs()
    {
        try
        {
            claim.Renew();
            return true;
        }
        catch (Exception wrong) when (wrong is MongoException or BackupException)
        {
            tell(new Warned($"What was staged as {StagingNames.StagedPrefix(_names.Id)}* was left as it is ({wrong.Message.TrimEnd('.')}). {DropAdvice}"));
            return false;
        }
    }

    private string DropAdvice => $"Undo-BotRestore -Id {_names.Id} drops it.";

    private void End(string advice)
    {
        try
        {
            claim.End();
        }
        catch (Exception wrong) when (wrong is MongoException or BackupException)
        {
            tell(new Warned($"The record of the restore could not be dropped ({wrong.Message.TrimEnd('.')}). {advice}"));
        }
    }

    private static bool IsLostConnection(Exception? wrong)
    {
        for (; wrong is not null; wrong = wrong.InnerException)
        {
            if (wrong is MongoException { Error: MongoError.ConnectionLost or MongoError.Unreachable or MongoError.NoSuitableServer })
                return true;
        }

        return false;
    }

    // What comes behind the swap cannot be taken back by itself, so a failure here says how to.
    private void Finish(IReadOnlyList<DumpNamespace> swapped, CancellationToken token)
    {
        try
        {
            target.Guard("restoring what cannot be swapped in", () =>
            {
                new PlainRestore(client, source, options, plan, tell).Run(survey.Scan is not null, token);
                if (options.Users && plan.Users.Count > 0)
                    new UserMerge(client, source, plan.Users, _names, tell).Run(token);
                foreach (var warning in CriticalCollections.Look(client, plan, swapped, options.Critical, partial: !options.Wanted.IsEverything, token))
                    warn(warning);
            });
        }
        catch (BackupException wrong)
        {
            throw new BackupException(wrong.Failure with
            {
                Advice = $"{wrong.Failure.Advice} The collections were swapped in before that; Undo-BotRestore -Id {_names.Id} puts the old ones back, and a snapshot has the time-series collections.",
            });
        }
        catch (OperationCanceledException)
        {
            tell(new Warned($"The restore was ended after its collections were swapped in. Undo-BotRestore -Id {_names.Id} puts the old ones back."));
            throw;
        }
    }
}
