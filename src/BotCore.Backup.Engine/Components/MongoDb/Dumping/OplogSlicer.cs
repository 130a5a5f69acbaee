using System.Security.Cryptography;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Compression;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumping;

/// <summary>What a slice of the oplog spans.</summary>
/// <param name="Start">Its first entry.</param>
/// <param name="End">Its last entry.</param>
/// <param name="Term">The term of the last entry; -1 where the server writes none.</param>
/// <param name="StartSha256">SHA-256 of the first entry's bytes as the server had them.</param>
/// <param name="EndSha256">SHA-256 of the last entry's bytes: the next increment begins with that entry.</param>
/// <param name="Entries">Entries kept.</param>
/// <param name="Swapped">The collection that a restore renamed in the entry after the last one, which is why it is the last; null where there is none.</param>
internal sealed record SliceFacts(BsonTimestamp Start, BsonTimestamp End, long Term, string StartSha256, string EndSha256, long Entries, string? Swapped)
{
    /// <summary>The same for a manifest.</summary>
    public OplogSpan ToSpan() => new(Start.ToString(), End.ToString(), Term, EndSha256, StartSha256, Entries);
}

/// <summary>
/// Copies the oplog from a start on, on a thread of its own: while a dump runs, so that an oplog that rolls over meanwhile loses nothing, or from the end of a chain on, for an
/// increment. The first entry that comes must be the start itself, else there is a gap; that of a chain must have the same bytes. Only what a majority has is read.
/// </summary>
internal sealed class OplogSlicer : IDisposable
{
    private static readonly int HashLength = SHA256.HashSizeInBytes;

    private readonly MongoClient _client;
    private readonly OplogFilter _filter;
    private readonly string _spillFolder;
    private readonly SpoolLane _lane;
    private readonly CancellationTokenSource _stop;
    private readonly Thread _thread;
    private readonly Lock _gate = new();
    private readonly OplogTip? _tip;
    private readonly byte[] _firstHash = new byte[HashLength];
    private readonly byte[] _lastHash = new byte[HashLength];
    private readonly BsonTimestamp _settled;
    private PackedSpool _spool;
    private OpenTransactions? _open;
    private BsonTimestamp _start;
    private BsonTimestamp _last;
    private long _term = -1;
    private long _kept;
    private long _bytes;
    private long _limit = long.MaxValue;
    private int _attempts;
    private string? _swapped;
    private Action<Exception>? _listener;
    private Action? _ripe;
    private bool _isOver;
    private BsonTimestamp? _end;
    private SliceFacts? _facts;
    private Exception? _wrong;

    /// <summary>
    /// Copies for a dump: from <paramref name="start"/> on, or from where a transaction began that was under way then. A restore's swap before all documents were read does no harm, but what came
    /// before that does not concern the collections that are read: up to there only transactions are kept that were not over.
    /// </summary>
    public OplogSlicer(MongoClient client, DumpStart start, OplogFilter filter, ICodec codec, int level, string spillFolder, CancellationToken token)
        : this(client, start, tip: null, filter, codec, level, spillFolder, token)
    {
    }

    /// <summary>Copies for an increment: from the very entry that the chain ends with on. A restore's swap ends it before itself.</summary>
    public OplogSlicer(MongoClient client, OplogTip tip, OplogFilter filter, ICodec codec, int level, string spillFolder, CancellationToken token)
        : this(client, new DumpStart(tip.At, default), tip, filter, codec, level, spillFolder, token)
    {
    }

    private OplogSlicer(MongoClient client, DumpStart start, OplogTip? tip, OplogFilter filter, ICodec codec, int level, string spillFolder, CancellationToken token)
    {
        _client = client;
        (_start, _settled) = (start.At, start.Settled);
        _tip = tip;
        _filter = filter;
        _spillFolder = spillFolder;
        _spool = new PackedSpool(spillFolder);
        _lane = new SpoolLane(codec, level);
        _stop = CancellationTokenSource.CreateLinkedTokenSource(token);
        _thread = new Thread(Run) { IsBackground = true, Name = "oplog slicer" };
        _thread.Start();
    }

    /// <summary>Bytes kept so far. Thread-safe.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Whether an end was asked for: what is copied after it is nobody's. Thread-safe.</summary>
    public bool IsEnded
    {
        get
        {
            lock (_gate)
                return _end is not null;
        }
    }

    /// <summary>Whether copying ended early. Thread-safe.</summary>
    public bool IsWrong
    {
        get
        {
            lock (_gate)
                return _wrong is not null;
        }
    }

    /// <summary>
    /// Has <paramref name="ripe"/> called once <paramref name="bytes"/> are kept, or no more will come (a swap, an error), on the slicer's thread, or now where it is so already.
    /// It may be called more than once.
    /// </summary>
    public void WhenRipe(long bytes, Action ripe)
    {
        lock (_gate)
        {
            (_limit, _ripe) = (bytes, ripe);
            if (!_isOver && Bytes < bytes)
                return;
        }

        ripe();
    }

