using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Engine.Backups;

/// <summary>Notes gaps in stores. A note is not cancelled: what it says is so whatever becomes of the run.</summary>
internal static class GapNote
{
    /// <summary>For the holder of the lease of increments.</summary>
    public static void Write(BackupSession session, IStore store, OplogHole hole, string runId) => new OplogGapRecord
    {
        Format = OplogGapRecord.CurrentFormat,
        Timeline = hole.Timeline,
        From = hole.From.ToString(),
        To = hole.To?.ToString(),
        Reason = hole.Reason,
        Noticed = session.Clock.GetUtcNow(),
        RunId = runId,
    }.Write(store, CancellationToken.None);

    /// <summary>For whoever does not hold that lease.</summary>
    public static void Leave(BackupSession session, IStore store, OplogHole hole, string runId)
    {
        try
        {
            using var lease = store.AcquireLease(ArchiveName.IncrementLease, CancellationToken.None);
            Write(session, store, hole, runId);
        }
        catch (BackupException busy) when (busy.Failure.Kind == FailureKind.Locked)
        {
            // The increment that is at work there, or the next one, comes to the same end and notes it.
        }
    }
}
