using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Engine.Catalog;

/// <summary>A full backup of files and the increments that lead to one of them. Immutable.</summary>
/// <param name="Parts">The full backup first, each increment behind what it goes on from.</param>
internal sealed record FileChain(IReadOnlyList<BotBackup> Parts)
{
    /// <summary>The last one, whose index names every entry of the tree.</summary>
    public BotBackup Tip => Parts[^1];
}

/// <summary>Which increments of files stand on which backups, from manifests alone.</summary>
internal static class FileChains
{
    /// <summary>Whether <paramref name="backup"/> is an increment of files.</summary>
    public static bool IsIncrement(BotBackup backup) => backup is { Type: BackupType.Incremental, Component: not Component.MongoDb };

    /// <summary>The newest backup of a thing that an increment can go on from: all that it stands on is there. Null where there is none.</summary>
    public static BotBackup? TipOf(IReadOnlyCollection<BotBackup> backups, Component component, string name)
    {
        var byId = ById(backups);
        return backups
            .Where(backup => backup.Component == component && backup.Manifest is not null && backup.Type is BackupType.Full or BackupType.Incremental && string.Equals(backup.Name, name, StringComparison.Ordinal))
            .OrderByDescending(backup => backup.Taken).ThenByDescending(backup => backup.Key, StringComparer.Ordinal)
            .FirstOrDefault(backup => Missing(backup, byId, []) is null);
    }

    /// <summary>What leads to <paramref name="backup"/>, itself last.</summary>
    /// <exception cref="BackupException">ChainBroken: something that it stands on is not among <paramref name="backups"/>.</exception>
    public static FileChain Through(BotBackup backup, IReadOnlyCollection<BotBackup> backups)
    {
        var parts = new List<BotBackup>();
        if (Missing(backup, ById(backups), parts) is not { } missing)
            return new FileChain(parts);
        throw new BackupException(
            FailureKind.ChainBroken,
            $"{backup.Location} is an increment, and {missing} is not in {backup.Source.Location}.",
            "Copy what is missing back from another store with Copy-BotBackup, or restore a backup that does not stand on it.",
            backup);
    }

    /// <summary>The same, of what the store of <paramref name="backup"/> has now.</summary>
    public static FileChain Load(BotBackup backup, CancellationToken token) => Through(backup, InFolderOf(backup, token));

    /// <summary>The backups in the folder that <paramref name="backup"/> lies in.</summary>
    public static IReadOnlyList<BotBackup> InFolderOf(BotBackup backup, CancellationToken token) => In(backup.Source, backup.Key[..(backup.Key.LastIndexOf('/') + 1)], token);

    /// <summary>The backups below <paramref name="prefix"/>; what cannot be read is none.</summary>
    public static IReadOnlyList<BotBackup> In(IStore store, string prefix, CancellationToken token) =>
        [.. BackupCatalog.List(store, prefix, token).OfType<Made>().Select(made => (BotBackup)made.Item)];

    /// <summary>Increments among <paramref name="backups"/> that stand on <paramref name="backup"/>, whether at once or through others.</summary>
    public static int CountOn(BotBackup backup, IReadOnlyCollection<BotBackup> backups)
    {
        var byId = ById(backups);
        return byId.Values.Count(other => IsIncrement(other) && !IsSame(other, backup) && Above(other, byId).Any(one => IsSame(one, backup)));
    }

    private static bool IsSame(BotBackup one, BotBackup other) => string.Equals(one.Id, other.Id, StringComparison.Ordinal);

    private static Dictionary<string, BotBackup> ById(IEnumerable<BotBackup> backups) =>
        backups.Where(backup => backup.Manifest is not null).DistinctBy(backup => backup.Id, StringComparer.Ordinal).ToDictionary(backup => backup.Id, StringComparer.Ordinal);

    private static IEnumerable<BotBackup> Above(BotBackup backup, Dictionary<string, BotBackup> byId)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal) { backup.Id };
        for (var at = backup; at.Manifest?.Increment is { } facts && byId.TryGetValue(facts.Previous, out var before) && seen.Add(before.Id); at = before)
            yield return before;
    }

    // What is not there, in words; null where all is, and then parts are filled.
    private static string? Missing(BotBackup backup, Dictionary<string, BotBackup> byId, List<BotBackup> parts)
    {
        if (IsIncrement(backup) && backup.Manifest?.Increment is null)
            return "the manifest that names what it stands on";
        parts.Add(backup);
        parts.AddRange(Above(backup, byId));
        parts.Reverse();
        return parts[0] switch
        {
            { Type: BackupType.Full, Manifest.Increment: null } full when backup.Manifest?.Increment is null || string.Equals(full.Id, backup.Manifest.Increment.Base, StringComparison.Ordinal) => null,
            { Manifest.Increment: { } facts } => $"backup {facts.Previous}, which {(parts.Count == 1 ? "it goes on from" : $"{parts[0].Key} goes on from")},",
            _ => $"the full backup {backup.Manifest?.Increment?.Base} that it stands on",
        };
    }
}
