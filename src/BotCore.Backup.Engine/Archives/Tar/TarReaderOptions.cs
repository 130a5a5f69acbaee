namespace BotCore.Backup.Engine.Archives.Tar;

/// <summary>How strict a <see cref="TarReader"/> is, and what it needs to know.</summary>
public sealed record TarReaderOptions
{
    /// <summary>For an archive of ours.</summary>
    public static TarReaderOptions Ours { get; } = new();

    /// <summary>For an archive that another tool made.</summary>
    public static TarReaderOptions Foreign { get; } = new() { RequireEnd = false };

    /// <summary>
    /// True: two zero blocks must end the archive, and nothing but zeros may follow. False: the stream may also end after a whole entry or after
    /// one zero block, and what follows two zero blocks is read to its end and ignored.
    /// </summary>
    public bool RequireEnd { get; init; } = true;

    /// <summary>Who the names in ACLs are; null reads <c>/etc/passwd</c> and <c>/etc/group</c> when the first ACL turns up.</summary>
    public AccountNames? Accounts { get; init; }

    /// <summary>Whether the stream stays open when the reader is disposed.</summary>
    public bool LeaveOpen { get; init; }
}