    /// <summary>Has <paramref name="listener"/> called once copying ends early, on the slicer's thread, or now where it already has.</summary>
    public void WhenWrong(Action<Exception> listener)
    {
        Exception wrong;
        lock (_gate)
        {
            _listener = listener;
            if (_wrong is null)
                return;
            wrong = _wrong;
        }

        listener(wrong);
    }

    /// <summary>Waits until everything up to and with <paramref name="end"/> is copied; what came after it meanwhile may be in it too.</summary>
    public SliceFacts FinishAt(BsonTimestamp end)
    {
        lock (_gate)
            _end = end;
        _thread.Join();
        if (_wrong is not null)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(_wrong);
        return _facts!;
    }

    /// <summary>The slice as an entry of an archive, after <see cref="FinishAt"/>.</summary>
    public SourceItem ToEntry(ArchiveEntry entry)
    {
        if (_spool.Count == 0)
            return new BufferedEntry(entry, _lane.Pending.ToArray());
        _lane.Flush(_spool);
        return _spool.ToEntry(entry, set: null);
    }

    public void Dispose()
    {
        _stop.Cancel();
        _thread.Join();
        _stop.Dispose();
        _lane.Dispose();
        _spool.Dispose();
    }

    private void Run()
    {
        try
        {
            Copy(_stop.Token);
        }
        catch (Exception wrong)
        {
            Action<Exception>? told;
            lock (_gate)
                (_wrong, told) = (wrong, _listener);
            told?.Invoke(wrong);
        }

        lock (_gate)
            _isOver = true;
        TellRipe();
    }

    private void TellRipe()
    {
        Action? ripe;
        lock (_gate)
            ripe = _isOver || Bytes >= _limit ? _ripe : null;
        ripe?.Invoke();
    }

    private void Copy(CancellationToken token)
    {
        while (true)
        {
            try
            {
                if (Follow(token))
                    return;
            }
            catch (MongoException wrong) when (PassingFailures.Is(wrong) && ++_attempts < PassingFailures.MostAttempts)
            {
                // Goes on behind the last entry, which must still be there.
            }
        }
    }

    // True at the end; false where a transaction began before the start, which is then an earlier one.
    private bool Follow(CancellationToken token)
    {
        using var cursor = Open(_last.Value > 0 ? _last : _start, token);
        var isFirst = true;
        while (!IsReached())
        {
            switch (cursor.Next())
            {
                case CursorStep.EmptyBatch:
                    token.ThrowIfCancellationRequested();
                    continue;
                case CursorStep.End when _last.Value > 0:
                    throw new MongoException(MongoError.CursorLost, "The server ended the reading of its oplog.");
                case CursorStep.End:
                    throw Gap("it has no entry from there on");
                default:
                    break;
            }

            var entry = cursor.Current;
            var at = RawBson.TryFind(entry, "ts"u8, out var ts) ? ts.AsTimestamp() : throw Gap("an entry of it has no time");
            if (isFirst && _last.Value > 0)
            {
                Compare(entry, at);
                isFirst = false;
                continue;
            }

            if (_last.Value == 0 ? at != _start : at <= _last)
                throw Gap(_last.Value == 0 ? $"its oldest entry is {at} already" : $"{at} follows {_last}");
            isFirst = false;
            // An increment needs no earlier start: what came before it is in the archives before it.
            if (_tip is null && Began(entry) is { Value: > 0 } began && began < _start)
            {
                BeginAt(began);
                return false;
            }

            // What is only settled later stays in the slice: documents may have been read before it.
            if (_open is not null && at > _settled)
                KeepOpen();
            switch (Take(entry, at))
            {
                case Taking.Again:
                    return false;
                case Taking.End:
                    break;
                default:
                    continue;
            }

            break;
        }

        if (_open is not null)
            KeepOpen();
        _facts = new SliceFacts(_start, _last, _term, Convert.ToHexStringLower(_firstHash), Convert.ToHexStringLower(_lastHash), _kept, _swapped);
        return true;
    }

    private enum Taking
    {
        GoOn = 0,

        /// <summary>A restore swapped something in: the slice has ended before that.</summary>
        End,

        /// <summary>The same before all documents were read: the slice is begun again without what that ended.</summary>
        Again,
    }

