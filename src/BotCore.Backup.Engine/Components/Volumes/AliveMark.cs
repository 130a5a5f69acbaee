using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Components.Volumes;

/// <summary>
/// A locked file in BACKUP_DIR by which others see that its holder lives: the kernel lets go of the lock when a process ends in whatever way, and containers of one machine, which do not see each other's
/// processes, see it too. Removed when disposed.
/// </summary>
internal sealed class AliveMark : IDisposable
{
    private readonly FileStream _file;

    /// <summary>Makes it.</summary>
    public AliveMark(BotBackupConfiguration settings, string token)
    {
        var path = PathOf(settings, token);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            _file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.None });
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(FailureKind.StoreFull, $"{path} cannot be written, by which others see that this run lives.", "Look at that folder and the space on its disk.", path, wrong);
        }
    }

    /// <summary>Whether the holder is no more; null where there is no such mark.</summary>
    public static bool? IsDead(BotBackupConfiguration settings, string token)
    {
        var path = PathOf(settings, token);
        try
        {
            using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.ReadWrite, Share = FileShare.None });
            return true;
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception held) when (held is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Removes what a dead holder left.</summary>
    public static void Remove(BotBackupConfiguration settings, string token) => File.Delete(PathOf(settings, token));

    /// <inheritdoc/>
    public void Dispose()
    {
        File.Delete(_file.Name);
        _file.Dispose();
    }

    private static string PathOf(BotBackupConfiguration settings, string token) => Path.Combine(settings.BackupDirectory, ".botbackup", "alive", Path.GetFileName(token));
}
