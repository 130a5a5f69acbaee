using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;

namespace BotCore.Backup.Engine.Verification.Budgets;

/// <summary>What of an archive's past counts for a budget, and which archives matter most.</summary>
internal static class BudgetDemand
{
    /// <summary>The least that counts as read at that depth. Where the Sandbox is what is restored into, it counts.</summary>
    public static Func<BotBackup, ProofMark> MarkOf(VerificationOptions options, Depth depth) => backup => depth switch
    {
        Depth.Archive => ProofMark.Archive,
        Depth.Restore => backup.Component == Component.MongoDb && options.Server is null ? ProofMark.Sandbox : ProofMark.Restore,
        _ => ProofMark.Checksum,
    };

    /// <summary>When it was last read that deep, whatever was found; null where never. A manifest is written only after the archive was read back and its hash compared.</summary>
    public static DateTimeOffset? LastLook(BotBackup backup, Func<BotBackup, ProofMark> mark)
    {
        var wanted = mark(backup);
        return backup.History.LastLook(wanted) ?? (wanted == ProofMark.Checksum ? backup.Manifest?.Completed : null);
    }

    /// <summary>The newest good backup of each thing in each store, and what it stands on: what would be restored if it had to be now.</summary>
    public static HashSet<BotBackup> WhatMatters(IReadOnlyList<BotBackup> backups)
    {
        var matters = new HashSet<BotBackup>(ReferenceEqualityComparer.Instance);
        foreach (var store in backups.GroupBy(backup => backup.Source, ReferenceEqualityComparer.Instance))
        {
            var all = store.ToList();
            var chains = OplogChains.Of(all);
            foreach (var alike in all.Where(one => one is { IsDamaged: false, Type: BackupType.Full or BackupType.Incremental }).GroupBy(one => (one.Component, one.Name, one.Type)))
            {
                var newest = alike.MaxBy(one => one.Taken)!;
                matters.Add(newest);
                foreach (var part in PartsOf(newest, all, chains))
                    matters.Add(part);
            }
        }

        return matters;
    }

    private static IEnumerable<BotBackup> PartsOf(BotBackup newest, List<BotBackup> all, OplogChains chains)
    {
        if (newest.Type != BackupType.Incremental)
            return [];
        if (newest.Component == Component.MongoDb)
            return newest.Oplog is not null && chains.Through(newest) is { } chain ? [chain.Base, .. chain.Slices] : [];
        try
        {
            return FileChains.Through(newest, all).Parts;
        }
        catch (Events.BackupException)
        {
            // Broken: there is no chain that would be restored.
            return [];
        }
    }
}
