using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Backups;

/// <summary>Makes increments of one database in one store, and what must be made where the oplog cannot be gone on with. One thread at a time.</summary>
internal sealed class IncrementMaker(BackupSession session, BackupStep step, RunMoment moment, Action<BackupEvent> tell)
{
    private readonly ArchiveSpread _spread = new(step, moment.RunId, tell);
    private readonly IncrementPlan _plan = step.Increment!;
    private readonly HashSet<string> _told = new(StringComparer.Ordinal);

    /// <summary>
    /// Makes the next increment; a gap is noted in the store and told, or followed by a full backup where that was asked for. True where the next increment has something to go on from.
    /// Throws what went wrong otherwise, the store being as it was.
    /// </summary>
    /// <param name="ready">What has been copying for a while; null where nothing has.</param>
    /// <param name="cut">Told where the increment ends, while it is being sealed.</param>
    /// <param name="token">Cancels.</param>
    public bool Make(OplogTail? ready, Action<OplogTip>? cut, CancellationToken token)
    {
        IncrementSource? source = null;
        Failure failure;
        try
        {
            var backup = _spread.Make(store =>
            {
                var job = step.JobFor(store) with
                {
                    Type = BackupType.Incremental,
                    PlainBytes = 0,
                    Source = (name, said) => source = new IncrementSource(_plan, name, () => BackupStep.Chains(store, Unreadable, token), hole => GapNote.Write(session, store, hole, moment.RunId), said) { Ready = ready, Cut = cut },
                };
                return BackupRunner.NewMaker(session, store, tell, moment).Make(job, moment.RunId, token);
            }, token);
            // Only now: were the slice not kept, the next one would have to end there.
            if (source!.EndsBefore is { } hole)
                GapNote.Leave(session, backup.Source, hole, moment.RunId);
            if (source.NeedsFull is not { } needed)
                return true;
            failure = needed;
        }
        catch (BackupException wrong) when (ReferenceEquals(wrong.Failure, source?.NeedsFull))
        {
            failure = wrong.Failure;
        }

        if (step.OnGap != GapAction.Full)
        {
            tell(new Failed(failure));
            return false;
        }

        tell(new Warned($"{failure.Message} A full backup is made, which begins a new chain."));
        BackupRunner.MakeFull(session, step, _spread, moment, tell, token);
        return true;
    }

    // Once in a watch: it does not change from slice to slice.
    private void Unreadable(Failure failure)
    {
        if (_told.Add(failure.Message))
            tell(new Warned($"{failure.Message} {failure.Advice}"));
    }
}
