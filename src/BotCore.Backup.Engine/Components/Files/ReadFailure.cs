using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Outside.Posix;

namespace BotCore.Backup.Engine.Components.Files;

/// <summary>Puts error numbers of reading into words.</summary>
internal static class ReadFailure
{
    /// <summary>For one entry: gone is a warning, all else fails the run.</summary>
    public static SourceProblem Problem(int error, EntryPath path)
    {
        if (error == Errno.ENOENT)
            return new SourceProblem(path, EntryMark.Vanished, $"{path} was removed before it could be read; it is not in the archive.");
        var failure = Failure(error, path, "The entry");
        return new SourceProblem(path, EntryMark.None, failure.Message, failure);
    }

    /// <summary>For what nothing goes on without.</summary>
    public static BackupException Exception(int error, EntryPath path, string what) => new(Failure(error, path, what));

    private static Failure Failure(int error, EntryPath path, string what) => error is Errno.EACCES or Errno.EPERM
        ? new Failure(
            FailureKind.AccessDenied,
            $"{what} {path} may not be read: {Errno.Describe(error)}.",
            "Run the backup as a user who may read it, such as root, or leave it out.",
            path)
        : new Failure(
            FailureKind.SourceUnreachable,
            $"{what} {path} cannot be read: {Errno.Describe(error)}.",
            "Check that it exists and that the disk or network it lies on is well.",
            path);
}
