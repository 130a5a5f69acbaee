using BotCore.Backup.Engine.Archives;

namespace BotCore.Backup.Engine.Restores;

/// <summary>
/// What of an archive is written, once its entries are known: those asked for, the folders above them that are not there yet (so that their modes come back too), and,
/// for a hard link whose other name was not asked for, the content under the link's own name. Filled by the survey, read by the writer. One thread at a time.
/// </summary>
internal sealed class RestoreSelection(EntryFilter filter)
{
    private readonly HashSet<EntryPath> _folders = [];
    private readonly Dictionary<EntryPath, EntryPath> _moved = [];

    /// <summary>Whether everything is asked for.</summary>
    public bool IsEverything => filter.IsEverything;

    /// <summary>Notes an entry; true where it is asked for.</summary>
    public bool Note(EntryPath path, EntryKind kind, EntryPath linkTarget)
    {
        if (filter.IsEverything)
            return true;
        if (!filter.Wants(path))
            return false;
        var bytes = path.Bytes;
        for (var slash = bytes.LastIndexOf((byte)'/'); slash > 0; slash = bytes[..slash].LastIndexOf((byte)'/'))
        {
            if (!_folders.Add(new EntryPath(bytes[..slash].ToArray())))
                break;
        }

        // The first such link becomes the file; further ones link to it.
        if (kind == EntryKind.HardLink && !filter.Wants(linkTarget))
            _moved.TryAdd(linkTarget, path);
        return true;
    }

    /// <summary>
    /// The entry as it is to be written; null where it is not. <paramref name="stands"/> tells whether something stands at a path.
    /// </summary>
    public ArchiveEntry? Take(ArchiveEntry entry, Func<EntryPath, bool> stands)
    {
        if (filter.IsEverything)
            return entry;
        if (_moved.TryGetValue(entry.Path, out var name))
            return entry with { Path = name };
        if (entry.Kind == EntryKind.HardLink && _moved.TryGetValue(entry.LinkTarget, out var first))
            return filter.Wants(entry.Path) && first != entry.Path ? entry with { LinkTarget = first } : null;
        if (filter.Wants(entry.Path))
            return entry;
        return entry.Kind == EntryKind.Directory && _folders.Contains(entry.Path) && !stands(entry.Path) ? entry : null;
    }

    /// <summary>Whether the entry of the index must be read for the selection.</summary>
    public bool Needs(IndexEntry entry) =>
        entry.IsArchived && (filter.Wants(entry.Path) || _moved.ContainsKey(entry.Path) || (entry.Kind == EntryKind.Directory && _folders.Contains(entry.Path)));
}
