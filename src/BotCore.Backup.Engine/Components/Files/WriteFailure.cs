using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Outside.Posix;

namespace BotCore.Backup.Engine.Components.Files;

/// <summary>Puts error numbers of writing into words.</summary>
internal static class WriteFailure
{
    /// <summary><paramref name="doing"/> completes "cannot be ...": <c>written</c>, <c>made</c>.</summary>
    public static BackupException Exception(int error, EntryPath path, string doing) => error switch
    {
        Errno.ENOSPC or Errno.EDQUOT => new BackupException(
            FailureKind.RestoreFailed,
            $"{path} cannot be {doing}: the disk of the destination, or the quota on it, is full ({Errno.Name(error)}).",
            "Free space there, or restore to a destination with more, and restore again.",
            path),
        Errno.EACCES or Errno.EPERM or Errno.EROFS => new BackupException(
            FailureKind.AccessDenied,
            $"{path} cannot be {doing}: {Errno.Describe(error)}.",
            "Restore as a user who may write there, such as root, or to another destination.",
            path),
        _ => new BackupException(
            FailureKind.RestoreFailed,
            $"{path} cannot be {doing}: {Errno.Describe(error)}.",
            "Check the destination and the disk that it lies on, and restore again.",
            path),
    };

    /// <summary>Something stands in the way.</summary>
    public static BackupException InTheWay(EntryPath path, string what) => new(
        FailureKind.RestoreFailed,
        $"{path} in the destination is {what}.",
        "Move it away, or restore to an empty destination.",
        path);

    /// <summary>The archive names a path that no honest archive holds.</summary>
    public static BackupException Dishonest(EntryPath path, string reason) => new(
        FailureKind.ArchiveCorrupt,
        $"The archive holds {path}, {reason}; nothing is written there.",
        "Do not trust this archive: find out where it comes from.",
        path);
}
