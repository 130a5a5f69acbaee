using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Configuration;

/// <summary>Writes a file that must not be there yet.</summary>
internal static class NewFile
{
    /// <summary>
    /// Creates <paramref name="path"/> with that mode, and forces it and its name to the disk; a file that could not be written whole is removed.
    /// </summary>
    public static void Write(string path, ReadOnlySpan<byte> content, UnixFileMode mode)
    {
        using var file = Open(path, mode);
        try
        {
            RandomAccess.Write(file.SafeFileHandle, content, fileOffset: 0);
            UnixFile.Sync(file.SafeFileHandle, path);
            UnixFile.SyncFolder(Path.GetDirectoryName(path)!);
        }
        catch (Exception cause)
        {
            // Half a file must not be taken for a whole one; it is ours, since CreateNew made it.
            File.Delete(path);
            if (cause is IOException)
                throw new BackupException(FailureKind.StoreFull, $"{path} could not be written.", "Look at the disk and its space.", path, cause);
            throw;
        }
    }

    private static FileStream Open(string path, UnixFileMode mode)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = mode;
        try
        {
            return new FileStream(path, options);
        }
        catch (DirectoryNotFoundException cause)
        {
            throw new BackupException(FailureKind.ConfigurationMissing, $"The folder of {path} does not exist.", "Create the folder, readable by its owner only.", path, cause);
        }
        catch (UnauthorizedAccessException cause)
        {
            throw new BackupException(FailureKind.AccessDenied, $"{path} cannot be created by this user.", "Choose another folder, or another user.", path, cause);
        }
        catch (IOException cause) when (File.Exists(path) || Directory.Exists(path) || new FileInfo(path).LinkTarget is not null)
        {
            throw new BackupException(
                FailureKind.DestinationNotEmpty, $"{path} exists already, and what is in it may be needed, so it is never overwritten.", "Choose another name.", path, cause);
        }
        catch (IOException cause)
        {
            throw new BackupException(FailureKind.AccessDenied, $"{path} cannot be created.", "Look at the cause, and at the disk.", path, cause);
        }
    }
}
