using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Components.MongoDb.Damage;

/// <summary>Puts documents back. Each step becomes a <see cref="Made"/> with its BotDocumentRepair, or a <see cref="Failed"/>.</summary>
public static class DocumentRepairRunner
{
    /// <summary>Runs <paramref name="steps"/> one after the other.</summary>
    public static IAsyncEnumerable<BackupEvent> Run(BackupSession session, IReadOnlyList<DocumentRepairStep> steps, CancellationToken token) =>
        EventRun.Start("repair", (tell, stop) =>
        {
            foreach (var step in steps)
            {
                try
                {
                    var repair = step.Server.Guard("putting documents back", () => new DocumentRepairJob(session, step, tell).Run(stop));
                    tell(new Made(repair));
                    if (repair.Outcome != Outcome.Succeeded)
                        tell(new Failed(Failure(repair)));
                }
                catch (BackupException wrong) when (wrong.Failure.Kind is not (FailureKind.PassphraseMissing or FailureKind.PassphraseTooOpen))
                {
                    tell(new Failed(wrong.Failure));
                }
            }
        }, token);

    private static Failure Failure(BotDocumentRepair repair) => repair.LostCount > 0
        ? new Failure(
            FailureKind.RestoreFailed,
            $"{repair.LostCount} of the documents that the {repair.Event} destroyed are in none of the backups; the repair names them in Lost.",
            repair.Unproven == 0 && repair.ConflictCount == 0 ? "All others are as they were; look for these in another store." : "Look for these in another store, and see what became of the others in Conflicts and Unproven.",
            repair)
        : new Failure(
            FailureKind.RestoreMismatch,
            $"{repair.Unproven} documents of {repair.Namespace} were put back and were something else when they were read back.",
            "Most likely somebody writes to them; stop that, and run this again: what is right already counts as such.",
            repair);
}
