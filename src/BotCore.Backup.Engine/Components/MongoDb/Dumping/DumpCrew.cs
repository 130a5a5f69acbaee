using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Compression;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumping;

/// <summary>How a dump is made.</summary>
/// <param name="Codec">The archive's codec.</param>
/// <param name="Level">Its level.</param>
/// <param name="Threads">Threads that read, hash and compress.</param>
/// <param name="SpillFolder">Where collections wait whose size is not known yet.</param>
/// <param name="SplitAbove">Bytes from which on a collection is read by several threads.</param>
internal sealed record DumpOptions(ICodec Codec, int Level, int Threads, string SpillFolder, long SplitAbove = 64 << 20)
{
    /// <summary>How long an increment waits for a member that lags behind the end of the chain.</summary>
    public TimeSpan MostLag { get; init; } = OplogPoint.MostWait;
}

/// <summary>
/// The threads that read collections, each its own connection: documents are hashed, packed into blocks and compressed where they are read. Finished collections come out
/// in the order in which they are done. The first error that is not to be mended stops all.
/// </summary>
internal sealed class DumpCrew : IDisposable
{
    private const int MostFinished = 8;

    private readonly MongoClient _client;
    private readonly DumpOptions _options;
    private readonly bool _majority;
    private readonly Action<BackupEvent> _tell;
    private readonly ServerCatalog _catalog;
    private readonly CancellationTokenSource _stop;
    private readonly Queue<CollectionInfo> _collections;
    private readonly Stack<CollectionLeg> _legs = new();
    private readonly List<CollectionDump> _open = [];
    private readonly BlockingCollection<DumpedCollection> _finished = new(MostFinished);
    private readonly Thread[] _threads;
    private readonly object _gate = new();
    private int _unfinished;
    private int _running;
    private bool _isDisposed;
    private ExceptionDispatchInfo? _wrong;

    public DumpCrew(MongoClient client, IReadOnlyList<CollectionInfo> collections, DumpOptions options, bool majority, Action<BackupEvent> tell, CancellationToken token)
    {
        _client = client;
        _options = options;
        _majority = majority;
        _tell = tell;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(token);
        _catalog = new ServerCatalog(client, _stop.Token);
        _collections = new Queue<CollectionInfo>(collections);
        _unfinished = collections.Count;
        _threads = new Thread[Math.Max(1, options.Threads)];
        _running = _threads.Length;
        for (var at = 0; at < _threads.Length; at++)
            _threads[at] = new Thread(Run) { IsBackground = true, Name = $"dump {at + 1}" };
        foreach (var thread in _threads)
            thread.Start();
    }

    /// <summary>The collections as they are done. Throws what stopped the crew.</summary>
    public IEnumerable<DumpedCollection> Finished()
    {
        foreach (var one in _finished.GetConsumingEnumerable())
            yield return one;
        _wrong?.Throw();
    }

