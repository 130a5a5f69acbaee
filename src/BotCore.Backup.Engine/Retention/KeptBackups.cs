using BotCore.Backup.Engine.Catalog;

namespace BotCore.Backup.Engine.Retention;

/// <summary>Which of some backups stay, each with the first rule that kept it. One thread.</summary>
internal sealed class KeptBackups
{
    private readonly Dictionary<BotBackup, (string Rule, string Reason)> _kept = new(ReferenceEqualityComparer.Instance);

    public bool Contains(BotBackup backup) => _kept.ContainsKey(backup);

    /// <summary>True where nothing had kept it before.</summary>
    public bool Keep(BotBackup backup, string rule, string reason) => _kept.TryAdd(backup, (rule, reason));

    public BotBackupDecision Decide(BotBackup backup, Func<BotBackup, string> expired) => _kept.TryGetValue(backup, out var kept)
        ? new BotBackupDecision(backup, RetentionVerdict.Keep, kept.Rule, kept.Reason)
        : new BotBackupDecision(backup, RetentionVerdict.Expire, RetentionRules.Expired, expired(backup));
}
