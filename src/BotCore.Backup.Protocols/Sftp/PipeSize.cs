using System.IO.Pipes;
using System.Runtime.InteropServices;

namespace BotCore.Backup.Protocols.Sftp;

/// <summary>Widens a pipe on Linux from 64 KiB, so that a packet goes through it at once instead of in turns. Where that is refused, it stays as it is.</summary>
internal static partial class PipeSize
{
    private const int SetPipeSize = 1031;
    private const int Wide = 1 << 20;

    public static void Widen(Stream stream)
    {
        if (!OperatingSystem.IsLinux() || stream is not PipeStream pipe)
            return;
        var handle = pipe.SafePipeHandle;
        var added = false;
        try
        {
            handle.DangerousAddRef(ref added);
            _ = Fcntl((int)handle.DangerousGetHandle(), SetPipeSize, Wide);
        }
        finally
        {
            if (added)
                handle.DangerousRelease();
        }
    }

    [LibraryImport("libc", EntryPoint = "fcntl")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Fcntl(int descriptor, int command, int argument);
}
