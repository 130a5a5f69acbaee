using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Engine.Outside;

/// <summary>
/// The right to be the only process that changes something small, for as long as it is held: a lock on a file, which the system gives back when its holder dies. The file stays; removing it would let two hold it.
/// </summary>
internal sealed class FileLock : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    private readonly FileStream _file;

    private FileLock(FileStream file) => _file = file;

    /// <summary>Waits its turn, ten seconds at most. Throws IOException and UnauthorizedAccessException as the file system does.</summary>
    public static FileLock Take(string path, CancellationToken token)
    {
        var end = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        while (true)
        {
            token.ThrowIfCancellationRequested();
            try
            {
                return new FileLock(new FileStream(path, PrivateFiles.Options(FileMode.OpenOrCreate, FileAccess.ReadWrite)));
            }
            catch (IOException) when (File.Exists(path) && Environment.TickCount64 < end)
            {
                token.WaitHandle.WaitOne(Pause);
            }
        }
    }

    public void Dispose() => _file.Dispose();
}
