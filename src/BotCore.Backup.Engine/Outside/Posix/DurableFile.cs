using System.Text;
using Microsoft.Win32.SafeHandles;

namespace BotCore.Backup.Engine.Outside.Posix;

/// <summary>Whose a file is, and who may use it.</summary>
/// <param name="UserId">The owner's number.</param>
/// <param name="Mode">Permission bits with setuid, setgid and sticky: 0 to 07777.</param>
internal readonly record struct OwnerAndMode(uint UserId, int Mode);

/// <summary>
/// What a store needs to say "this is on the disk, and it replaced nothing" and mean it. All methods throw
/// <see cref="PosixException"/> (an <see cref="IOException"/>) with the error number; all may be called from any thread.
/// Elsewhere than on Linux they do what .NET offers.
/// </summary>
internal static class DurableFile
{
    /// <summary>Waits until the content of an open file is on the disk. .NET's own flush swallows EIO and ENOSPC here.</summary>
    /// <param name="handle">The open file.</param>
    /// <param name="path">Its name, for the message.</param>
    public static void Fsync(SafeFileHandle handle, string path)
    {
        if (!Syscalls.Supported)
        {
            RandomAccess.FlushToDisk(handle);
            return;
        }

        var held = false;
        try
        {
            handle.DangerousAddRef(ref held);
            Check(Syscalls.Fsync((int)handle.DangerousGetHandle()), "fsync", path);
        }
        finally
        {
            if (held)
                handle.DangerousRelease();
        }
    }

    /// <summary>
    /// Begins to write a part of an open file to the disk, so that <see cref="Fsync"/> has little left to wait for, and a stop need not wait for it either.
    /// </summary>
    public static void StartWriting(SafeFileHandle handle, long offset, long length)
    {
        if (Syscalls.Supported)
            Syscalls.StartWriting((int)handle.DangerousGetHandle(), offset, length);
    }

    /// <summary>Forgets what memory holds of an open file that was synced: who reads it next reads the disk.</summary>
    public static void DropCache(SafeFileHandle handle)
    {
        if (Syscalls.Supported)
            Syscalls.AdviseDone((int)handle.DangerousGetHandle());
    }

    /// <summary>Waits until the names in the folder <paramref name="path"/> are on the disk.</summary>
    public static void FsyncDirectory(string path)
    {
        // Windows has no such thing: NTFS journals its names.
        if (!Syscalls.Supported)
            return;
        var descriptor = Check(Syscalls.Open(Syscalls.CurrentFolder, Terminated(path), Syscalls.OpenFolder, 0), "open", path);
        try
        {
            Check(Syscalls.Fsync(descriptor), "fsync", path);
        }
        finally
        {
            _ = Syscalls.Close(descriptor);
        }
    }

    /// <summary>
    /// Renames within one file system and never replaces: <see cref="PosixException.Number"/> is <see cref="Errno.EEXIST"/> when
    /// <paramref name="to"/> is there. Where the file system lacks that (old kernels, some network file systems) link and unlink do it.
    /// </summary>
    public static void RenameNoReplace(string from, string to)
    {
        if (!Syscalls.Supported)
        {
            File.Move(from, to, overwrite: false);
            return;
        }

        var (source, target) = (Terminated(from), Terminated(to));
        var result = Syscalls.RenameNoReplace(source, target);
        if (result is -Errno.EINVAL or -Errno.ENOSYS or -Errno.ENOTSUP)
        {
            LinkThenUnlink(source, target, from, to);
            return;
        }

        Check(result, "rename", $"{from} to {to}");
    }

    /// <summary>Bytes that this user may still write on the file system of <paramref name="path"/>, which must exist.</summary>
    public static long FreeSpace(string path)
    {
        if (!Syscalls.Supported)
            return new DriveInfo(Path.GetFullPath(path)).AvailableFreeSpace;
        var free = Syscalls.FreeSpace(Terminated(path));
        return free >= 0 ? free : throw new PosixException((int)-free, "statvfs", path);
    }

    /// <summary>Owner and mode of <paramref name="path"/>, symbolic links followed; null where the system has no such thing.</summary>
    public static OwnerAndMode? OwnerAndMode(string path)
    {
        if (!Syscalls.Supported)
            return null;
        Check(Syscalls.Status(Syscalls.CurrentFolder, Terminated(path), follow: true, out var status), "stat", path);
        return new OwnerAndMode(status.UserId, status.Mode);
    }

    /// <summary>Who this process acts as; null where the system has no such thing. 0 is root.</summary>
    public static uint? EffectiveUser => Syscalls.Supported ? Syscalls.EffectiveUser() : null;

    /// <summary>The way without RENAME_NOREPLACE: a link fails when the name is taken, so nothing is replaced here either.</summary>
    internal static void LinkThenUnlink(ReadOnlySpan<byte> source, ReadOnlySpan<byte> target, string from, string to)
    {
        Check(Syscalls.Link(Syscalls.CurrentFolder, source, Syscalls.CurrentFolder, target), "link", $"{from} to {to}");
        Check(Syscalls.Unlink(Syscalls.CurrentFolder, source), "unlink", from);
    }

    /// <summary>The UTF-8 bytes of a path with the NUL that system calls want.</summary>
    internal static byte[] Terminated(string path)
    {
        if (path.Contains('\0', StringComparison.Ordinal))
            throw new PosixException(Errno.EINVAL, "use", path.Replace('\0', '?'));
        var bytes = new byte[Encoding.UTF8.GetByteCount(path) + 1];
        Encoding.UTF8.GetBytes(path, bytes);
        return bytes;
    }

    private static int Check(int result, string call, string path) => result >= 0 ? result : throw new PosixException(-result, call, path);
}
