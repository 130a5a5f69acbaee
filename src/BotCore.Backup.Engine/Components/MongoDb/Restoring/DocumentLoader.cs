using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Restoring;

/// <summary>A document that the server refused.</summary>
/// <param name="Collection">Where it should have gone.</param>
/// <param name="Id">Its _id, Extended JSON.</param>
/// <param name="Reason">The server's words.</param>
internal sealed record RefusedDocument(DumpNamespace Collection, string Id, string Reason);

/// <summary>
/// Writes documents by several connections at once, batch by batch and without order; those of a capped collection one batch after the other. What the server refuses
/// is noted by name and counted. <see cref="Add"/> and <see cref="Complete"/> come from one thread at a time.
/// </summary>
internal sealed class DocumentLoader : IDisposable
{
    private const int MostNamed = 20;
    private const int BatchBytes = 4 << 20;
    private const int BatchDocuments = 20_000;
    private const int MostOpen = 16;

    private readonly MongoClient _client;
    private readonly CancellationTokenSource _stop;
    private readonly Dictionary<DumpNamespace, DocumentBatch> _open = [];
    private readonly ConcurrentBag<DocumentSequence> _free = [];
    private readonly BlockingCollection<DocumentBatch> _waiting;
    private readonly Thread[] _threads;
    private readonly List<RefusedDocument> _refused = [];
    private readonly Lock _gate = new();
    private ExceptionDispatchInfo? _wrong;
    private long _refusedCount;

    public DocumentLoader(MongoClient client, int threads, CancellationToken token)
    {
        _client = client;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(token);
        _waiting = new BlockingCollection<DocumentBatch>(threads);
        _threads = new Thread[threads];
        for (var at = 0; at < threads; at++)
        {
            _threads[at] = new Thread(Run) { IsBackground = true, Name = $"load {at + 1}" };
            _threads[at].Start();
        }
    }

    /// <summary>Documents that the server refused.</summary>
    public long RefusedCount => Interlocked.Read(ref _refusedCount);

    /// <summary>The first of them.</summary>
    public IReadOnlyList<RefusedDocument> Refused
    {
        get
        {
            lock (_gate)
                return [.. _refused];
        }
    }

    /// <summary>Takes one document for <paramref name="target"/>.</summary>
    public void Add(DumpNamespace target, bool ordered, ReadOnlySpan<byte> document)
    {
        if (!_open.TryGetValue(target, out var batch))
        {
            // However many collections an archive interleaves, only so many batches wait in memory.
            if (_open.Count >= MostOpen)
                EndAll();
            _open.Add(target, batch = NewBatch(target, ordered));
        }

        var direct = HasEmptyTimestamp(document);
        if (direct == batch.IsDirect && batch.Documents.TryAdd(document, BatchBytes, Math.Min(BatchDocuments, _client.Server.MaxWriteBatch)))
            return;
        if (batch.Documents.Count > 0)
            Send(batch);
        batch = NewBatch(target, ordered);
        batch.IsDirect = direct;
        batch.Documents.TryAdd(document, BatchBytes, BatchDocuments);
        _open[target] = batch;
    }

    /// <summary>Sends what is left of <paramref name="target"/>.</summary>
    public void End(DumpNamespace target)
    {
        if (_open.Remove(target, out var batch) && batch.Documents.Count > 0)
            Send(batch);
    }

    /// <summary>Sends everything and waits for the server's answers. Throws what went wrong beside refused documents.</summary>
    public void Complete()
    {
        EndAll();
        _waiting.CompleteAdding();
        foreach (var thread in _threads)
            thread.Join();
        _wrong?.Throw();
    }

    public void Dispose()
    {
        _stop.Cancel();
        foreach (var thread in _threads)
            thread.Join();
        _waiting.Dispose();
        _stop.Dispose();
    }

    private void EndAll()
    {
        foreach (var target in _open.Keys.ToArray())
            End(target);
    }

    private DocumentBatch NewBatch(DumpNamespace target, bool ordered) => new(target, ordered, _free.TryTake(out var used) ? used : new DocumentSequence());

    private void Send(DocumentBatch batch)
    {
        try
        {
            if (batch.Ordered)
                Write(batch);
            else
                _waiting.Add(batch, _stop.Token);
        }
        catch (OperationCanceledException)
        {
            // Another thread's failure ends this one, too, and is what is to be told.
            _wrong?.Throw();
            throw;
        }
    }

