using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;

namespace BotCore.Backup.Engine.Retention;

/// <summary>Decides for one thing that is backed up as files. A full backup and the increments on it stay or go together.</summary>
internal sealed class FileRetention(RetentionPolicy policy, int days, DateTimeOffset now, bool hasServer, KeptBackups kept)
{
    public void Decide(List<BotBackup> backups)
    {
        backups.Sort(RetentionDecider.NewestFirst);
        var present = backups.Where(backup => backup.Manifest is not null).Select(backup => backup.Id).ToHashSet(StringComparer.Ordinal);
        var damaged = backups.Where(backup => backup.IsDamaged).Select(backup => backup.Id).ToHashSet(StringComparer.Ordinal);
        var chains = backups.GroupBy(ChainOf, StringComparer.Ordinal).Select(group => group.ToList()).ToDictionary(chain => ChainOf(chain[0]), StringComparer.Ordinal);

        foreach (var (backup, reason) in RetentionDecider.Pinned(backups, now))
            Keep(backup, RetentionRules.Pinned, reason);
        var newest = backups.Find(backup => RetentionDecider.IsGood(backup) && IsWhole(backup, present, damaged)) ?? backups.Find(RetentionDecider.IsGood);
        Keep(newest ?? backups[0], RetentionRules.NewestGood, newest is null ? "the newest, and none is known to be good" : "the newest that is known to be good");
        if (backups.Find(backup => backup.Type == BackupType.Full && RetentionDecider.IsGood(backup)) is { } full)
            Keep(full, RetentionRules.NewestGood, "the newest full backup that is known to be good");
        if (RetentionDecider.LastProven(backups, hasServer) is { } proven)
            Keep(proven, RetentionRules.LastProven, $"the one that was proven deepest, and last: {proven.Proof}");
        var first = policy.DayOf(now).AddDays(-days);
        foreach (var young in backups.Where(backup => policy.DayOf(backup.Taken) >= first))
            Keep(young, RetentionRules.Age, $"it is younger than {RetentionDecider.Days(days)}");

        void Keep(BotBackup backup, string rule, string reason)
        {
            kept.Keep(backup, rule, reason);
            foreach (var part in chains[ChainOf(backup)])
                kept.Keep(part, RetentionRules.Chain, $"it is of one chain with {backup.Key}, which stays");
        }
    }

    // By the full backup that it stands on; what has none is a chain of its own.
    private static string ChainOf(BotBackup backup) => backup.Manifest is null ? "/" + backup.Key : FileChains.IsIncrement(backup) ? backup.Manifest.Increment?.Base ?? "/" + backup.Key : backup.Id;

    private static bool IsWhole(BotBackup backup, HashSet<string> present, HashSet<string> damaged) =>
        !FileChains.IsIncrement(backup)
        || (backup.Manifest?.Increment is { } facts && present.Contains(facts.Base) && present.Contains(facts.Previous) && !damaged.Contains(facts.Base) && !damaged.Contains(facts.Previous));
}
