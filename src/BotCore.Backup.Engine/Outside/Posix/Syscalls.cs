using System.Runtime.InteropServices;

namespace BotCore.Backup.Engine.Outside.Posix;

/// <summary>
/// System calls, on bytes. Every method gives what the call gives, or the error number made negative, as the kernel itself does.
/// Paths and names are spans that end with a NUL byte. Interrupted calls are repeated.
/// The calls that older libraries do not export (statx and renameat2 in musl, mknodat in glibc before 2.33) go by number.
/// </summary>
internal static partial class Syscalls
{
    public const int CurrentFolder = -100;
    public const int EmptyPath = 0x1000;
    public const int NoFollow = 0x100;
    public const int RemoveFolder = 0x200;

    /// <summary>O_RDONLY | O_DIRECTORY | O_CLOEXEC.</summary>
    public static readonly int OpenFolder = CloseOnExec | (IsArm ? 0x4000 : 0x10000);

    /// <summary>O_NOFOLLOW.</summary>
    public static readonly int OpenNoFollow = IsArm ? 0x8000 : 0x20000;

    public const int OpenNoAccessTime = 0x40000;
    public const int OpenNonBlocking = 0x800;

    /// <summary>O_PATH: a handle to the node itself, whatever it is, without opening its content.</summary>
    public const int OpenPathOnly = 0x200000;

    /// <summary>O_RDWR | O_CREAT | O_EXCL.</summary>
    public const int OpenNew = 0x2 | 0x40 | 0x80;
    public const int CloseOnExec = 0x80000;

    private const string Libc = "libc";
    private const uint StatxBasic = 0x7FF;
    private const int RenameNoReplaceFlag = 1;

    /// <summary>Whether this process can make these calls: 64-bit Linux on x64 or arm64.</summary>
    public static bool Supported { get; } =
        OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64;

    private static bool IsArm => RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    /// <summary>openat. The descriptor is the caller's to close.</summary>
    public static int Open(int folder, ReadOnlySpan<byte> name, int flags, int mode)
    {
        int result;
        do
            result = Checked(NativeOpenAt(folder, name, flags, mode));
        while (result == -Errno.EINTR);
        return result;
    }

    /// <summary>close; not repeated when interrupted, since Linux has closed it by then.</summary>
    public static int Close(int descriptor) => Checked(NativeClose(descriptor));

    public static int Fsync(int descriptor)
    {
        int result;
        do
            result = Checked(NativeFsync(descriptor));
        while (result == -Errno.EINTR);
        return result;
    }

    /// <summary>statx of <paramref name="name"/> in the open folder <paramref name="folder"/>.</summary>
    public static int Status(int folder, ReadOnlySpan<byte> name, bool follow, out FileStatus status) =>
        Checked((int)NativeStatx(IsArm ? 291 : 332, folder, name, follow ? 0 : NoFollow, StatxBasic, out status));

    /// <summary>statx of an open descriptor.</summary>
    public static int Status(int descriptor, out FileStatus status) =>
        Checked((int)NativeStatx(IsArm ? 291 : 332, descriptor, "\0"u8, EmptyPath, StatxBasic, out status));

    /// <summary>renameat2 with RENAME_NOREPLACE.</summary>
    public static int RenameNoReplace(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to) =>
        Checked((int)NativeRename2(IsArm ? 276 : 316, CurrentFolder, from, CurrentFolder, to, RenameNoReplaceFlag));

    public static int Link(int fromFolder, ReadOnlySpan<byte> from, int toFolder, ReadOnlySpan<byte> to) =>
        Checked(NativeLinkAt(fromFolder, from, toFolder, to, 0));

    public static int Unlink(int folder, ReadOnlySpan<byte> name, int flags = 0) => Checked(NativeUnlinkAt(folder, name, flags));

    /// <summary>Free bytes for this user on the file system of the open <paramref name="descriptor"/>, or a negative error number.</summary>
    public static long FreeSpace(int descriptor) =>
        Checked(NativeFstatvfs(descriptor, out var space)) is < 0 and var error ? error : space.Free;

    /// <summary>Free bytes for this user on the file system of <paramref name="path"/>, or a negative error number.</summary>
    public static long FreeSpace(ReadOnlySpan<byte> path) =>
        Checked(NativeStatvfs(path, out var space)) is < 0 and var error ? error : space.Free;

    public static uint EffectiveUser() => NativeGeteuid();

    /// <summary>fcntl F_DUPFD_CLOEXEC.</summary>
    public static int Duplicate(int descriptor) => Checked(NativeFcntl(descriptor, 1030, 0));

    /// <summary>syncfs: waits until everything on that file system is on the disk, and tells what went wrong since it was opened.</summary>
    public static int SyncFileSystem(int descriptor) => Checked(NativeSyncfs(descriptor));

    private static int Checked(int result) => result >= 0 ? result : -Marshal.GetLastPInvokeError();

    private static long Checked(long result) => result >= 0 ? result : -Marshal.GetLastPInvokeError();

    [LibraryImport(Libc, EntryPoint = "openat", SetLastError = true)]
    private static partial int NativeOpenAt(int folder, ReadOnlySpan<byte> path, int flags, int mode);

    [LibraryImport(Libc, EntryPoint = "close", SetLastError = true)]
    private static partial int NativeClose(int descriptor);

    [LibraryImport(Libc, EntryPoint = "fcntl", SetLastError = true)]
    private static partial int NativeFcntl(int descriptor, int command, nint argument);

    [LibraryImport(Libc, EntryPoint = "syncfs", SetLastError = true)]
    private static partial int NativeSyncfs(int descriptor);

    [LibraryImport(Libc, EntryPoint = "fsync", SetLastError = true)]
    private static partial int NativeFsync(int descriptor);

    [LibraryImport(Libc, EntryPoint = "syscall", SetLastError = true)]
    private static partial long NativeStatx(nint number, nint folder, ReadOnlySpan<byte> path, nint flags, nuint mask, out FileStatus status);

    [LibraryImport(Libc, EntryPoint = "syscall", SetLastError = true)]
    private static partial long NativeRename2(nint number, nint fromFolder, ReadOnlySpan<byte> from, nint toFolder, ReadOnlySpan<byte> to, nint flags);

    [LibraryImport(Libc, EntryPoint = "linkat", SetLastError = true)]
    private static partial int NativeLinkAt(int fromFolder, ReadOnlySpan<byte> from, int toFolder, ReadOnlySpan<byte> to, int flags);

    [LibraryImport(Libc, EntryPoint = "unlinkat", SetLastError = true)]
    private static partial int NativeUnlinkAt(int folder, ReadOnlySpan<byte> name, int flags);

    [LibraryImport(Libc, EntryPoint = "statvfs", SetLastError = true)]
    private static partial int NativeStatvfs(ReadOnlySpan<byte> path, out FileSystemStatus status);

    [LibraryImport(Libc, EntryPoint = "fstatvfs", SetLastError = true)]
    private static partial int NativeFstatvfs(int descriptor, out FileSystemStatus status);

    [LibraryImport(Libc, EntryPoint = "geteuid")]
    private static partial uint NativeGeteuid();

    /// <summary>The head of <c>struct statvfs</c>, equal in glibc and musl on 64-bit machines; the size has room to spare.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct FileSystemStatus
    {
        [FieldOffset(8)]
        public ulong FragmentSize;
        [FieldOffset(32)]
        public ulong AvailableFragments;

        public readonly long Free => (long)Math.Min(AvailableFragments * FragmentSize, long.MaxValue);
    }
}