    private void Run()
    {
        try
        {
            foreach (var batch in _waiting.GetConsumingEnumerable(_stop.Token))
                Write(batch);
        }
        catch (Exception wrong)
        {
            lock (_gate)
                _wrong ??= ExceptionDispatchInfo.Capture(wrong);
            _stop.Cancel();
        }
    }

    private void Write(DocumentBatch batch)
    {
        if (batch.IsDirect)
            WriteDirect(batch);
        else
            Insert(batch);
        batch.Documents.Clear();
        _free.Add(batch.Documents);
    }

    private void Insert(DocumentBatch batch)
    {
        var command = new BsonBuilder().Append("insert", batch.Target.Collection).Append("ordered", batch.Ordered).Append("bypassDocumentValidation", value: true);
        var reply = _client.Run(batch.Target.Database, command, "documents", batch.Documents, _stop.Token);
        var written = reply.FindInt64("n"u8) ?? 0;
        var errors = reply.FindDocument("writeErrors"u8);
        long named = 0;
        if (errors is { } list)
        {
            var reader = list.Read();
            while (reader.Read())
            {
                named++;
                Refuse(batch, new RawBson(reader.Current.AsDocument().ToArray()));
            }
        }

        // What an ordered batch left out behind its first error was not written either.
        if (written + named != batch.Documents.Count)
            Refuse(batch, batch.Documents.Count - written - named, "it was not written, and the server does not say why");
        if (reply.FindDocument("writeConcernError"u8) is { } concern)
            throw new MongoException(MongoError.CommandFailed, $"the write was not confirmed: {concern.FindString("errmsg"u8)}");
    }

    // An insert would put the server's own time in place of an empty timestamp; applyOps writes the document as it is.
    private void WriteDirect(DocumentBatch batch)
    {
        for (var at = 0; at < batch.Documents.Count; at++)
        {
            var command = new BsonBuilder(batch.Documents[at].Length + 256)
                .BeginArray("applyOps").BeginDocument("0").Append("op", "i").Append("ns", batch.Target.ToString()).AppendDocument("o", batch.Documents[at]).End().End();
            ReplayBatch.AppendOptions(command, atomic: false);
            try
            {
                var reply = _client.Run("admin", command, _stop.Token);
                if (BatchSender.FirstFailure(reply, 1) >= 0)
                    Note(new RefusedDocument(batch.Target, IdOf(batch.Documents[at]), ServerReply.Reason(reply)), 1);
            }
            catch (MongoException refused) when (refused.Error == MongoError.CommandFailed)
            {
                Note(new RefusedDocument(batch.Target, IdOf(batch.Documents[at]), refused.Message), 1);
            }
        }
    }

    private void Refuse(DocumentBatch batch, RawBson error)
    {
        var index = error.FindInt64("index"u8) ?? -1;
        var id = index >= 0 && index < batch.Documents.Count ? IdOf(batch.Documents[(int)index]) : "unknown";
        Note(new RefusedDocument(batch.Target, id, error.FindString("errmsg"u8) ?? "the server gives no reason"), 1);
    }

    private void Refuse(DocumentBatch batch, long count, string reason) => Note(new RefusedDocument(batch.Target, "unknown", reason), count);

    private void Note(RefusedDocument refused, long count)
    {
        Interlocked.Add(ref _refusedCount, count);
        lock (_gate)
        {
            if (_refused.Count < MostNamed)
                _refused.Add(refused);
        }
    }

    private static string IdOf(ReadOnlySpan<byte> document)
    {
        if (!RawBson.TryFind(document, "_id"u8, out var id))
            return "none";
        var shown = new BsonBuilder().Append("_id", id).ToBson();
        return System.Text.Encoding.UTF8.GetString(ExtendedJson.Write(shown.Span));
    }

    private static bool HasEmptyTimestamp(ReadOnlySpan<byte> document)
    {
        // A quick look for the type byte keeps the walk away from nearly all documents.
        if (!document.Contains((byte)BsonType.Timestamp))
            return false;
        var reader = new BsonReader(document);
        while (reader.Read())
        {
            if (reader.Current.Type == BsonType.Timestamp && reader.Current.AsTimestamp().Value == 0)
                return true;
        }

        return false;
    }

    private sealed class DocumentBatch(DumpNamespace target, bool ordered, DocumentSequence documents)
    {
        public DumpNamespace Target { get; } = target;

        public bool Ordered { get; } = ordered;

        public DocumentSequence Documents { get; } = documents;

        public bool IsDirect { get; set; }
    }
}
