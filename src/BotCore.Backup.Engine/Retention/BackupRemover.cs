using System.Globalization;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Retention.Pins;
using BotCore.Backup.Engine.Verification;

namespace BotCore.Backup.Engine.Retention;

/// <summary>A backup that is gone, and why. Immutable.</summary>
public sealed record BotBackupRemoval
{
    /// <summary>What was removed.</summary>
    public required BotBackup Backup { get; init; }

    /// <summary>The rule that removed it: <c>Asked</c> where a person did.</summary>
    public required string Rule { get; init; }

    /// <summary>Why, in a sentence.</summary>
    public required string Reason { get; init; }

    /// <summary>Bytes given back, with index, checksum and manifest.</summary>
    public required ByteSize Freed { get; init; }

    /// <summary>Succeeded only where the store no longer has any of its files; Skipped where it keeps them under a lock.</summary>
    public required Outcome Outcome { get; init; }
}

/// <summary>One backup to be removed.</summary>
public sealed record RemovalStep : Step
{
    internal RemovalStep(BotBackup backup)
        : base(backup.Location, $"Remove the backup {backup.Key} ({backup.Size})") => Backup = backup;

    /// <summary>What is removed.</summary>
    public BotBackup Backup { get; }
}

/// <summary>Removes backups that a person named. The newest good backup of a thing is not removed unless that is forced.</summary>
public static class BackupRemover
{
    /// <summary>The step for one backup. Where <paramref name="force"/> is not set, throws Pinned for one that somebody pinned, LastGoodBackup for the newest good one of its kind, and ChainBroken for one that increments stand on.</summary>
    public static RemovalStep Plan(BotBackup backup, bool force, CancellationToken token)
    {
        // As the store has it now, since the object may be older than the pin.
        if (!force && backup.PlainDump is null && PinFiles.IsPinned(backup.Source, backup.Key, DateTimeOffset.UtcNow, token))
        {
            throw new BackupException(
                FailureKind.Pinned, $"{backup.Location} is pinned {BackupCatalog.Open(backup.Source, backup.Key, token).Pin}.", "Unpin it first (Set-BotBackup -Unpin), or add -Force.", backup);
        }

        if (!force && backup.Type != BackupType.Snapshot && IsLastGood(backup, token))
        {
            throw new BackupException(
                FailureKind.LastGoodBackup, $"{backup.Location} is the newest good backup of {backup.Name}.", "Make a newer one first, or add -Force.", backup);
        }

        if (!force && backup.Timeline is not null && Stranded(backup, token) is > 0 and var stranded)
        {
            throw new BackupException(
                FailureKind.ChainBroken,
                string.Create(CultureInfo.InvariantCulture, $"{(stranded == 1 ? "1 increment stands" : $"{stranded} increments stand")} on {backup.Location}: without it, what they hold cannot be restored."),
                "Remove those increments first, or make a full backup and keep what stands on this one as long as you need it, or add -Force.",
                backup);
        }

        if (!force && backup.Component != Component.MongoDb && FileChains.CountOn(backup, FileChains.InFolderOf(backup, token)) is > 0 and var standing)
        {
            throw new BackupException(
                FailureKind.ChainBroken,
                string.Create(CultureInfo.InvariantCulture, $"{(standing == 1 ? "1 increment stands" : $"{standing} increments stand")} on {backup.Location}: without it, they cannot be restored."),
                "Remove those increments first, or add -Force.",
                backup);
        }

        return new RemovalStep(backup);
    }

    /// <summary>Removes what <paramref name="steps"/> name, under the lease of its folder.</summary>
    public static IAsyncEnumerable<BackupEvent> Run(IReadOnlyList<RemovalStep> steps, CancellationToken token) =>
        EventRun.Start("removal", (tell, stop) =>
        {
            foreach (var step in steps)
            {
                stop.ThrowIfCancellationRequested();
                tell(Remove(step.Backup, stop));
            }
        }, token);

    private static BackupEvent Remove(BotBackup backup, CancellationToken token)
    {
        try
        {
            using var lease = backup.Source.AcquireLease(LeaseOf(backup), token);
            return new Made(RemoveHeld(backup, "Asked", "Somebody asked for it.", token));
        }
        catch (BackupException wrong)
        {
            return new Failed(wrong.Failure);
        }
    }

    /// <summary>The lease that guards a backup.</summary>
    internal static string LeaseOf(BotBackup backup) => ArchiveName.TryParse(backup.Key, out var name) ? name.Lease : backup.Key.Split('/')[0];

