using System.Runtime.InteropServices;

namespace BotCore.Backup.Engine.Outside.Posix;

internal static partial class Syscalls
{
    public static int MakeFolder(int folder, ReadOnlySpan<byte> name, int mode) => Checked(NativeMkdirAt(folder, name, (uint)mode));

    /// <summary>mknodat for FIFOs and devices; the kernel's own packing of major and minor, 12 and 20 bits.</summary>
    public static int MakeNode(int folder, ReadOnlySpan<byte> name, FileType type, int mode, uint major, uint minor)
    {
        if (major > 0xFFF || minor > 0xFFFFF)
            return -Errno.EINVAL;
        var device = (minor & 0xFF) | (major << 8) | ((minor & ~0xFFu) << 12);
        return (int)Checked(NativeMknodAt(IsArm ? 33 : 259, folder, name, (nuint)((int)type | mode), device));
    }

    public static int MakeSymbolicLink(ReadOnlySpan<byte> target, int folder, ReadOnlySpan<byte> name) => Checked(NativeSymlinkAt(target, folder, name));

    public static int Rename(int fromFolder, ReadOnlySpan<byte> from, int toFolder, ReadOnlySpan<byte> to) =>
        Checked(NativeRenameAt(fromFolder, from, toFolder, to));

    /// <summary>pwrite: bytes written, which may be fewer.</summary>
    public static int Write(int descriptor, ReadOnlySpan<byte> buffer, long offset)
    {
        int result;
        do
            result = (int)Checked(NativePwrite(descriptor, buffer, (nuint)buffer.Length, offset));
        while (result == -Errno.EINTR);
        return result;
    }

    public static int SetLength(int descriptor, long length) => Checked(NativeFtruncate(descriptor, length));

    /// <summary>Begins to write a part of the file to the disk and does not wait. A hint: errors mean nothing, fsync tells them.</summary>
    public static void StartWriting(int descriptor, long offset, long length) => _ = NativeSyncFileRange(descriptor, offset, length, 2);

    [LibraryImport(Libc, EntryPoint = "sync_file_range")]
    private static partial int NativeSyncFileRange(int descriptor, long offset, long length, uint flags);

    [LibraryImport(Libc, EntryPoint = "mkdirat", SetLastError = true)]
    private static partial int NativeMkdirAt(int folder, ReadOnlySpan<byte> name, uint mode);

    [LibraryImport(Libc, EntryPoint = "syscall", SetLastError = true)]
    private static partial long NativeMknodAt(nint number, nint folder, ReadOnlySpan<byte> name, nuint mode, nuint device);

    [LibraryImport(Libc, EntryPoint = "symlinkat", SetLastError = true)]
    private static partial int NativeSymlinkAt(ReadOnlySpan<byte> target, int folder, ReadOnlySpan<byte> name);

    [LibraryImport(Libc, EntryPoint = "renameat", SetLastError = true)]
    private static partial int NativeRenameAt(int fromFolder, ReadOnlySpan<byte> from, int toFolder, ReadOnlySpan<byte> to);

    [LibraryImport(Libc, EntryPoint = "pwrite", SetLastError = true)]
    private static partial nint NativePwrite(int descriptor, ReadOnlySpan<byte> buffer, nuint length, long offset);

    [LibraryImport(Libc, EntryPoint = "ftruncate", SetLastError = true)]
    private static partial int NativeFtruncate(int descriptor, long length);
}
