using System.Runtime.ExceptionServices;

namespace BotCore.Backup.Engine.Compression;

/// <summary>What travels through an <see cref="OrderedPipeline{TItem}"/>.</summary>
internal abstract class PipelineItem
{
    /// <summary>Set under the pipeline's lock when a worker is through with it.</summary>
    internal bool Done { get; set; }

    /// <summary>What the worker threw.</summary>
    internal ExceptionDispatchInfo? Error { get; set; }
}

/// <summary>The work of one thread. Not thread-safe.</summary>
internal interface IPipelineWorker<in TItem> : IDisposable
{
    void Work(TItem item);
}

/// <summary>
/// Items go in at one end, several threads work on them at once, and they come out at the other end in the order they went in. The number of items is fixed:
/// <see cref="Rent"/> waits for one to be returned, so memory is bounded. A worker's error comes out in its item's place; everything before it comes out whole.
/// One lock guards all: an item is about 1 MiB of work, beside which the lock is nothing.
/// </summary>
internal sealed class OrderedPipeline<TItem> : IDisposable
    where TItem : PipelineItem
{
    private readonly object _gate = new();
    private readonly Stack<TItem> _free = new();
    private readonly Queue<TItem> _waiting = new();
    private readonly Queue<TItem> _ordered = new();
    private readonly Thread[] _threads;
    private readonly Func<TItem> _createItem;
    private readonly Func<IPipelineWorker<TItem>> _createWorker;
    private readonly CancellationTokenRegistration _registration;
    private int _uncreated;
    private bool _finished;
    private ExceptionDispatchInfo? _endError;
    private ExceptionDispatchInfo? _failure;

    public OrderedPipeline(
        string name,
        int threads,
        int capacity,
        Func<TItem> createItem,
        Func<IPipelineWorker<TItem>> createWorker,
        CancellationToken token)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        _createItem = createItem;
        _createWorker = createWorker;
        _uncreated = capacity;
        _threads = new Thread[threads];
        for (var i = 0; i < threads; i++)
            _threads[i] = new Thread(Work) { IsBackground = true, Name = $"{name} {i + 1}" };
        try
        {
            foreach (var thread in _threads)
                thread.Start();
        }
        catch (Exception e)
        {
            // The system is out of threads: those that run must not stay.
            Fail(e);
            throw;
        }

        _registration = token.UnsafeRegister(static (state, token) => ((OrderedPipeline<TItem>)state!).Fail(new OperationCanceledException(token)), this);
    }

    /// <summary>An item to fill: waits until there is one. Throws what stopped the pipeline.</summary>
    public TItem Rent()
    {
        lock (_gate)
        {
            while (true)
            {
                ThrowIfFailed();
                if (_free.TryPop(out var item))
                    return item;
                if (_uncreated > 0)
                {
                    _uncreated--;
                    return _createItem();
                }

                Monitor.Wait(_gate);
            }
        }
    }

    /// <summary>Puts an item in, behind all before. Does not wait.</summary>
    public void Submit(TItem item)
    {
        lock (_gate)
        {
            ThrowIfFailed();
            if (_finished)
                throw new InvalidOperationException("The pipeline was finished already.");

            item.Done = false;
            item.Error = null;
            _waiting.Enqueue(item);
            _ordered.Enqueue(item);
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Says that no more items come. <paramref name="error"/> comes out where the next item would have.</summary>
    public void Finish(Exception? error = null)
    {
        lock (_gate)
        {
            _endError ??= error is null ? null : ExceptionDispatchInfo.Capture(error);
            _finished = true;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>The next item in order: waits until it is worked on. Null after the last. Throws its worker's error, and whatever stopped the pipeline.</summary>
    public TItem? Take()
    {
        lock (_gate)
        {
            while (true)
            {
                ThrowIfFailed();
                if (_ordered.TryPeek(out var item) && item.Done)
                {
                    if (item.Error is not null)
                        Stop(item.Error);
                    ThrowIfFailed();
                    return _ordered.Dequeue();
                }

                if (item is null && _finished)
                {
                    if (_endError is null)
                        return null;
                    Stop(_endError);
                    continue;
                }

                Monitor.Wait(_gate);
            }
        }
    }

    /// <summary>Gives an item back, to be rented again.</summary>
    public void Return(TItem item)
    {
        lock (_gate)
        {
            _free.Push(item);
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Stops everything at once; all who wait or come later get this error. The first call counts.</summary>
    public void Fail(Exception error)
    {
        lock (_gate)
            Stop(ExceptionDispatchInfo.Capture(error));
    }

    /// <summary>Waits for the workers to end, after <see cref="Finish"/> or a failure.</summary>
    public void Join()
    {
        foreach (var thread in _threads)
            thread.Join();
    }

    /// <summary>Throws what stopped the pipeline, if anything did.</summary>
    public void ThrowIfFailed()
    {
        lock (_gate)
            _failure?.Throw();
    }

    /// <summary>Stops, and waits for the workers: for the one item each that they may have in hand.</summary>
    public void Dispose()
    {
        Fail(new ObjectDisposedException(GetType().Name));
        Join();
        _registration.Dispose();
    }

    private void Stop(ExceptionDispatchInfo error)
    {
        _failure ??= error;
        Monitor.PulseAll(_gate);
    }

    private void Work()
    {
        try
        {
            using var worker = _createWorker();
            while (NextWaiting() is { } item)
            {
                var error = Try(worker, item);
                lock (_gate)
                {
                    item.Error = error;
                    item.Done = true;
                    Monitor.PulseAll(_gate);
                }
            }
        }
        catch (Exception e)
        {
            Fail(e);
        }
    }

    private static ExceptionDispatchInfo? Try(IPipelineWorker<TItem> worker, TItem item)
    {
        try
        {
            worker.Work(item);
            return null;
        }
        catch (Exception e)
        {
            return ExceptionDispatchInfo.Capture(e);
        }
    }

    private TItem? NextWaiting()
    {
        lock (_gate)
        {
            while (_failure is null)
            {
                if (_waiting.TryDequeue(out var item))
                    return item;
                if (_finished)
                    return null;
                Monitor.Wait(_gate);
            }

            return null;
        }
    }
}
