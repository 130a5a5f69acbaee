using System.Globalization;
using System.Text;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Outside.Posix;
using BotCore.Backup.Engine.Stores.Leases;

namespace BotCore.Backup.Engine.Stores;

/// <summary>
/// The lease of a <see cref="FolderStore"/>: a lock on a small file, which the system gives back when the process dies, however it dies. The file says who
/// holds it and stays behind empty: removing a locked file by name cannot be done without a race.
/// </summary>
internal sealed class FolderLease : StoreLease
{
    private readonly FileStream _file;

    private FolderLease(FileStream file) => _file = file;

    public static FolderLease Acquire(FolderStore store, string folder)
    {
        var path = store.Locate($".botbackup/{folder}.lease");
        FolderStore.MakeFolders(System.IO.Path.GetDirectoryName(path)!);
        FileStream file;
        try
        {
            file = new FileStream(path, PrivateFiles.Options(FileMode.OpenOrCreate, FileAccess.ReadWrite));
        }
        catch (IOException held) when (IsHeld(held) && File.Exists(path))
        {
            throw new BackupException(
                FailureKind.Locked, $"Another run is at work on '{folder}' in {store.Location}{Holder(path)}.", "Wait until it has ended, then run again.", store.Location, held);
        }

        var holder = string.Create(CultureInfo.InvariantCulture, $"process {Environment.ProcessId} on {Environment.MachineName} since {DateTime.UtcNow:yyyy-MM-dd HH:mm:ss}Z");
        try
        {
            file.SetLength(0);
            file.Write(Encoding.UTF8.GetBytes(holder));
            file.Flush();
            return new FolderLease(file);
        }
        catch
        {
            // A full disk: the lock must not outlive the attempt.
            file.Dispose();
            throw;
        }
    }

    // As long as the file is open the system holds the lock for this process.
    public override void Demand(CancellationToken token) => ObjectDisposedException.ThrowIf(!_file.CanWrite, this);

    protected override void Dispose(bool disposing)
    {
        if (!disposing)
            return;
        if (_file.CanWrite)
            _file.SetLength(0);
        _file.Dispose();
    }

    // A disk that is read-only, full or broken is no other run.
    private static bool IsHeld(IOException held) =>
        held is not (FileNotFoundException or DirectoryNotFoundException) && held.HResult is not (Errno.EROFS or Errno.ENOSPC or Errno.EDQUOT or Errno.EIO);

    // The lock is advisory, but .NET asks for it even to read: the system is asked past it.
    private static string Holder(string path)
    {
        if (!Syscalls.Supported)
            return "";
        var descriptor = Syscalls.Open(-1, [.. Encoding.UTF8.GetBytes(path), 0], Syscalls.CloseOnExec, 0);
        if (descriptor < 0)
            return "";
        Span<byte> text = stackalloc byte[200];
        var read = Syscalls.Read(descriptor, text, 0);
        _ = Syscalls.Close(descriptor);
        return read > 0 ? ": " + Encoding.UTF8.GetString(text[..read]) : "";
    }
}
