using System.Diagnostics;
using BotCore.Backup.Engine.Catalog;

namespace BotCore.Backup.Engine.Events;

/// <summary>Turns a stream of positions into at most five <see cref="Moved"/> a second with rate and time left, and a last one at the end.</summary>
internal sealed class RunProgress(string activity, long total, Action<BackupEvent> tell) : IDisposable
{
    private static readonly long Interval = Stopwatch.Frequency / 5;

    private readonly long _began = Stopwatch.GetTimestamp();
    private long _next;

    /// <summary>Bytes done so far. <paramref name="status"/> is asked only when it is shown.</summary>
    public void Move(long done, Func<string> status)
    {
        var now = Stopwatch.GetTimestamp();
        if (now < _next)
            return;
        _next = now + Interval;
        tell(new Moved(activity, Describe(done, Stopwatch.GetElapsedTime(_began, now), status()), done, total));
    }

    public void Dispose() => tell(new Moved(activity, "", total, total, Completed: true));

    private string Describe(long done, TimeSpan elapsed, string status)
    {
        var rate = elapsed.TotalSeconds > 0.5 ? done / elapsed.TotalSeconds : 0;
        if (rate <= 0)
            return status;
        var left = total > done ? $", {TimeSpan.FromSeconds((total - done) / rate):hh\\:mm\\:ss} left" : "";
        return $"{new ByteSize(done)}, {new ByteSize((long)rate)}/s{left}: {status}";
    }
}