    /// <summary>Ends the work for a reason that lies elsewhere; <see cref="Finished"/> throws it.</summary>
    public void Stop(Exception wrong)
    {
        lock (_gate)
        {
            _wrong ??= ExceptionDispatchInfo.Capture(wrong);
            _unfinished = 0;
            Monitor.PulseAll(_gate);
            if (!_isDisposed)
                _stop.Cancel();
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        foreach (var thread in _threads)
            thread.Join();
        lock (_gate)
            _isDisposed = true;
        foreach (var dump in _open)
            dump.Dispose();
        while (_finished.TryTake(out var left))
            left.Content?.Invoke(MongoDumpSource.File("unread")).Dispose();
        _finished.Dispose();
        _stop.Dispose();
    }

    private void Run()
    {
        using var lane = new SpoolLane(_options.Codec, _options.Level);
        try
        {
            while (Next(out var collection, out var leg))
            {
                if (leg is not null)
                    Read(leg, lane);
                else
                    Begin(collection!);
            }
        }
        catch (Exception wrong)
        {
            Stop(wrong);
        }

        lock (_gate)
        {
            if (--_running == 0)
                _finished.CompleteAdding();
        }
    }

    // Legs of collections under way come first, so that as few spools as possible are open.
    private bool Next(out CollectionInfo? collection, out CollectionLeg? leg)
    {
        lock (_gate)
        {
            while (true)
            {
                (collection, leg) = (null, null);
                if (_unfinished == 0)
                    return false;
                if (_legs.TryPop(out leg) || _collections.TryDequeue(out collection))
                    return true;
                Monitor.Wait(_gate);
            }
        }
    }

    private void Begin(CollectionInfo info)
    {
        if (info.Data is not { } data)
        {
            Deliver(new DumpedCollection(info, Metadata(info, []), Content: null, Set: null));
            return;
        }

        var dump = new CollectionDump(info, _options.SpillFolder) { ReadFrom = data };
        lock (_gate)
            _open.Add(dump);
        Spread(dump);
    }

    private static CollectionMetadata Metadata(CollectionInfo info, IReadOnlyList<RawBson> indexes) => new()
    {
        Options = info.Options,
        Indexes = indexes,
        Uuid = info.Uuid,
        CollectionName = info.Namespace.Collection,
        Type = info.Type,
    };

    private void Spread(CollectionDump dump)
    {
        while (true)
        {
            try
            {
                // Asked in each attempt: where the collection has another name now, its indexes are there too.
                dump.Metadata = Metadata(dump.Info, _catalog.Indexes(dump.Info.IsTimeSeries ? dump.Info.Namespace : dump.ReadFrom));
                Hand(dump, IsBig(dump) ? new IdRanges(_client, _stop.Token).Split(dump.ReadFrom, _threads.Length * 2) : [RawBson.Empty]);
                return;
            }
            catch (MongoException wrong) when (PassingFailures.Is(wrong))
            {
                dump.Failed = wrong;
                BeginAnew(dump);
            }
        }
    }

    private void Hand(CollectionDump dump, IReadOnlyList<RawBson> filters)
    {
        lock (_gate)
        {
            dump.Legs = dump.OpenLegs = filters.Count;
            foreach (var filter in filters)
                _legs.Push(new CollectionLeg(dump, filter));
            Monitor.PulseAll(_gate);
        }
    }

    // Only where an oplog makes the legs of one moment; and the order in a capped collection is part of it.
    private bool IsBig(CollectionDump dump)
    {
        if (!_majority || _threads.Length < 2 || dump.Info.IsCapped)
            return false;
        try
        {
            var stats = _client.Run(dump.ReadFrom.Database, new BsonBuilder().Append("collStats", dump.ReadFrom.Collection), _stop.Token);
            return (stats.FindInt64("size"u8) ?? 0) > _options.SplitAbove;
        }
        catch (MongoException refused) when (refused.Error is MongoError.CommandFailed or MongoError.AccessDenied)
        {
            return false;
        }
    }

    private void Read(CollectionLeg leg, SpoolLane lane)
    {
        var dump = leg.Dump;
        var set = new DocumentSetHash();
        Exception? failed = null;
        lane.Clear();
        try
        {
            if (dump.Failed is null)
                Copy(leg, lane, set);
        }
        catch (MongoException wrong) when (PassingFailures.Is(wrong))
        {
            failed = wrong;
        }
        catch (MongoException wrong)
        {
            throw new MongoException(wrong.Error, $"{wrong.Message.TrimEnd('.')} ({dump.Info.Namespace})", wrong);
        }

        // What all fits into one block shares that block with its neighbours; everything else is in the spool before this leg counts as done.
        var small = failed is null && dump is { Legs: 1, Spool.Count: 0 };
        if (failed is null && !small)
            lane.Flush(dump.Spool);

        bool last;
        lock (_gate)
        {
            dump.Failed ??= failed;
            dump.Set.Merge(set);
            if (small)
                dump.Small = lane.Pending.ToArray();
            last = --dump.OpenLegs == 0;
        }

        if (last)
            Settle(dump);
    }

    private void Copy(CollectionLeg leg, SpoolLane lane, DocumentSetHash set)
    {
        var find = new BsonBuilder().Append("find", leg.Dump.ReadFrom.Collection);
        if (leg.Filter.IsEmpty)
            find.BeginDocument("hint").Append("$natural", 1).End();
        else
            find.Append("filter", leg.Filter);
        find.Append("noCursorTimeout", value: true);
        if (_majority)
            find.BeginDocument("readConcern").Append("level", "majority").End();
        using var cursor = _client.Open(leg.Dump.ReadFrom.Database, find, new CursorOptions { Exhaust = true }, _stop.Token);
        // Where another leg has failed, this one is void too.
        while (leg.Dump.Failed is null && cursor.Next() == CursorStep.Document)
        {
            var document = cursor.Current;
            set.Add(document);
            lane.Add(leg.Dump.Spool, document);
        }
    }

    private void Settle(CollectionDump dump)
    {
        try
        {
            if (dump.Info.Uuid is { } uuid && _majority)
                FollowName(dump, uuid);
        }
        catch (MongoException wrong) when (PassingFailures.Is(wrong))
        {
            dump.Failed = wrong;
        }

        if (dump.Failed is null)
        {
            Deliver(dump.Finish());
            lock (_gate)
                _open.Remove(dump);
            return;
        }

        BeginAnew(dump);
        Spread(dump);
    }

    // The name may have come to mean another collection meanwhile: its UUID tells.
    private void FollowName(CollectionDump dump, string uuid)
    {
        var now = _catalog.Find(dump.ReadFrom);
        if (string.Equals(now?.Uuid, uuid, StringComparison.Ordinal))
            return;
        if (_catalog.FindByUuid(dump.ReadFrom.Database, uuid) is { } renamed)
        {
            dump.Failed ??= new MongoException(MongoError.CursorLost, $"{dump.ReadFrom} was renamed to {renamed.Namespace} while it was read");
            dump.ReadFrom = renamed.Namespace;
        }
        else if (dump.Failed is not null || now is not null)
        {
            // Dropped: the oplog drops it again at a restore, so that what was read of it does not matter.
            _tell(new Said($"{dump.ReadFrom} was dropped while it was read."));
            dump.Restart();
            dump.Small = [];
        }
    }

    private void BeginAnew(CollectionDump dump)
    {
        var wrong = dump.Failed!;
        if (dump.Attempt >= PassingFailures.MostAttempts)
            ExceptionDispatchInfo.Throw(wrong);
        _tell(new Said($"Reading {dump.ReadFrom} begins anew: {wrong.Message.TrimEnd('.')}."));
        lock (_gate)
            dump.Restart();
    }

    private void Deliver(DumpedCollection done)
    {
        _finished.Add(done, _stop.Token);
        lock (_gate)
        {
            if (_unfinished > 0 && --_unfinished == 0)
                Monitor.PulseAll(_gate);
        }
    }
}
