using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Engine.Backups.Copying;

/// <summary>
/// Brings a backup into another store together with what it stands on there: an increment is worth nothing without its chain, and a store that was away for a while has missed some of it. One thread.
/// </summary>
internal sealed class ChainCopy(Action<BackupEvent> tell)
{
    // The last backup that each store was seen to have with all that it stands on: the next one of that chain needs no look at the rest.
    private readonly Dictionary<string, string> _complete = new(StringComparer.Ordinal);

    /// <summary>Copies what is missing of the chain of <paramref name="backup"/>, oldest first, and then itself. Returns what stands there of it.</summary>
    public BotBackup Bring(BotBackup backup, IStore to, string runId, CancellationToken token)
    {
        var copy = new ArchiveCopy(to, tell);
        foreach (var before in Before(backup, to, token))
        {
            if (Exists(to, before, token))
                continue;
            tell(new Said($"{to.Location} lacks {before.Key}, which {backup.Key} stands on; it is copied first."));
            copy.Copy(before, runId, token);
        }

        var there = copy.FindThere(backup, token) ?? copy.Copy(backup, runId, token);
        tell(new Said($"{there.Location}: copied from {backup.Source.Location}, read back and compared."));
        _complete[to.Location] = backup.Id;
        return there;
    }

    private IEnumerable<BotBackup> Before(BotBackup backup, IStore to, CancellationToken token)
    {
        if (FileChains.IsIncrement(backup))
            return FileChains.Load(backup, token).Parts.SkipLast(1);
        if (backup is not { Component: Component.MongoDb, Type: BackupType.Incremental }
            || (_complete.TryGetValue(to.Location, out var last) && string.Equals(last, backup.Manifest?.Chain?.Previous, StringComparison.Ordinal)))
            return [];
        var chain = OplogChains.Of(BackupCatalog.List(backup.Source, "mongodb/", token).OfType<Made>().Select(made => (BotBackup)made.Item)).Through(backup);
        return chain?.Backups.Where(one => !string.Equals(one.Id, backup.Id, StringComparison.Ordinal)) ?? [];
    }

    private static bool Exists(IStore store, BotBackup backup, CancellationToken token) =>
        store.Find(BackupFiles.Manifest(backup.Key), token) is not null && store.Find(BackupFiles.Intent(backup.Key), token) is null;
}
