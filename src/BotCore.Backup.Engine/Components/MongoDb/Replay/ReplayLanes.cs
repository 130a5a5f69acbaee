using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Replay;

/// <summary>
/// Several threads that write, each with its own connection. All changes of one document go through one lane, so their order holds; between documents there is none.
/// Used by one thread, which fills the batches.
/// </summary>
internal sealed class ReplayLanes : IDisposable
{
    private const int QueuedBatches = 2;

    private readonly IReplayTarget _target;
    private readonly MissingDocuments _missing;
    private readonly ReplayOptions _options;
    private readonly CancellationTokenSource _stop;
    private readonly Lane[] _lanes;
    private readonly ConcurrentBag<ReplayBatch> _spare = [];
    private readonly Lock _state = new();
    private readonly List<ReplayBatch> _running = [];
    private readonly ManualResetEventSlim _idle = new(initialState: true);
    private ExceptionDispatchInfo? _failure;
    private int _queued;

    public ReplayLanes(IReplayTarget target, MissingDocuments missing, ReplayOptions options, CancellationToken token)
    {
        _target = target;
        _missing = missing;
        _options = options;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(token);
        _lanes = [.. Enumerable.Range(0, Math.Max(1, options.Lanes)).Select(_ => new Lane(QueuedBatches))];
    }

    /// <summary>Whether updates must be asked for before they are sent. Changed only while no lane runs.</summary>
    public bool ChecksUpdates { get; set; }

    /// <summary>Time of the first operation that is not known to be applied.</summary>
    public BsonTimestamp? FirstOpen
    {
        get
        {
            lock (_state)
            {
                var open = _lanes.Where(lane => lane.Filling is { Count: > 0 }).Select(lane => lane.Filling!.First).Concat(_running.Select(batch => batch.First)).ToList();
                return open.Count == 0 ? null : open.Min();
            }
        }
    }

    public void Add(ReadOnlySpan<byte> operation, OplogKind kind, CataloguedCollection collection, BsonTimestamp at, ulong hash)
    {
        var lane = _lanes[hash % (ulong)_lanes.Length];
        if (lane.Filling is { } full && !full.Fits(operation.Length, _options.BatchBytes, _options.BatchOperations))
            Post(lane);
        lane.Filling ??= _spare.TryTake(out var spare) ? spare : new ReplayBatch();
        lane.Filling.Add(operation, kind, collection, at);
    }

    /// <summary>Waits until everything that was added is applied. Throws what went wrong in a lane.</summary>
    public void Wait()
    {
        foreach (var lane in _lanes)
            Post(lane);
        _idle.Wait(_stop.Token);
        _failure?.Throw();
    }

    /// <summary>Applies a batch on this thread, with nothing beside it.</summary>
    public void ApplyAlone(ReplayBatch batch)
    {
        Wait();
        new BatchSender(_target, _missing, _stop.Token).Send(batch, ChecksUpdates, atomic: true);
    }

    public void Dispose()
    {
        _stop.Cancel();
        foreach (var lane in _lanes)
            lane.Queue.CompleteAdding();
        foreach (var lane in _lanes)
        {
            lane.Thread?.Join();
            lane.Queue.Dispose();
        }

        _idle.Dispose();
        _stop.Dispose();
    }

    private void Post(Lane lane)
    {
        _failure?.Throw();
        if (lane.Filling is not { Count: > 0 } batch)
            return;
        lock (_state)
        {
            _running.Add(batch);
            _queued++;
            _idle.Reset();
        }

        lane.Filling = null;
        if (lane.Thread is null)
        {
            lane.Thread = new Thread(() => Run(lane)) { IsBackground = true, Name = "oplog replay" };
            lane.Thread.Start();
        }

        lane.Queue.Add(batch, _stop.Token);
    }

    private void Run(Lane lane)
    {
        var sender = new BatchSender(_target, _missing, _stop.Token);
        try
        {
            foreach (var batch in lane.Queue.GetConsumingEnumerable())
            {
                Apply(sender, batch);
                lock (_state)
                {
                    // What was not applied stays open, so that no checkpoint goes beyond it.
                    var applied = _failure is null && _running.Remove(batch);
                    if (--_queued == 0)
                        _idle.Set();
                    if (!applied)
                        continue;
                }

                batch.Clear();
                _spare.Add(batch);
            }
        }
        catch (ObjectDisposedException)
        {
            // The replay was given up.
        }
    }

    // After a failure the queues are only emptied, so that whoever fills them is not left waiting.
    private void Apply(BatchSender sender, ReplayBatch batch)
    {
        if (_failure is not null)
            return;
        try
        {
            _stop.Token.ThrowIfCancellationRequested();
            sender.Send(batch, ChecksUpdates);
        }
        catch (Exception wrong)
        {
            Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(wrong), null);
        }
    }

    private sealed class Lane(int queued)
    {
        public BlockingCollection<ReplayBatch> Queue { get; } = new(queued);

        public ReplayBatch? Filling { get; set; }

        public Thread? Thread { get; set; }
    }
}
