using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Verification;

namespace BotCore.Backup.Engine.Restores;

/// <summary>
/// What a restore says of the archives that it read, for the ledger. One that read all of an archive proved it as a test at Archive depth does; one that also wrote, read back and compared everything is a proof at
/// Restore depth. What was chosen from an archive proves nothing of the rest of it.
/// </summary>
internal static class RestoreEvidence
{
    /// <summary>Records what a restore that succeeded proved.</summary>
    public static void Record(BackupSession session, RestoreStep step, BotBackupRestore result, Action<BackupEvent> tell)
    {
        if (result.Partial)
            return;
        foreach (var part in PartsOf(step))
        {
            var isWhole = ReferenceEquals(part, step.Backup) && step.Chain is null && WroteAll(step, result);
            var depth = isWhole ? Depth.Restore : Depth.Archive;
            var proof = part.Proof with { Depth = depth, At = null, InSandbox = false, Damage = null };
            session.Ledger.Record(
                new BotBackupVerification
                {
                    Backup = part,
                    Location = part.Location,
                    Depth = depth,
                    Outcome = Outcome.Succeeded,
                    Proof = proof,
                    Entries = part.Entries ?? 0,
                    Read = part.Size,
                    Duration = result.Duration,
                    Where = isWhole ? result.Destination : null,
                    Message = "",
                },
                depth,
                tell);
        }
    }

    /// <summary>Records damage that ended a restore, where it is clear whose it is. What went wrong while it was written is the destination's.</summary>
    public static void Record(BackupSession session, RestoreStep step, Failure failure, Action<BackupEvent> tell)
    {
        if (failure.Kind == FailureKind.RestoreMismatch || !ProofName.IsDamage(failure.Kind))
            return;
        var parts = PartsOf(step);
        var damaged = failure.Target is BotBackup target ? parts.FirstOrDefault(part => string.Equals(part.Location, target.Location, StringComparison.Ordinal)) : parts is [var only] ? only : null;
        if (damaged is null)
            return;
        var isOfOtherBytes = failure.Kind == FailureKind.ChecksumMismatch || LengthOf(damaged) != damaged.Size.Bytes;
        session.Ledger.Record(
            new BotBackupVerification
            {
                Backup = damaged,
                Location = damaged.Location,
                Depth = Depth.Archive,
                Outcome = Outcome.Failed,
                Proof = Proof.None,
                SeenAt = isOfOtherBytes ? Depth.Checksum : Depth.Archive,
                Failure = failure,
                Message = failure.Message,
            },
            Depth.Archive,
            tell);
    }

    private static IReadOnlyList<BotBackup> PartsOf(RestoreStep step) =>
        step.Chain is { } chain ? [chain.Base, .. chain.Slices] : step.Files is { } files ? [.. files.Parts.Take(files.Parts.Count - 1), step.Backup] : [step.Backup];

    // A database whose URI names one of several gets that one; owners that could not be kept were not compared.
    private static bool WroteAll(RestoreStep step, BotBackupRestore result) =>
        step.Server is null
            ? step.Filter.IsEverything && result.Warnings.Count == 0
            : step.Request is { Include.Count: 0, Exclude.Count: 0 } && step.Backup.Manifest?.MongoDb is { } dump && dump.Collections == result.Counts.Entries;

    private static long? LengthOf(BotBackup backup)
    {
        try
        {
            return backup.Source.Find(backup.Key, CancellationToken.None)?.Length;
        }
        catch (BackupException)
        {
            return backup.Size;
        }
    }
}