    private Taking Take(ReadOnlySpan<byte> entry, BsonTimestamp at)
    {
        Span<byte> hash = stackalloc byte[HashLength];
        SHA256.HashData(entry, hash);
        if (_last.Value == 0 && _tip is not null && !string.Equals(Convert.ToHexStringLower(hash), _tip.Sha256, StringComparison.OrdinalIgnoreCase))
            throw Gap($"{at} is another entry now");
        var keep = _filter.Keep(entry, out var part);
        // What the first entry did was done before this began.
        if (_last.Value == 0)
            _filter.Forget();
        if (_filter.Swapped is not null && at <= _settled)
        {
            _filter.Forget();
            if (_open is null)
            {
                BeginAt(_start);
                _open = new OpenTransactions();
                return Taking.Again;
            }
        }

        if (_filter.Swapped is { } swap)
        {
            _swapped = _tip is not null ? swap : throw new BackupException(
                FailureKind.SourceUnreachable, $"A restore renamed '{swap}' while the backup ran, so what was read of it is of two states.", "Run the backup again when the restore is done.", swap);
            return Taking.End;
        }

        if (_last.Value == 0)
            hash.CopyTo(_firstHash);
        hash.CopyTo(_lastHash);
        _last = at;
        _term = RawBson.TryFind(entry, "t"u8, out var t) && t.IsNumber ? t.AsInt64() : -1;
        _attempts = 0;
        if (_open is not null)
            _open.Take(entry, keep, part.IsEmpty ? entry : part);
        else if (keep)
            KeepEntry(part.IsEmpty ? entry : part);
        return Taking.GoOn;
    }

    private void KeepOpen()
    {
        foreach (var entry in _open!.Entries)
            KeepEntry(entry);
        _open = null;
    }

    private void KeepEntry(ReadOnlySpan<byte> entry)
    {
        _lane.Add(_spool, entry);
        _kept++;
        if (Interlocked.Add(ref _bytes, entry.Length) >= Interlocked.Read(ref _limit))
            TellRipe();
    }

    // After a lost connection: the entry that was the last must be the very same.
    private void Compare(ReadOnlySpan<byte> entry, BsonTimestamp at)
    {
        Span<byte> hash = stackalloc byte[HashLength];
        SHA256.HashData(entry, hash);
        if (at != _last || !hash.SequenceEqual(_lastHash))
            throw Gap($"after a lost connection {_last} is not there any more");
    }

    /// <summary>
    /// Where the transaction that this entry ends or carries on has its entry before this one; zero for every other entry. One that was committed between the reading of the
    /// start and that of the transactions under way is found in no other way.
    /// </summary>
    private static BsonTimestamp Began(ReadOnlySpan<byte> entry)
    {
        if (!RawBson.TryFind(entry, "op"u8, out var op) || op.Type != BsonType.String || !op.AsUtf8().SequenceEqual("c"u8) || RawBson.TryFind(entry, "multiOpType"u8, out _)
            || !RawBson.TryFind(entry, "o"u8, out var command) || command.Type != BsonType.Document
            || !(RawBson.TryFind(command.AsDocument(), "applyOps"u8, out _) || RawBson.TryFind(command.AsDocument(), "commitTransaction"u8, out _))
            || !RawBson.TryFind(entry, "prevOpTime"u8, out var previous) || previous.Type != BsonType.Document
            || !RawBson.TryFind(previous.AsDocument(), "ts"u8, out var ts) || ts.Type != BsonType.Timestamp)
            return default;
        return ts.AsTimestamp();
    }

    private void BeginAt(BsonTimestamp start)
    {
        _spool.Dispose();
        _spool = new PackedSpool(_spillFolder);
        _open?.Clear();
        _lane.Clear();
        (_start, _last, _kept, _attempts) = (start, default, 0, 0);
        Interlocked.Exchange(ref _bytes, 0);
    }

    // More than the end may have come already, while the end was asked for; that is as good an end.
    private bool IsReached()
    {
        lock (_gate)
            return _last.Value > 0 && _end is { } end && _last >= end;
    }

    private MongoCursor Open(BsonTimestamp from, CancellationToken token)
    {
        var find = new BsonBuilder().Append("find", "oplog.rs")
            .BeginDocument("filter").BeginDocument("ts").Append("$gte", from).End().End()
            .Append("tailable", value: true).Append("awaitData", value: true).Append("noCursorTimeout", value: true)
            .BeginDocument("readConcern").Append("level", "majority").End();
        return _client.Open("local", find, new CursorOptions { Tailable = true, MaxAwait = TimeSpan.FromMilliseconds(200) }, token);
    }

    private BackupException Gap(string how) => new(
        FailureKind.OplogGap,
        $"The oplog does not hold what the {(_tip is null ? "backup" : "increment")} needs from {_start} on: {how}.",
        _tip is null
            ? "Make the oplog larger (replSetResizeOplog), and run again when fewer writes come in."
            : "Make the increment again: it goes on from the end of the chain, or says why it cannot. Where this comes again, make the oplog larger (replSetResizeOplog) or increments more frequent.",
        _start.ToString());
}
