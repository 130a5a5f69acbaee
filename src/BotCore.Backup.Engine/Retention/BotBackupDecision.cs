using BotCore.Backup.Engine.Catalog;

namespace BotCore.Backup.Engine.Retention;

/// <summary>What becomes of a backup.</summary>
public enum RetentionVerdict
{
    /// <summary>Nobody decided; never removed.</summary>
    Unknown = 0,

    /// <summary>It stays.</summary>
    Keep,

    /// <summary>It may go.</summary>
    Expire,
}

/// <summary>What becomes of one backup, by which rule, and why. Immutable.</summary>
/// <param name="Backup">Which.</param>
/// <param name="Verdict">Keep or Expire.</param>
/// <param name="Rule">A word that stays the same: Daily, Weekly, Monthly, Base, Window, Age, Snapshot, AllVersions, NewestGood, LastProven, Chain, Pinned, FutureDated, and Expired.</param>
/// <param name="Reason">Why, in a sentence.</param>
public sealed record BotBackupDecision(BotBackup Backup, RetentionVerdict Verdict, string Rule, string Reason)
{
    /// <summary>For people.</summary>
    public override string ToString() => $"{Verdict} {Backup.Key} ({Rule}): {Reason}";
}
