using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Engine.Verification.Budgets;

/// <summary>What the newest records say of earlier runs: how long archives take, and when runs began.</summary>
internal sealed class BudgetPast
{
    // A record is one answer of a store.
    private const int MostNewest = 24;
    private const int MostLargest = 8;

    private BudgetPast(BudgetPace pace, DateTimeOffset? last, DateTimeOffset? before) => (Pace, LastBegan, BeforeLast) = (pace, last, before);

    public BudgetPace Pace { get; }

    /// <summary>When the last run with a budget began; null where none is known.</summary>
    public DateTimeOffset? LastBegan { get; }

    /// <summary>When the one before that began.</summary>
    public DateTimeOffset? BeforeLast { get; }

    /// <summary>Reads the newest records of <paramref name="backups"/>. What cannot be read is passed over.</summary>
    public static BudgetPast Read(IReadOnlyList<BotBackup> backups, Depth depth, CancellationToken token)
    {
        var pace = new BudgetPace();
        ProofBudget? newest = null;
        var known = backups.SelectMany(backup => backup.History.Names.Select(name => (Name: name, Backup: backup))).OrderByDescending(one => one.Name.Order).ToList();
        // The newest tell when runs were. The largest archives tell what bytes cost, which small ones cannot.
        var largest = known.DistinctBy(one => one.Backup, ReferenceEqualityComparer.Instance).OrderByDescending(one => one.Backup.Size.Bytes).Take(MostLargest);
        foreach (var (name, backup) in known.Take(MostNewest).Union(largest))
        {
            token.ThrowIfCancellationRequested();
            if (Read(backup.Source, name.KeyOf(backup.Key), token) is not { } record)
                continue;
            if (record.Depth == depth && record.Read > 0 && record.Seconds > 0)
                pace.Recall(record.Size, TimeSpan.FromSeconds(Math.Min(record.Seconds, TimeSpan.FromDays(30).TotalSeconds)));
            if (record.Budget is { } budget && (newest is null || budget.Began > newest.Began))
                newest = budget;
        }

        return new BudgetPast(pace, newest?.Began, newest?.Previous);
    }

    private static ProofRecord? Read(IStore store, string key, CancellationToken token)
    {
        try
        {
            using var stream = store.OpenRead(key, 0, token);
            var buffer = new byte[ProofRecord.MaximumLength + 1];
            return ProofRecord.TryParse(buffer.AsSpan(0, stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false)));
        }
        catch (BackupException)
        {
            return null;
        }
    }
}
