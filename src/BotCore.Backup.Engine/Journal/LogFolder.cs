using System.Text;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Outside;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Engine.Journal;

/// <summary>
/// LOG_DIR: appends to its files, so that lines of several processes stand one after the other and whole. Folder 0700 and files 0600 where they are made. The first that cannot be written is told, and nothing is tried
/// after it: a log that fails is never a lost backup.
/// </summary>
internal sealed class LogFolder(string folder, SecretMask mask)
{
    private bool _isOpen;

    /// <summary>Why nothing is logged any more; null where all was written.</summary>
    public Failure? Problem { get; private set; }

    /// <summary>Appends <paramref name="text"/>, which ends with a line feed; secrets are masked.</summary>
    public void Append(string file, string text)
    {
        if (Problem is not null)
            return;
        try
        {
            Open();
            using var alone = FileLock.Take(Path.Combine(folder, ".lock"), CancellationToken.None);
            var options = PrivateFiles.Options(FileMode.OpenOrCreate, FileAccess.Write);
            options.Share = FileShare.ReadWrite | FileShare.Delete;
            using var log = new FileStream(Path.Combine(folder, file), options);
            log.Seek(0, SeekOrigin.End);
            log.Write(Encoding.UTF8.GetBytes(mask.Of(text)));
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            Problem = new Failure(FailureKind.AccessDenied, $"The log {file} could not be written to {folder}: {cause.Message}", "Make LOG_DIR writable for this user, and look at its disk's space.", folder, cause);
        }
    }

    /// <summary>Compresses and removes old logs, where today is the first day that sees this folder.</summary>
    public void Tidy(DateTimeOffset now)
    {
        if (Problem is not null || !Directory.Exists(folder))
            return;
        try
        {
            using var alone = FileLock.Take(Path.Combine(folder, ".lock"), CancellationToken.None);
            LogFiles.Tidy(folder, now);
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            Problem = new Failure(FailureKind.AccessDenied, $"Old logs in {folder} could not be compressed: {cause.Message}", "Make LOG_DIR writable for this user.", folder, cause);
        }
    }

    public bool Has(string file) => File.Exists(Path.Combine(folder, file));

    private void Open()
    {
        if (_isOpen)
            return;
        if (Path.GetDirectoryName(folder) is { Length: > 0 } above)
            Directory.CreateDirectory(above);
        if (!Directory.Exists(folder))
            PrivateFiles.MakeFolder(folder);
        _isOpen = true;
    }
}
