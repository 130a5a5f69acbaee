using System.Runtime.InteropServices;

namespace BotCore.Backup.Engine.Outside.Posix;

/// <summary>Error numbers of Linux, the same on x64 and arm64 (asm-generic/errno.h).</summary>
internal static class Errno
{
    public const int EPERM = 1;
    public const int ENOENT = 2;
    public const int EINTR = 4;
    public const int EIO = 5;
    public const int ENXIO = 6;
    public const int EACCES = 13;
    public const int EEXIST = 17;
    public const int ENOTDIR = 20;
    public const int EISDIR = 21;
    public const int EINVAL = 22;
    public const int ENOSPC = 28;
    public const int EROFS = 30;
    public const int ERANGE = 34;
    public const int ENAMETOOLONG = 36;
    public const int ENOSYS = 38;
    public const int ENOTEMPTY = 39;
    public const int ELOOP = 40;
    public const int ENODATA = 61;
    public const int ENOTSUP = 95;
    public const int ESTALE = 116;
    public const int EDQUOT = 122;

    /// <summary>What the system says about <paramref name="errno"/>, for people: <c>No space left on device (ENOSPC)</c>.</summary>
    public static string Describe(int errno) => $"{Marshal.GetPInvokeErrorMessage(errno)} ({Name(errno)})";

    /// <summary>The symbol of <paramref name="errno"/>; <c>errno 99</c> for the rare ones.</summary>
    public static string Name(int errno) => errno switch
    {
        EPERM => nameof(EPERM),
        ENOENT => nameof(ENOENT),
        EINTR => nameof(EINTR),
        EIO => nameof(EIO),
        ENXIO => nameof(ENXIO),
        9 => "EBADF",
        12 => "ENOMEM",
        EACCES => nameof(EACCES),
        16 => "EBUSY",
        EEXIST => nameof(EEXIST),
        18 => "EXDEV",
        ENOTDIR => nameof(ENOTDIR),
        EISDIR => nameof(EISDIR),
        EINVAL => nameof(EINVAL),
        23 => "ENFILE",
        24 => "EMFILE",
        26 => "ETXTBSY",
        27 => "EFBIG",
        ENOSPC => nameof(ENOSPC),
        EROFS => nameof(EROFS),
        31 => "EMLINK",
        ERANGE => nameof(ERANGE),
        ENAMETOOLONG => nameof(ENAMETOOLONG),
        ENOSYS => nameof(ENOSYS),
        ENOTEMPTY => nameof(ENOTEMPTY),
        ELOOP => nameof(ELOOP),
        ENODATA => nameof(ENODATA),
        ENOTSUP => nameof(ENOTSUP),
        ESTALE => nameof(ESTALE),
        EDQUOT => nameof(EDQUOT),
        _ => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"errno {errno}"),
    };
}

/// <summary>
/// A system call that failed. Callers turn it into a Failure of their own, by <see cref="Number"/>;
/// being an <see cref="IOException"/> it is also caught where any failed IO is.
/// </summary>
internal sealed class PosixException : IOException
{
    /// <summary>Tells which <paramref name="call"/> on which <paramref name="path"/> failed with <paramref name="errno"/>.</summary>
    public PosixException(int errno, string call, string path)
        : base($"{call} of {path} failed: {Errno.Describe(errno)}.", errno) => Number = errno;

    /// <summary>The error number, such as <see cref="Errno.ENOSPC"/>.</summary>
    public int Number { get; }

    /// <summary>The disk or the quota is used up.</summary>
    public bool IsFull => Number is Errno.ENOSPC or Errno.EDQUOT;

    /// <summary>Access was refused, or the file system is read-only.</summary>
    public bool IsDenied => Number is Errno.EACCES or Errno.EPERM or Errno.EROFS;
}