    /// <summary>Removes a backup whose lease the caller holds. One that is pinned at <paramref name="unpinnedAt"/>, where that is asked for, throws Pinned and stays. Where the store refuses the first file, as one under an object lock, the backup stays whole and is listed again.</summary>
    internal static BotBackupRemoval RemoveHeld(BotBackup backup, string rule, string reason, CancellationToken token, DateTimeOffset? unpinnedAt = null)
    {
        var store = backup.Source;
        long freed = 0;
        // From here on nothing stops half-way: what a kill leaves is hidden by the intent, and the next run removes it.
        LeaveIntent(backup, token);
        // Who pins looks for the intent after the pin is there: one of the two sees the other.
        if (unpinnedAt is { } now && PinFiles.IsPinned(store, backup.Key, now, CancellationToken.None))
        {
            store.Delete(BackupFiles.Intent(backup.Key), CancellationToken.None);
            throw new BackupException(FailureKind.Pinned, $"{backup.Location} was pinned meanwhile, and stays.", "Nothing has to be done.", backup);
        }

        var begun = false;
        try
        {
            foreach (var file in BackupFiles.InOrderOfRemoval(store, backup.Key, CancellationToken.None))
            {
                var length = store.Find(file, CancellationToken.None)?.Length;
                store.Delete(file, CancellationToken.None);
                begun |= length is not null;
                freed += length ?? 0;
            }
        }
        catch (BackupException) when (!begun)
        {
            store.Delete(BackupFiles.Intent(backup.Key), CancellationToken.None);
            throw;
        }

        DemandGone(backup);
        VerifiedLinks.Remove(backup);
        store.Delete(BackupFiles.Intent(backup.Key), CancellationToken.None);
        return new BotBackupRemoval { Backup = backup, Rule = rule, Reason = reason, Freed = freed, Outcome = Outcome.Succeeded };
    }

    // That a store took a call is no proof that the file is gone. The intent stays, so what is left is not taken for a backup.
    private static void DemandGone(BotBackup backup)
    {
        var left = backup.Source.List(backup.Key, CancellationToken.None).Select(file => file.Key)
            .FirstOrDefault(key => !key.EndsWith(BackupFiles.IntentSuffix, StringComparison.Ordinal) && string.Equals(BackupFiles.ArchiveOf(key), backup.Key, StringComparison.Ordinal));
        if (left is not null)
            throw new BackupException(FailureKind.AccessDenied, $"{backup.Source.Location} still has '{left}' after it was removed.", "Look at that store with its own tools: a lock on objects, or a snapshot, may keep it.", backup);
    }

    private static void LeaveIntent(BotBackup backup, CancellationToken token)
    {
        try
        {
            Publication.LeaveIntent(backup.Source, backup.Key, BackupRunner.NewRunId(), token);
        }
        catch (BackupException full) when (full.Failure.Kind == FailureKind.StoreFull)
        {
            // To remove is how a full disk is freed. Without the intent a kill may leave an archive that is listed as ManifestMissing, and no worse.
        }
    }

    // Increments whose last moment can be reached now, and could not be without this backup.
    private static int Stranded(BotBackup backup, CancellationToken token)
    {
        var all = BackupCatalog.List(backup.Source, "mongodb/", token).OfType<Made>().Select(made => (BotBackup)made.Item)
            .Where(other => string.Equals(other.Timeline, backup.Timeline, StringComparison.Ordinal)).ToList();
        var now = Spans(all);
        var then = Spans(all.Where(other => !string.Equals(other.Key, backup.Key, StringComparison.Ordinal)));
        return all.Where(other => other.Type == BackupType.Incremental && !string.Equals(other.Id, backup.Id, StringComparison.Ordinal))
            .Select(OplogTimeline.EndOf)
            .Count(at => now.Exists(span => span.From <= at && at <= span.To) && !then.Exists(span => span.From <= at && at <= span.To));
    }

    private static List<OplogReach> Spans(IEnumerable<BotBackup> backups) => [.. OplogChains.Of(backups).Timelines.SelectMany(timeline => timeline.Reaches())];

    private static bool IsLastGood(BotBackup backup, CancellationToken token)
    {
        if (backup.Proof.Depth == Depth.Unknown)
            return false;
        var alike = BackupCatalog.List(backup.Source, token).OfType<Made>().Select(made => (BotBackup)made.Item)
            .Where(other => other.Component == backup.Component && other.Type == backup.Type && other.Proof.Depth != Depth.Unknown
                && string.Equals(other.Name, backup.Name, StringComparison.Ordinal));
        return !alike.Any(other => other.Taken > backup.Taken || (other.Taken == backup.Taken && !string.Equals(other.Key, backup.Key, StringComparison.Ordinal)));
    }
}
