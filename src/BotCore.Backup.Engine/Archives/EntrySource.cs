using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Archives;

/// <summary>What happened to an entry while it was read; kept in the index.</summary>
public enum EntryMark
{
    /// <summary>Read whole, and the same after as before.</summary>
    None = 0,

    /// <summary>It changed while it was read: what the archive holds may never have existed at one moment.</summary>
    Changed,

    /// <summary>It was listed and then gone: the archive does not hold it.</summary>
    Vanished,
}

/// <summary>What a component hands to the seal: its entries in the order in which the tar holds them.</summary>
public interface IEntrySource
{
    /// <summary>
    /// Walks once. Each item is valid until the next is asked for, is disposed by the reader, and is read by one thread.
    /// A directory comes before what is in it, a file before its hard links.
    /// </summary>
    IEnumerable<SourceItem> Read(CancellationToken token);

    /// <summary>Adds to the manifest what only reading could tell. Asked after the last item.</summary>
    Manifest Describe(Manifest manifest) => manifest;
}

/// <summary>One thing that a walk came upon: a <see cref="SourceEntry"/>, a PackedEntry or a <see cref="SourceProblem"/>.</summary>
public abstract class SourceItem : IDisposable
{
    /// <summary>Path inside the archive.</summary>
    public abstract EntryPath Path { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Gives back what the item holds open.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }
}

/// <summary>An entry that can be read.</summary>
public abstract class SourceEntry : SourceItem
{
    /// <summary>Its header, as it was when it was opened.</summary>
    public abstract ArchiveEntry Entry { get; }

    /// <inheritdoc/>
    public sealed override EntryPath Path => Entry.Path;

    /// <summary>What the documents in it are; null where it holds none. Asked for after the content was read.</summary>
    public virtual DocumentSet? Set => null;

    /// <summary>What its node was when it was opened, for the next increment; null where it is none of a file system.</summary>
    internal virtual NodeState? State => null;

    /// <summary>
    /// Reads the next bytes of content, <see cref="ArchiveEntry.DataLength"/> in all (runs only, when sparse), and returns how many;
    /// 0 means that there are no more, also when the file got shorter meanwhile. Never returns bytes beyond the declared length.
    /// Throws <see cref="BackupException"/> when the medium fails.
    /// </summary>
    public abstract int Read(Span<byte> buffer);

    /// <summary>Called once after the content: whether the entry is still what <see cref="Entry"/> says.</summary>
    public abstract EntryMark Finish();
}

/// <summary>An entry that cannot go into the archive.</summary>
/// <param name="path">Path inside the archive.</param>
/// <param name="mark"><see cref="EntryMark.Vanished"/> where it is only a warning; otherwise <see cref="EntryMark.None"/>.</param>
/// <param name="text">A full sentence about it.</param>
/// <param name="failure">Where the run must fail because of it; null where it is a warning.</param>
public sealed class SourceProblem(EntryPath path, EntryMark mark, string text, Failure? failure = null) : SourceItem
{
    /// <inheritdoc/>
    public override EntryPath Path { get; } = path;

    /// <summary>How the index marks it.</summary>
    public EntryMark Mark { get; } = mark;

    /// <summary>A full sentence about it.</summary>
    public string Text { get; } = text;

    /// <summary>Set where the run must fail because of it.</summary>
    public Failure? Failure { get; } = failure;
}
