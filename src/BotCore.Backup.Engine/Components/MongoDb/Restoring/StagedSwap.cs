using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb;

namespace BotCore.Backup.Engine.Components.MongoDb.Restoring;

/// <summary>
/// Swaps staged collections in by renames, which take no time whatever their size, keeps the old ones under an undo name, and defines the views. Where anything of it
/// fails, all of it is taken back. One thread.
/// </summary>
internal sealed class StagedSwap(MongoClient client, StagingNames names, Action<BackupEvent> tell)
{
    private readonly ServerCatalog _catalog = new(client, CancellationToken.None);
    private readonly CollectionMaker _maker = new(client, CancellationToken.None);
    private readonly UndoJournal _journal = new(client, CancellationToken.None);

    /// <summary>Swaps all of <paramref name="targets"/> in, whose staged collections stand, and makes <paramref name="views"/>. Gives the databases that hold a journal of it.</summary>
    public IReadOnlyList<string> Swap(IReadOnlyList<DumpNamespace> targets, IReadOnlyList<RestoreItem> views)
    {
        var entries = Plan(targets, [.. views.Select(view => view.To)]);
        try
        {
            foreach (var group in entries.GroupBy(entry => entry.Name.Database, StringComparer.Ordinal))
                _journal.Write(names.Id, group.Key, [.. group]);
            foreach (var entry in entries)
                MakeWay(entry);
            foreach (var view in views)
                _maker.Create(view.To, view.Metadata);
        }
        catch (Exception wrong) when (wrong is MongoException or BackupException)
        {
            tell(new Warned($"Not everything could be swapped in ({wrong.Message.TrimEnd('.')}); it is taken back."));
            TakeBack(entries);
            throw;
        }

        return [.. entries.Select(entry => entry.Name.Database).Distinct(StringComparer.Ordinal)];
    }

    /// <summary>Puts back what <paramref name="entries"/> say stood there; safe to repeat, and from any state in between.</summary>
    public static void Undo(MongoClient client, IEnumerable<UndoEntry> entries)
    {
        var catalog = new ServerCatalog(client, CancellationToken.None);
        var maker = new CollectionMaker(client, CancellationToken.None);
        foreach (var group in entries.GroupBy(entry => entry.Name.Database, StringComparer.Ordinal))
        {
            var standing = catalog.All(group.Key);
            foreach (var entry in group)
                PutBack(entry, standing, maker);
        }
    }

    private static void PutBack(UndoEntry entry, IReadOnlyDictionary<DumpNamespace, CollectionInfo> standing, CollectionMaker maker)
    {
        var now = standing.GetValueOrDefault(entry.Name);
        var isStaged = entry.Staged is { } staged && standing.ContainsKey(entry.Name with { Collection = staged });
        if (entry.Kept is { } kept)
        {
            // Where nothing is kept (yet, or any more), the old collection is in its place.
            if (standing.ContainsKey(entry.Name with { Collection = kept }))
            {
                // A rename replaces a collection and never a view.
                if (now is { IsView: true })
                    maker.Drop(entry.Name);
                maker.Rename(entry.Name with { Collection = kept }, entry.Name, dropTarget: true);
            }
        }
        else if (entry.View is { } view)
        {
            if (now is not { IsView: true } || !now.Options.Span.SequenceEqual(view.Span))
            {
                // While the staged collection still stands, what has the name is not of the restore.
                if (now is not null && !isStaged)
                    maker.Drop(entry.Name);
                maker.Create(entry.Name, new CollectionMetadata { Options = view, Type = CollectionMetadata.View });
            }
        }
        else if (now is not null && (entry.Staged is null ? now.IsView : !isStaged))
        {
            maker.Drop(entry.Name);
        }

        if (isStaged)
            maker.Drop(entry.Name with { Collection = entry.Staged! });
    }

    private List<UndoEntry> Plan(IReadOnlyList<DumpNamespace> targets, IReadOnlyList<DumpNamespace> views)
    {
        var entries = new List<UndoEntry>();
        foreach (var group in targets.Except(views).Concat(views).GroupBy(name => name.Database, StringComparer.Ordinal))
        {
            var standing = _catalog.All(group.Key);
            entries.AddRange(group.Select(name => EntryOf(name, standing.GetValueOrDefault(name), views.Contains(name))));
        }

        return entries;
    }

    // What stands there moves out of the way, and the staged collection takes its place.
    private void MakeWay(UndoEntry entry)
    {
        if (entry.View is not null)
            _maker.Drop(entry.Name);
        if (entry.Kept is { } kept)
            _maker.Rename(entry.Name, entry.Name with { Collection = kept }, dropTarget: false);
        if (entry.Staged is { } staged)
            _maker.Rename(entry.Name with { Collection = staged }, entry.Name, dropTarget: false);
    }

    private void TakeBack(List<UndoEntry> entries)
    {
        try
        {
            Undo(client, entries);
            foreach (var database in entries.Select(entry => entry.Name.Database).Distinct(StringComparer.Ordinal))
                _journal.Remove(names.Id, database);
        }
        catch (Exception wrong) when (wrong is MongoException or BackupException)
        {
            throw new BackupException(
                FailureKind.RestoreFailed,
                $"The swap failed half-way, and not everything could be taken back: {wrong.Message.TrimEnd('.')}.",
                $"Undo-BotRestore -Id {names.Id} puts everything back as it was, as soon as the server answers.",
                names.Id,
                wrong);
        }
    }

    private UndoEntry EntryOf(DumpNamespace name, CollectionInfo? standing, bool isView) => new(
        name,
        isView ? null : names.Staged(name).Collection,
        standing is { IsView: false } ? names.Kept(name).Collection : null,
        standing is { IsView: true } ? standing.Options : null);
}
