using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Engine.Catalog;

/// <summary>The newest backup of everything that a store has: what a machine is brought back from that has nothing but the store.</summary>
public static class NewestBackups
{
    private static readonly Component[] Order = [Component.Config, Component.MongoDb, Component.Volume, Component.Model];

    /// <summary>
    /// One backup of each component and name, in the order in which they are restored; of a database the last increment, where one is newer than the full backups, which stands for its chain. Snapshots are not among them.
    /// What cannot be read is told through <paramref name="failed"/>, what is damaged and passed over through <paramref name="passedOver"/>. Throws BackupNotFound where there is nothing.
    /// </summary>
    public static IReadOnlyList<BotBackup> Of(IStore store, IReadOnlyList<Component> components, Func<string, bool> isWanted, Action<Failure> failed, CancellationToken token, Action<Failure>? passedOver = null)
    {
        var listed = BackupCatalog.List(store, token).ToList();
        foreach (var wrong in listed.OfType<Failed>())
            failed(wrong.Failure);
        var newest = listed.OfType<Made>().Select(made => (BotBackup)made.Item)
            .Where(backup => backup.Type is BackupType.Full or BackupType.Incremental && (components.Count == 0 || components.Contains(backup.Component)) && isWanted(backup.Name))
            .GroupBy(backup => (backup.Component, backup.Name))
            .Select(group => Newest(group, passedOver ?? failed))
            .OrderBy(backup => Array.IndexOf(Order, backup.Component)).ThenBy(backup => backup.Name, StringComparer.Ordinal)
            .ToList();
        return newest.Count > 0 ? newest : throw new BackupException(
            FailureKind.BackupNotFound, $"{store.Location} has no backup of what was asked for.", "See what it has with Get-BotBackup -Store.", store.Location);
    }

    /// <summary>The newest of <paramref name="backups"/> that is not known to be damaged; the newest of all where each is. What is passed over is told through <paramref name="passedOver"/>.</summary>
    public static BotBackup Newest(IEnumerable<BotBackup> backups, Action<Failure> passedOver)
    {
        var order = Comparer<(DateTimeOffset, string)>.Create(Compare);
        var all = backups.ToList();
        var newest = all.MaxBy(backup => (backup.Taken, backup.Key), order)!;
        if (!newest.IsDamaged || all.Where(backup => !backup.IsDamaged).MaxBy(backup => (backup.Taken, backup.Key), order) is not { } good)
            return newest;
        passedOver(new Failure(FailureKind.ArchiveCorrupt, $"{newest.Location} was found damaged, so it is passed over for {good.Key}.", "Copy it back from another store and test it again, or make a new backup.", newest));
        return good;
    }

    private static int Compare((DateTimeOffset Taken, string Key) one, (DateTimeOffset Taken, string Key) other) =>
        one.Taken.CompareTo(other.Taken) is not 0 and var order ? order : string.CompareOrdinal(one.Key, other.Key);
}
