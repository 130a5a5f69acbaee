using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Outside.Posix;

namespace BotCore.Backup.Engine.Components.Files;

/// <summary>
/// What a tree was when it was backed up last, read from the index in step with a walk: both have the same order, so nothing but what the two differ in is kept in memory. What the walk
/// does not come upon is deleted. For one walk and one thread.
/// </summary>
internal sealed class KnownTree : IDisposable
{
    /// <summary>The name, at the root of every increment's archive, of the list of what was deleted: paths, each ended by a NUL.</summary>
    public static readonly EntryPath DeletionList = new(".botbackup-deleted");

    // Coarser than the clock of any file system that keeps times: what was changed so shortly before it was read may have changed behind that without showing it.
    private const long Coarseness = 2;

    private readonly string _id;
    private readonly long _freshFrom;
    private readonly IEnumerator<IndexEntry> _lines;
    private readonly Queue<IndexEntry> _passed = new();
    private readonly List<EntryPath> _deleted = [];
    private IndexEntry? _last;
    private bool _isOver;

    /// <summary>Begins with the first line.</summary>
    /// <param name="id">The backup whose index it is.</param>
    /// <param name="started">When that began to read.</param>
    /// <param name="lines">Its index.</param>
    public KnownTree(string id, DateTimeOffset started, IEnumerable<IndexRecord> lines)
    {
        _id = id;
        _freshFrom = started.ToUnixTimeSeconds() - Coarseness;
        _lines = lines.OfType<IndexEntry>().GetEnumerator();
    }

    /// <summary>Paths that are gone, or have become another kind of thing; of a folder that is gone the folder alone. Complete once <see cref="TakeRest"/> was called.</summary>
    public IReadOnlyList<EntryPath> Deleted => _deleted;

    /// <summary>The line at <paramref name="path"/>, to look at; null where there is none. Paths come in the order of the walk.</summary>
    public IndexEntry? Peek(EntryPath path)
    {
        while (!_isOver && (_last is null || TreeOrder.Compare(_last.Path, path) < 0))
            Advance();
        return _last is { } last && last.Path == path ? last : null;
    }

    /// <summary>The line at <paramref name="path"/>, which the walk gives now; what comes before it and was not given is deleted.</summary>
    public IndexEntry? Take(EntryPath path)
    {
        Peek(path);
        while (_passed.TryPeek(out var line) && TreeOrder.Compare(line.Path, path) <= 0)
        {
            _passed.Dequeue();
            if (line.Path == path)
                return line;
            Delete(line.Path);
        }

        return null;
    }

    /// <summary>The walk is over: what was not given is deleted.</summary>
    public void TakeRest()
    {
        while (!_isOver)
            Advance();
        while (_passed.TryDequeue(out var line))
            Delete(line.Path);
    }

    /// <summary>Notes that what stood at <paramref name="path"/> must go before what stands there now can be put in its place.</summary>
    public void Delete(EntryPath path)
    {
        if (_deleted.Count == 0 || !TreeOrder.IsBelow(path, _deleted[^1]))
            _deleted.Add(path);
    }

    /// <summary>Whether <paramref name="status"/> shows that the node of <paramref name="line"/> was not touched: size, both times and inode are the same, and it was old enough when it was read.</summary>
    public bool IsUntouched(IndexEntry line, in FileStatus status) =>
        IsOf(line, status) && line.State == status.State && line.Mark == EntryMark.None && !IsFresh(line);

    /// <summary>Whether a change right behind its being read might not show.</summary>
    public bool IsFresh(IndexEntry line) => line.State is not { } state || state.Changed.Seconds >= _freshFrom;

    public void Dispose() => _lines.Dispose();

    private static bool IsOf(IndexEntry line, in FileStatus status) => line.Kind switch
    {
        EntryKind.File => status.Type == FileType.Regular && status.Size == line.Size,
        EntryKind.SymbolicLink => status.Type == FileType.SymbolicLink,
        _ => false,
    };

    private void Advance()
    {
        while (_lines.MoveNext())
        {
            var line = _lines.Current;
            // What vanished was in no archive, and the list of an increment is no part of the tree.
            if (line.Kind == EntryKind.Unknown || line.Path == DeletionList)
                continue;
            if (_last is not null && TreeOrder.Compare(line.Path, _last.Path) <= 0)
                throw new BackupException(FailureKind.ArchiveCorrupt, $"The index of backup {_id} is not in the order of a tree: '{line.Path}' stands behind '{_last.Path}'.", "Make a full backup.", _id);
            _last = line with { In = line.In ?? _id };
            _passed.Enqueue(_last);
            return;
        }

        _isOver = true;
    }
}
