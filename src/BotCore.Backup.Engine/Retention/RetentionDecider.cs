using System.Globalization;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Verification;

namespace BotCore.Backup.Engine.Retention;

/// <summary>
/// Decides what of a store stays. A pure function of what is listed, the policy and the time; reads nothing. Whatever the policy says, these stay: what is pinned, the newest good backup of each thing, the one that was proven deepest
/// and last, what any of those that stay stands on, and what is dated ahead. A damaged one is never taken for the good one of its day.
/// </summary>
public static class RetentionDecider
{
    /// <summary>A decision for every backup of <paramref name="backups"/>, which are all that one store has, in their order.</summary>
    /// <param name="backups">Every backup of one store: what is left out is taken for not there.</param>
    /// <param name="policy">The days.</param>
    /// <param name="now">The present.</param>
    /// <param name="hasServer">Whether a real server is configured: restores into the Sandbox are no restores then.</param>
    public static IReadOnlyList<BotBackupDecision> Decide(IReadOnlyList<BotBackup> backups, RetentionPolicy policy, DateTimeOffset now, bool hasServer)
    {
        var kept = new KeptBackups();
        foreach (var ahead in backups.Where(backup => backup.Taken > now + ProofHistory.Skew))
            kept.Keep(ahead, RetentionRules.FutureDated, "its date lies ahead of now, so a clock was wrong, and nothing is decided by it");
        var present = backups.Where(backup => backup.Taken <= now + ProofHistory.Skew).ToList();
        foreach (var thing in present.Where(backup => backup.Type != BackupType.Snapshot).GroupBy(backup => (backup.Component, backup.Name, Database: DatabaseOf(backup))))
        {
            switch (thing.Key.Component)
            {
                case Component.MongoDb:
                    new DatabaseRetention(policy, now, hasServer, kept).Decide([.. thing]);
                    break;
                case Component.Config or Component.Volume:
                    new FileRetention(policy, thing.Key.Component == Component.Config ? policy.Config : policy.Volumes, now, hasServer, kept).Decide([.. thing]);
                    break;
                default:
                    foreach (var (version, reason) in Pinned(thing, now))
                        kept.Keep(version, RetentionRules.Pinned, reason);
                    foreach (var version in thing)
                        kept.Keep(version, RetentionRules.AllVersions, "every version of a model stays");
                    break;
            }
        }

        foreach (var target in present.Where(backup => backup.Type == BackupType.Snapshot).GroupBy(backup => (backup.Component, backup.Name)))
            DecideSnapshots([.. target], policy, now, kept);
        return [.. backups.Select(backup => kept.Decide(backup, expired => ReasonToGo(expired, policy)))];
    }

    /// <summary>Whether a backup was proven and no damage was found since.</summary>
    internal static bool IsGood(BotBackup backup) => !backup.IsDamaged && backup.Proof.Depth != Depth.Unknown;

    /// <summary>Newest first; of one moment the one whose key comes last.</summary>
    internal static int NewestFirst(BotBackup one, BotBackup other) =>
        other.Taken.CompareTo(one.Taken) is not 0 and var order ? order : string.CompareOrdinal(other.Key, one.Key);

    /// <summary>The one that was proven deepest, of those the one that was proven last; null where none was read to its end.</summary>
    internal static BotBackup? LastProven(IEnumerable<BotBackup> backups, bool hasServer) => backups
        .Where(backup => IsGood(backup) && backup.Proof.DepthBeside(hasServer) >= Depth.Archive)
        .OrderByDescending(backup => backup.Proof.DepthBeside(hasServer)).ThenByDescending(backup => backup.Proof.At).ThenByDescending(backup => backup.Taken)
        .FirstOrDefault();

    /// <summary>Those that are pinned at <paramref name="now"/>, with the reason.</summary>
    internal static IEnumerable<(BotBackup Backup, string Reason)> Pinned(IEnumerable<BotBackup> backups, DateTimeOffset now) =>
        backups.Where(backup => backup.Pin?.Holds(now) == true).Select(backup => (backup, $"it is pinned {backup.Pin}"));

    internal static string Days(int days) => days == 1 ? "1 day" : days.ToString(CultureInfo.InvariantCulture) + " days";

    private static void DecideSnapshots(List<BotBackup> snapshots, RetentionPolicy policy, DateTimeOffset now, KeptBackups kept)
    {
        snapshots.Sort(NewestFirst);
        foreach (var (snapshot, reason) in Pinned(snapshots, now))
            kept.Keep(snapshot, RetentionRules.Pinned, reason);
        kept.Keep(snapshots[0], RetentionRules.Snapshot, "the newest snapshot of its target always stays");
        if (snapshots.FirstOrDefault(IsGood) is { } good)
            kept.Keep(good, RetentionRules.NewestGood, "the newest snapshot of its target that is known to be good");
        var first = policy.DayOf(now).AddDays(-policy.Snapshots);
        foreach (var young in snapshots.Where(snapshot => policy.DayOf(snapshot.Taken) >= first))
            kept.Keep(young, RetentionRules.Age, $"snapshots stay {Days(policy.Snapshots)}");
    }

    // One server's databases are apart; archives of the old scripts do not say which they are of.
    private static string DatabaseOf(BotBackup backup) => backup.Component != Component.MongoDb ? "" : backup.Manifest is null ? "?" : "=" + (backup.Manifest.MongoDb?.Database ?? "*");

    private static string ReasonToGo(BotBackup backup, RetentionPolicy policy) => (backup.Type, backup.Component) switch
    {
        (BackupType.Snapshot, _) => $"a snapshot older than {Days(policy.Snapshots)}, and not the newest",
        (BackupType.Incremental, Component.MongoDb) => $"older than {Days(policy.Daily)}, and no full backup that stays needs it",
        (_, Component.MongoDb) => "not the newest of a day, week or month that is kept, and nothing that stays stands on it",
        (_, Component.Config) => $"older than {Days(policy.Config)}, with all of its chain",
        _ => $"older than {Days(policy.Volumes)}, with all of its chain",
    };
}
