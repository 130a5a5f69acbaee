namespace BotCore.Backup.Engine.Archives;

/// <summary>One line of an index. See docs/formats.md, "Index".</summary>
internal abstract record IndexRecord;

/// <summary>The first line: which archive this is the index of, and where its entries came from.</summary>
/// <param name="Format">Format number.</param>
/// <param name="Id">The backup's id.</param>
/// <param name="Root">The folder that the entries are relative to; empty where there is none.</param>
internal sealed record IndexHead(int Format, string Id, EntryPath Root) : IndexRecord;

/// <summary>One member of the compressed stream, in order; written before the entries that end in it.</summary>
/// <param name="Offset">Where it begins in the compressed stream (before encryption).</param>
/// <param name="PackedLength">Its length there.</param>
/// <param name="PlainLength">Its length in the tar.</param>
internal sealed record IndexMember(long Offset, int PackedLength, int PlainLength) : IndexRecord;

/// <summary>One entry, in the archive's order.</summary>
/// <param name="Path">Its path.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Size">Its length as a file.</param>
/// <param name="Sha256">Of the content that the tar holds (its runs, when sparse); empty for what has none.</param>
/// <param name="Digest">Of everything else that the tar says about it, <see cref="EntryDigest"/>.</param>
/// <param name="Member">Offset of the member in which its headers begin; -1 where it is not in the archive.</param>
/// <param name="Skip">Bytes of that member before its headers.</param>
/// <param name="LinkTarget">For links.</param>
/// <param name="Mark">What happened while it was read.</param>
internal sealed record IndexEntry(
    EntryPath Path, EntryKind Kind, long Size, string Sha256, string Digest, long Member, int Skip, EntryPath LinkTarget, EntryMark Mark) : IndexRecord
{
    /// <summary>What the documents in it are; null where it holds none.</summary>
    public DocumentSet? Set { get; init; }

    /// <summary>What the node was when it was read, for the next increment; null where nobody noted it.</summary>
    public NodeState? State { get; init; }

    /// <summary>Of an increment: the id of the backup before it that holds the entry, which did not change since; null where this archive holds it.</summary>
    public string? In { get; init; }

    /// <summary>Whether the archive holds it.</summary>
    public bool IsArchived => Member >= 0;
}

/// <summary>What tells, without reading it, that a node is still what it was. Its size stands in the entry.</summary>
/// <param name="Inode">Its number in its file system.</param>
/// <param name="Modified">Last change of the content, which anybody may set.</param>
/// <param name="Changed">Last change of the content or of the inode, which only the kernel sets.</param>
internal sealed record NodeState(ulong Inode, UnixTime Modified, UnixTime Changed);

/// <summary>The last line: an index that ends without it was cut.</summary>
/// <param name="Entries">Entries that the archive holds.</param>
/// <param name="PlainSize">Length of the tar.</param>
internal sealed record IndexEnd(long Entries, long PlainSize) : IndexRecord;
