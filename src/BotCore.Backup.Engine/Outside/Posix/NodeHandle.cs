using System.Globalization;
using System.Runtime.InteropServices;
using BotCore.Backup.Engine.Archives;

namespace BotCore.Backup.Engine.Outside.Posix;

/// <summary>
/// Owner, mode, time and attributes of an open node, so that no name is looked up twice. A descriptor opened with O_PATH (links, FIFOs,
/// devices) refuses these calls; its name under /proc leads to that very node, a symbolic link itself included.
/// Gives results as <see cref="Syscalls"/> does. Does not own the descriptor.
/// </summary>
internal readonly partial struct NodeHandle(int descriptor, bool pathOnly)
{
    private const string Libc = "libc";
    private const long OmitTime = 0x3FFFFFFE;

    /// <summary>The open descriptor.</summary>
    public int Descriptor { get; } = descriptor;

    /// <summary>Puts the names of all attributes, each with a NUL, into <paramref name="buffer"/>; ERANGE when it is too small.</summary>
    public int ListAttributes(Span<byte> buffer) =>
        Checked(pathOnly ? PathList(ProcPath(stackalloc byte[32]), buffer, (nuint)buffer.Length) : List(Descriptor, buffer, (nuint)buffer.Length));

    /// <summary>Puts the value of one attribute into <paramref name="buffer"/>; ERANGE when it is too small.</summary>
    public int GetAttribute(ReadOnlySpan<byte> name, Span<byte> buffer) =>
        Checked(pathOnly
            ? PathGet(ProcPath(stackalloc byte[32]), name, buffer, (nuint)buffer.Length)
            : Get(Descriptor, name, buffer, (nuint)buffer.Length));

    public int SetAttribute(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) =>
        Checked(pathOnly
            ? PathSet(ProcPath(stackalloc byte[32]), name, value, (nuint)value.Length, 0)
            : Set(Descriptor, name, value, (nuint)value.Length, 0));

    public int RemoveAttribute(ReadOnlySpan<byte> name) =>
        Checked(pathOnly ? PathRemove(ProcPath(stackalloc byte[32]), name) : Remove(Descriptor, name));

    /// <summary>Changes owner and group; <see cref="uint.MaxValue"/> leaves one as it is.</summary>
    public int SetOwner(uint user, uint group) =>
        Checked(pathOnly ? PathChown(ProcPath(stackalloc byte[32]), user, group) : Fchown(Descriptor, user, group));

    public int SetMode(int mode) =>
        Checked(pathOnly ? PathChmod(ProcPath(stackalloc byte[32]), (uint)mode) : Fchmod(Descriptor, (uint)mode));

    /// <summary>Sets the time of last change of the content and leaves that of last access.</summary>
    public int SetModified(UnixTime time)
    {
        ReadOnlySpan<long> times = [0, OmitTime, time.Seconds, time.Nanoseconds];
        return Checked(pathOnly
            ? PathUtimens(Syscalls.CurrentFolder, ProcPath(stackalloc byte[32]), times, 0)
            : Futimens(Descriptor, times));
    }

    private static int Checked(nint result) => result >= 0 ? (int)result : -Marshal.GetLastPInvokeError();

    private ReadOnlySpan<byte> ProcPath(Span<byte> buffer)
    {
        System.Text.Unicode.Utf8.TryWrite(buffer, CultureInfo.InvariantCulture, $"/proc/self/fd/{Descriptor}\0", out var written);
        return buffer[..written];
    }

    [LibraryImport(Libc, EntryPoint = "flistxattr", SetLastError = true)]
    private static partial nint List(int descriptor, Span<byte> buffer, nuint length);

    [LibraryImport(Libc, EntryPoint = "listxattr", SetLastError = true)]
    private static partial nint PathList(ReadOnlySpan<byte> path, Span<byte> buffer, nuint length);

    [LibraryImport(Libc, EntryPoint = "fgetxattr", SetLastError = true)]
    private static partial nint Get(int descriptor, ReadOnlySpan<byte> name, Span<byte> buffer, nuint length);

    [LibraryImport(Libc, EntryPoint = "getxattr", SetLastError = true)]
    private static partial nint PathGet(ReadOnlySpan<byte> path, ReadOnlySpan<byte> name, Span<byte> buffer, nuint length);

    [LibraryImport(Libc, EntryPoint = "fsetxattr", SetLastError = true)]
    private static partial int Set(int descriptor, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, nuint length, int flags);

    [LibraryImport(Libc, EntryPoint = "setxattr", SetLastError = true)]
    private static partial int PathSet(ReadOnlySpan<byte> path, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, nuint length, int flags);

    [LibraryImport(Libc, EntryPoint = "fremovexattr", SetLastError = true)]
    private static partial int Remove(int descriptor, ReadOnlySpan<byte> name);

    [LibraryImport(Libc, EntryPoint = "removexattr", SetLastError = true)]
    private static partial int PathRemove(ReadOnlySpan<byte> path, ReadOnlySpan<byte> name);

    [LibraryImport(Libc, EntryPoint = "fchown", SetLastError = true)]
    private static partial int Fchown(int descriptor, uint user, uint group);

    [LibraryImport(Libc, EntryPoint = "chown", SetLastError = true)]
    private static partial int PathChown(ReadOnlySpan<byte> path, uint user, uint group);

    [LibraryImport(Libc, EntryPoint = "fchmod", SetLastError = true)]
    private static partial int Fchmod(int descriptor, uint mode);

    [LibraryImport(Libc, EntryPoint = "chmod", SetLastError = true)]
    private static partial int PathChmod(ReadOnlySpan<byte> path, uint mode);

    [LibraryImport(Libc, EntryPoint = "futimens", SetLastError = true)]
    private static partial int Futimens(int descriptor, ReadOnlySpan<long> times);

    [LibraryImport(Libc, EntryPoint = "utimensat", SetLastError = true)]
    private static partial int PathUtimens(int folder, ReadOnlySpan<byte> path, ReadOnlySpan<long> times, int flags);
}
