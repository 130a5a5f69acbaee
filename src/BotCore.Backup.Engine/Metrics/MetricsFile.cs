using System.Text;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Outside;

namespace BotCore.Backup.Engine.Metrics;

/// <summary>
/// METRICS_FILE: what the node exporter's textfile collector reads. It is its own memory: each change reads it, changes what it knows better, and puts a whole new file in its place by a rename, so that a reader
/// never sees half of one. Changes of several processes wait for each other. Readable by all, since the exporter runs as somebody else.
/// </summary>
internal static class MetricsFile
{
    private const int MaximumLength = 16 << 20;

    /// <summary>Changes the file; throws AccessDenied or StoreFull where it cannot be written. A file that is not ours, or damaged, is begun anew.</summary>
    public static void Update(string path, Action<MetricBook> change, CancellationToken token)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            using var alone = FileLock.Take(path + ".lock", token);
            var book = new MetricBook(Read(path) ?? []);
            change(book);
            Replace(path, Encoding.UTF8.GetBytes(MetricText.Write(book.Samples)));
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(FailureKind.AccessDenied, $"The metrics could not be written to {path}: {cause.Message}", "Make the folder of METRICS_FILE writable, and look at its disk's space.", path, cause);
        }
    }

    /// <summary>What the file says; null where there is none, or it is not one of ours.</summary>
    public static IReadOnlyList<MetricSample>? Read(string path)
    {
        var file = new FileInfo(path);
        return file is { Exists: true, Length: <= MaximumLength } ? MetricText.Read(File.ReadAllText(path)) : null;
    }

    private static void Replace(string path, byte[] content)
    {
        // Not ending in .prom: the collector reads whatever does.
        var temporary = $"{path}.{Environment.ProcessId}.tmp";
        try
        {
            using (var file = new FileStream(temporary, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, Share = FileShare.None, BufferSize = 0 }))
            {
                if (!OperatingSystem.IsWindows())
                    File.SetUnixFileMode(file.SafeFileHandle, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
                file.Write(content);
                UnixFile.Sync(file.SafeFileHandle, temporary);
            }

            File.Move(temporary, path, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }
}
