using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Backups;

/// <summary>Makes increments of one database in one store, and what must be made where the oplog cannot be gone on with. One thread at a time.</summary>
internal sealed class IncrementMaker(BackupSession session, BackupStep step, Action<BackupEvent> tell)
{
    private readonly IncrementPlan _plan = step.Increment!;
    private readonly HashSet<string> _told = new(StringComparer.Ordinal);

    /// <summary>
    /// Makes the next increment; a gap is noted in the store and told, or followed by a full backup where that was asked for. True where the next increment has something to go on from.
    /// Throws what went wrong otherwise, the store being as it was.
    /// </summary>
    /// <param name="runId">The run.</param>
    /// <param name="ready">What has been copying for a while; null where nothing has.</param>
    /// <param name="cut">Told where the increment ends, while it is being sealed.</param>
    /// <param name="token">Cancels.</param>
    public bool Make(string runId, OplogTail? ready, Action<OplogTip>? cut, CancellationToken token)
    {
        IncrementSource? source = null;
        var job = step.Job with
        {
            Type = BackupType.Incremental,
            PlainBytes = 0,
            Source = (name, said) => source = new IncrementSource(_plan, name, () => BackupStep.Chains(step.Store, Unreadable, token), hole => GapNote.Write(session, step.Store, hole, runId), said) { Ready = ready, Cut = cut },
        };
        Failure failure;
        try
        {
            Publish(job, runId, token);
            // Only now: were the slice not kept, the next one would have to end there.
            if (source!.EndsBefore is { } hole)
                GapNote.Leave(session, step.Store, hole, runId);
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
        BackupRunner.MakeFull(session, step, runId, tell, token);
        return true;
    }

    // Once in a watch: it does not change from slice to slice.
    private void Unreadable(Failure failure)
    {
        if (_told.Add(failure.Message))
            tell(new Warned($"{failure.Message} {failure.Advice}"));
    }

    private void Publish(ArchiveJob job, string runId, CancellationToken token)
    {
        var backup = BackupRunner.NewMaker(session, step.Store, tell).Make(job, runId, token);
        tell(new Said($"{backup.Location}: {backup.Size} of {backup.PlainSize}, written, read back and compared."));
        tell(new Made(backup));
    }
}
