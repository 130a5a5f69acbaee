using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace BotCore.Backup.Engine.Events;

/// <summary>
/// Turns work on threads of its own into a stream of events. The work is told to stop, and is awaited, when the reader goes away early
/// (<c>| Select-Object -First 1</c> disposes the iterator and nothing else), so no producer is left on a full channel.
/// </summary>
internal static class EventRun
{
    private const int Capacity = 256;

    /// <summary>
    /// Runs <paramref name="work"/> on a thread of its own. A <see cref="BackupException"/> becomes a last <see cref="Failed"/>;
    /// cancellation by <paramref name="token"/> surfaces as <see cref="OperationCanceledException"/> after the work has cleaned up.
    /// </summary>
    public static async IAsyncEnumerable<BackupEvent> Start(string name, Action<Action<BackupEvent>, CancellationToken> work, [EnumeratorCancellation] CancellationToken token)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(token);
        var channel = Channel.CreateBounded<BackupEvent>(new BoundedChannelOptions(Capacity) { SingleReader = true });
        var thread = StartThread(name, () => Produce(channel.Writer, work, linked.Token));
        try
        {
            // Not cancelled itself: the work ends the channel once it has cleaned up, and its last words are worth hearing.
            await foreach (var happened in channel.Reader.ReadAllAsync(CancellationToken.None))
                yield return happened;
        }
        finally
        {
            await linked.CancelAsync();
            await thread;
        }

        token.ThrowIfCancellationRequested();
    }

    private static Task StartThread(string name, Action work)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            try
            {
                work();
            }
            finally
            {
                ended.SetResult();
            }
        })
        { IsBackground = true, Name = name };
        thread.Start();
        return ended.Task;
    }

    private static void Produce(ChannelWriter<BackupEvent> writer, Action<Action<BackupEvent>, CancellationToken> work, CancellationToken token)
    {
        void Tell(BackupEvent happened)
        {
            // Progress is worth nothing late; everything else waits for its reader, or for the end of the run.
            if (happened is Moved { Completed: false })
            {
                writer.TryWrite(happened);
                return;
            }

            while (!writer.TryWrite(happened))
            {
                if (token.IsCancellationRequested)
                    return;
                try
                {
                    if (!writer.WaitToWriteAsync(token).AsTask().GetAwaiter().GetResult())
                        return;
                }
                catch (OperationCanceledException)
                {
                    return;
                }
            }
        }

        try
        {
            work(Tell, token);
            writer.Complete();
        }
        catch (BackupException problem)
        {
            Tell(new Failed(problem.Failure));
            writer.Complete();
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            writer.Complete();
        }
        catch (Exception unforeseen)
        {
            writer.Complete(unforeseen);
        }
    }
}
