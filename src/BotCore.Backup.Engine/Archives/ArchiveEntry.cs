namespace BotCore.Backup.Engine.Archives;

/// <summary>What an entry of an archive is.</summary>
public enum EntryKind
{
    /// <summary>Never written.</summary>
    Unknown = 0,

    /// <summary>A regular file.</summary>
    File,

    /// <summary>A directory; its path ends without a slash here, with one in the tar.</summary>
    Directory,

    /// <summary>A symbolic link; <see cref="ArchiveEntry.LinkTarget"/> is what it says, verbatim.</summary>
    SymbolicLink,

    /// <summary>Another name of an earlier entry, whose path is <see cref="ArchiveEntry.LinkTarget"/>.</summary>
    HardLink,

    /// <summary>A named pipe.</summary>
    Fifo,

    /// <summary>A character device.</summary>
    CharacterDevice,

    /// <summary>A block device.</summary>
    BlockDevice,
}

/// <summary>A point in time as Unix file systems keep it.</summary>
/// <param name="Seconds">Seconds since 1970-01-01 UTC; may be negative.</param>
/// <param name="Nanoseconds">0 to 999,999,999, counted forward from <paramref name="Seconds"/>.</param>
public readonly record struct UnixTime(long Seconds, int Nanoseconds);

/// <summary>An extended attribute; POSIX ACLs are attributes too (<c>system.posix_acl_access</c>, <c>system.posix_acl_default</c>, kernel binary form).</summary>
/// <param name="Name">The full name with its namespace, such as <c>user.comment</c>.</param>
/// <param name="Value">The raw bytes.</param>
public readonly record struct ExtendedAttribute(string Name, byte[] Value);

/// <summary>One run of data in a sparse file; everything between runs reads as zeros.</summary>
/// <param name="Offset">Byte offset in the file.</param>
/// <param name="Length">Bytes of data.</param>
public readonly record struct SparseRun(long Offset, long Length);

/// <summary>
/// What an archive says about one entry; its bytes travel beside it. Immutable. Owner, mode and times are as POSIX has them
/// (IEEE Std 1003.1, pax interchange format).
/// </summary>
public sealed record ArchiveEntry
{
    /// <summary>Path relative to the archive's root, slashes, no leading or trailing one; <c>.</c> is the root itself.</summary>
    public required EntryPath Path { get; init; }

    /// <summary>What it is.</summary>
    public required EntryKind Kind { get; init; }

    /// <summary>Permission bits with setuid, setgid and sticky: 0 to 07777.</summary>
    public int Mode { get; init; }

    /// <summary>Owner, as a number.</summary>
    public long UserId { get; init; }

    /// <summary>Group, as a number.</summary>
    public long GroupId { get; init; }

    /// <summary>Owner's name; empty where there is none.</summary>
    public string UserName { get; init; } = "";

    /// <summary>Group's name; empty where there is none.</summary>
    public string GroupName { get; init; } = "";

    /// <summary>Time of last change of the content.</summary>
    public UnixTime Modified { get; init; }

    /// <summary>
    /// Length of the file as <c>ls</c> shows it, in bytes; 0 for everything but <see cref="EntryKind.File"/>.
    /// For a sparse file this is the whole length with its holes.
    /// </summary>
    public long Size { get; init; }

    /// <summary>For links: where to. Empty otherwise.</summary>
    public EntryPath LinkTarget { get; init; }

    /// <summary>For devices.</summary>
    public uint DeviceMajor { get; init; }

    /// <summary>For devices.</summary>
    public uint DeviceMinor { get; init; }

    /// <summary>Extended attributes and ACLs.</summary>
    public IReadOnlyList<ExtendedAttribute> Attributes { get; init; } = [];

    /// <summary>For a sparse file its runs of data, ascending and apart; null where the file is stored whole.</summary>
    public IReadOnlyList<SparseRun>? Sparse { get; init; }

    /// <summary>Bytes of content that follow: the sum of the runs when sparse, else <see cref="Size"/>.</summary>
    public long DataLength => Sparse is null ? Size : Sparse.Sum(run => run.Length);
}
