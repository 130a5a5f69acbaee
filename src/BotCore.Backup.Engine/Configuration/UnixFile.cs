using System.Runtime.InteropServices;
using BotCore.Backup.Engine.Events;
using Microsoft.Win32.SafeHandles;

namespace BotCore.Backup.Engine.Configuration;

/// <summary>What .NET does not say about files on Unix: owner, kind, whether this user may write, and errors of fsync.</summary>
internal static partial class UnixFile
{
    /// <summary>The mode bits that must be clear on a secret.</summary>
    internal const int GroupAndOthers = 0x3F;

    private const int CurrentFolder = -100;
    private const int EmptyPath = 0x1000;
    private const uint BasicStatus = 0x7FF;
    private const int WriteAndSearch = 3;
    private const int CloseOnExecute = 0x80000;

    /// <summary>Kind, mode and owner behind <paramref name="path"/>, links followed; null where it is not there, or not on Linux.</summary>
    internal static FileStatus? Status(string path) => OperatingSystem.IsLinux() ? Read(CurrentFolder, path, 0) : null;

    /// <summary>The same of an open file.</summary>
    internal static FileStatus? Status(SafeFileHandle file) => OperatingSystem.IsLinux() ? Read((int)file.DangerousGetHandle(), string.Empty, EmptyPath) : null;

    /// <summary>The user that this process acts as.</summary>
    internal static uint CurrentUser() => EffectiveUser();

    /// <summary>Whether this user may make files in a folder: also no on a read-only file system. Yes on Windows, where only trying tells.</summary>
    internal static bool MayWrite(string folder) => OperatingSystem.IsWindows() || Access(folder, WriteAndSearch) == 0;

    internal static string Octal(int mode) => "0" + Convert.ToString(mode & 0xFFF, 8).PadLeft(3, '0');

    /// <summary>Forces a file to the disk; the FileStream's own flush hides the error.</summary>
    internal static void Sync(SafeFileHandle file, string path)
    {
        if (OperatingSystem.IsWindows())
            RandomAccess.FlushToDisk(file);
        else if (Sync((int)file.DangerousGetHandle()) != 0)
            throw NotSynced(path);
    }

    /// <summary>Forces a folder's entries to the disk.</summary>
    internal static void SyncFolder(string path)
    {
        if (OperatingSystem.IsWindows())
            return;
        var folder = Open(path, OperatingSystem.IsLinux() ? CloseOnExecute : 0);
        if (folder < 0)
            throw NotSynced(path);
        var result = Sync(folder);
        var error = Marshal.GetLastPInvokeError();
        _ = Close(folder);
        Marshal.SetLastPInvokeError(error);
        if (result != 0)
            throw NotSynced(path);
    }

    private static BackupException NotSynced(string path) => new(
        FailureKind.AccessDenied,
        $"{path} could not be written to the disk safely: {Marshal.GetLastPInvokeErrorMessage()}.",
        "Look at the disk and its space, then try again.",
        path);

    // statx has the same layout on every processor, which stat has not: uid at 20, mode at 28.
    private static FileStatus? Read(int folder, string path, int flags)
    {
        Span<byte> status = stackalloc byte[256];
        return StatX(folder, path, flags, BasicStatus, status) == 0
            ? new FileStatus(MemoryMarshal.Read<ushort>(status[28..]), MemoryMarshal.Read<uint>(status[20..]))
            : null;
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int StatX(int folder, string path, int flags, uint mask, Span<byte> status);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial uint EffectiveUser();

    [LibraryImport("libc", EntryPoint = "access", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Access(string path, int mode);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Close(int file);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Sync(int file);

    /// <summary>What the kernel says of a file.</summary>
    /// <param name="Mode">Kind and permission bits as the kernel has them.</param>
    /// <param name="Owner">User id.</param>
    internal readonly record struct FileStatus(ushort Mode, uint Owner)
    {
        internal bool IsRegular => (Mode & 0xF000) == 0x8000;

        internal int Permissions => Mode & 0xFFF;
    }
}
