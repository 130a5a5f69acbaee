using System.Security.Cryptography;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Outside.Posix;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Engine.Exports;

/// <summary>
/// Where an export goes: it is made beside its destination under a temporary name, and takes its name as a whole or not at all. Only its owner may open it, as it holds in
/// the clear what was encrypted. Disposing without <see cref="Commit"/> removes what was made. One thread.
/// </summary>
internal sealed class ExportPlace : IDisposable
{
    private readonly ExportRequest _request;
    private readonly string _above;
    private bool _committed;

    public ExportPlace(ExportRequest request)
    {
        _request = request;
        _above = Path.GetDirectoryName(request.Destination)!;
        Partial = Path.Combine(_above, $".{RandomNumberGenerator.GetHexString(16, lowercase: true)}.partial");
    }

    /// <summary>The temporary name; nothing stands there yet.</summary>
    public string Partial { get; }

    /// <summary>Bytes that may be written there.</summary>
    public long FreeSpace => DurableFile.FreeSpace(_above);

    /// <summary>A new file that only its owner may open.</summary>
    public static FileStream Create(string path) => new(path, PrivateFiles.Options(FileMode.CreateNew, FileAccess.Write));

    /// <summary>Waits until a file is on the disk, and closes it.</summary>
    public static void Close(FileStream file)
    {
        DurableFile.Fsync(file.SafeFileHandle, file.Name);
        // What reads it back is to read the disk.
        DurableFile.DropCache(file.SafeFileHandle);
        file.Dispose();
    }

    /// <summary>Gives what was made its name.</summary>
    public void Commit()
    {
        if (_request.Form == ExportForm.Folder)
        {
            // It was empty when the step was planned; what came meanwhile makes this fail.
            if (Directory.Exists(_request.Destination))
                Directory.Delete(_request.Destination);
            DurableFile.RenameNoReplace(Partial, _request.Destination);
        }
        else if (_request.Force)
        {
            File.Move(Partial, _request.Destination, overwrite: true);
        }
        else
        {
            DurableFile.RenameNoReplace(Partial, _request.Destination);
        }

        _committed = true;
        DurableFile.FsyncDirectory(_above);
    }

    /// <summary>Runs <paramref name="work"/> and puts what the file system refuses into a failure.</summary>
    public void Guard(Action work)
    {
        try
        {
            work();
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            throw ToFailure(wrong);
        }
    }

    public void Dispose()
    {
        if (_committed)
            return;
        try
        {
            if (Directory.Exists(Partial))
                Directory.Delete(Partial, recursive: true);
            else
                File.Delete(Partial);
        }
        catch (Exception left) when (left is IOException or UnauthorizedAccessException)
        {
            // What went wrong before is worth more than that this could not be removed.
        }
    }

    private BackupException ToFailure(Exception wrong)
    {
        var target = _request.Destination;
        return wrong switch
        {
            PosixException { Number: Errno.EEXIST or Errno.ENOTEMPTY } => new(
                FailureKind.DestinationNotEmpty, $"Something else was made at {target} meanwhile.", "Give another -Destination.", target, wrong),
            IOException { HResult: Errno.ENOSPC or Errno.EDQUOT } => new(
                FailureKind.StoreFull, $"The disk of {target} is full; nothing of the export was kept.", "Free space there, or give another -Destination.", target, wrong),
            UnauthorizedAccessException or IOException { HResult: Errno.EROFS } => new(
                FailureKind.AccessDenied, $"The system refused to write {target}: {wrong.Message}", "Run as a user that may write there, or give another -Destination.", target, wrong),
            _ => new(FailureKind.RestoreFailed, $"{target} could not be written: {wrong.Message}", "Look at the disk and at the system's log, and run again.", target, wrong),
        };
    }
}
