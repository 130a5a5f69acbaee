namespace BotCore.Backup.Engine.Stores;

/// <summary>Files and folders that only their owner may open: an archive of configuration holds secrets, encrypted or not. Windows inherits rights instead.</summary>
internal static class PrivateFiles
{
    private const UnixFileMode FileModeBits = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode FolderModeBits = FileModeBits | UnixFileMode.UserExecute;

    /// <summary>Unshared, unbuffered, 0600.</summary>
    public static FileStreamOptions Options(FileMode mode, FileAccess access)
    {
        var options = new FileStreamOptions { Mode = mode, Access = access, Share = FileShare.None, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = FileModeBits;
        return options;
    }

    /// <summary>One folder, 0700; the one above it must be there.</summary>
    public static void MakeFolder(string path)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else
            Directory.CreateDirectory(path, FolderModeBits);
    }
}
