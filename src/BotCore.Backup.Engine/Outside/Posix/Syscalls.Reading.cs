using System.Runtime.InteropServices;

namespace BotCore.Backup.Engine.Outside.Posix;

internal static partial class Syscalls
{
    /// <summary>SEEK_DATA and SEEK_HOLE.</summary>
    public const int SeekData = 3;
    public const int SeekHole = 4;

    /// <summary>getdents64: fills <paramref name="buffer"/> with records of an open folder and gives their length; 0 at the end.</summary>
    public static int ListFolder(int folder, Span<byte> buffer) =>
        (int)Checked(NativeGetdents(IsArm ? 61 : 217, folder, buffer, (nuint)buffer.Length));

    /// <summary>pread: bytes read, 0 at the end of the file.</summary>
    public static int Read(int descriptor, Span<byte> buffer, long offset)
    {
        int result;
        do
            result = (int)Checked(NativePread(descriptor, buffer, (nuint)buffer.Length, offset));
        while (result == -Errno.EINTR);
        return result;
    }

    /// <summary>lseek to data or to a hole; the position is given, or a negative error number.</summary>
    public static long Seek(int descriptor, long offset, int whence) => Checked(NativeSeek(descriptor, offset, whence));

    /// <summary>readlinkat of the symbolic link itself, which <paramref name="link"/> was opened on with O_PATH.</summary>
    public static int ReadLink(int link, Span<byte> buffer) =>
        (int)Checked(NativeReadlinkAt(link, "\0"u8, buffer, (nuint)buffer.Length));

    /// <summary>Says that the file will be read from its beginning to its end, so that the kernel reads ahead further. A hint: errors mean nothing.</summary>
    public static void AdviseSequential(int descriptor) => _ = NativeFadvise(descriptor, 0, 0, 2);

    /// <summary>Says that the file's pages will not be read again, so that the next reader gets them from the disk. A hint: errors mean nothing.</summary>
    public static void AdviseDone(int descriptor) => _ = NativeFadvise(descriptor, 0, 0, 4);

    [LibraryImport(Libc, EntryPoint = "syscall", SetLastError = true)]
    private static partial long NativeGetdents(nint number, nint folder, Span<byte> buffer, nuint length);

    [LibraryImport(Libc, EntryPoint = "pread", SetLastError = true)]
    private static partial nint NativePread(int descriptor, Span<byte> buffer, nuint length, long offset);

    [LibraryImport(Libc, EntryPoint = "lseek", SetLastError = true)]
    private static partial long NativeSeek(int descriptor, long offset, int whence);

    [LibraryImport(Libc, EntryPoint = "readlinkat", SetLastError = true)]
    private static partial nint NativeReadlinkAt(int folder, ReadOnlySpan<byte> name, Span<byte> buffer, nuint length);

    [LibraryImport(Libc, EntryPoint = "posix_fadvise")]
    private static partial int NativeFadvise(int descriptor, long offset, long length, int advice);
}
