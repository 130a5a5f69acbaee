using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb.Bson;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Replay;

/// <summary>
/// A source changes at random while it is dumped, collection after collection and document after document; the dump and the oplog of that time must give the source at its
/// end, applied once, twice, in any number of lanes, and resumed after it broke off.
/// </summary>
public sealed class FuzzyDumpTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 60)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Dump_and_oplog_give_the_source(int seed)
    {
        var history = new RandomHistory(seed);
        history.Run(300);
        foreach (var upserts in (bool[])[false, true])
        {
            var target = history.Restore(upserts, out var catalogue);
            var options = new ReplayOptions { Lanes = 1 + (seed % 4), BatchOperations = 1 + (seed % 7), AtomicTransactions = seed % 2 == 0 };
            for (var time = 0; time < 2; time++)
            {
                ReplayTransactionTests.Replay(target, catalogue, history.Oplog.Entries, options);
                Assert.Equal(history.Content(), Content(target));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_replay_that_broke_off_can_be_resumed(int seed)
    {
        var history = new RandomHistory(seed);
        history.Run(200);
        var target = history.Restore(upserts: false, out var catalogue);
        ReplayCheckpoint? kept = null;
        var options = new ReplayOptions { Lanes = 3, BatchOperations = 1 + (seed % 5), CheckpointEvery = 1 + (seed % 20), CheckpointInterval = TimeSpan.Zero, Checkpoint = at => kept = at };
        var left = history.Random.Next(2000);
        target.Refuse = _ => Interlocked.Decrement(ref left) < 0 ? "the power is out" : null;
        try
        {
            ReplayTransactionTests.Replay(target, catalogue, history.Oplog.Entries, options);
        }
        catch (BackupException broken) when (broken.Failure.Kind == FailureKind.RestoreFailed)
        {
            target.Refuse = null;
            history.Restore(upserts: false, out catalogue);
            ReplayTransactionTests.Replay(target, catalogue, history.Oplog.Entries, options with { Resume = kept });
        }

        Assert.Equal(history.Content(), Content(target));
    }

    private static string Content(MemoryTarget target) =>
        string.Join('\n', target.Collections.Keys.Order(StringComparer.Ordinal).Where(ns => !ns.StartsWith("__bot_probe", StringComparison.Ordinal)).Select(ns => $"{ns}: {string.Join(' ', target.Content(ns))}"));

    private sealed class RandomHistory
    {
        private readonly Dictionary<Guid, (string Name, SortedDictionary<int, int> Documents)> _source = [];
        private readonly List<(string Name, Guid Uuid, Dictionary<int, int> Documents)> _listed = [];
        private long _transactions;
        private int _next;
        private int _id;

        public RandomHistory(int seed)
        {
            Random = new Random(seed);
            for (var at = 0; at < 3; at++)
            {
                var uuid = NewUuid();
                _source.Add(uuid, ($"a.c{at}", []));
                for (var id = 0; id < 10; id++)
                    _source[uuid].Documents.Add(id, 0);
            }
        }

        public Random Random { get; }

        public OplogWriter Oplog { get; } = new();

        public void Run(int steps)
        {
            for (var step = 0; step < steps; step++)
            {
                Change();
                if (step == steps / 4)
                    _listed.AddRange(_source.Select(pair => (pair.Value.Name, pair.Key, new Dictionary<int, int>())));
                if (step > steps / 4 && step < steps * 3 / 4)
                    Dump();
            }

            while (_next < _listed.Count)
                Dump();
            for (var step = 0; step < steps / 4; step++)
                Change();
            Oplog.NoOp();
        }

        public MemoryTarget Restore(bool upserts, out IndexCatalogue catalogue)
        {
            catalogue = new IndexCatalogue();
            var target = new MemoryTarget { Upserts = upserts };
            foreach (var (name, uuid, documents) in _listed)
            {
                // What was dropped before it was read is not in the dump.
                if (documents.Count == 0 && !_source.ContainsKey(uuid))
                    continue;
                catalogue.Add(name, uuid, RawBson.Empty, []);
                var restored = new Dictionary<UInt128, RawBson>();
                foreach (var (id, value) in documents)
                {
                    var document = new BsonBuilder().Append("_id", id).Append("x", value).ToBson();
                    document.TryFind("_id"u8, out var key);
                    restored.Add(DocumentId.Key(key), document);
                }

                target.Collections.Add(name, restored);
            }

            return target;
        }

        public string Content() => string.Join('\n', _source.Values.OrderBy(collection => collection.Name, StringComparer.Ordinal).Select(collection =>
            $"{collection.Name}: {string.Join(' ', collection.Documents.Select(pair => ExtendedJson.ToText(new BsonBuilder().Append("_id", pair.Key).Append("x", pair.Value).ToBson())).Order(StringComparer.Ordinal))}"));

        // Names are listed at one moment; documents are read a few at a time, by the collection's identity.
        private void Dump()
        {
            if (_next == _listed.Count)
                return;
            var (_, uuid, documents) = _listed[_next];
            var isThere = _source.TryGetValue(uuid, out var collection);
            for (var read = 0; isThere && read < 4; read++, _id++)
            {
                if (collection.Documents.TryGetValue(_id, out var value))
                    documents[_id] = value;
            }

            if (isThere && _id < 20)
                return;
            _next++;
            _id = 0;
        }

        private void Change()
        {
            var what = Random.Next(100);
            if (what < 4 || _source.Count == 0)
                Create();
            else if (what < 7)
                Drop(Any());
            else if (what < 12)
                Rename();
            else if (what < 22)
                Transaction();
            else
                ChangeDocument();
        }

        private Guid Any() => _source.Keys.Order().ElementAt(Random.Next(_source.Count));

        private void Create()
        {
            var name = $"a.c{Random.Next(6)}";
            if (_source.Values.Any(collection => string.Equals(collection.Name, name, StringComparison.Ordinal)))
                return;
            var uuid = NewUuid();
            _source.Add(uuid, (name, []));
            Oplog.Create(name, uuid);
        }

        private void Drop(Guid uuid)
        {
            _source.Remove(uuid, out var collection);
            Oplog.Drop(collection.Name, uuid);
        }

        private void Rename()
        {
            var uuid = Any();
            var (from, documents) = _source[uuid];
            var to = $"a.c{Random.Next(6)}";
            var victim = _source.Where(pair => string.Equals(pair.Value.Name, to, StringComparison.Ordinal)).Select(pair => (Guid?)pair.Key).FirstOrDefault();
            if (victim == uuid)
                return;
            if (victim is { } dropped)
                _source.Remove(dropped);
            _source[uuid] = (to, documents);
            Oplog.Rename(from, to, uuid, victim);
        }

        private void Transaction()
        {
            var operations = new List<RawBson>();
            var count = Random.Next(1, 6);
            for (var at = 0; at < count; at++)
            {
                ChangeDocument();
                operations.Add(Oplog.TakeOperation());
            }

            var ends = Random.Next(3);
            Oplog.Transaction(_transactions++, operations, Random.Next(1, 4), prepare: ends == 0, end: ends == 0 ? "commitTransaction" : null);
        }

        private void ChangeDocument()
        {
            var uuid = Any();
            var (name, documents) = _source[uuid];
            var id = Random.Next(20);
            var value = Random.Next(1000);
            if (!documents.ContainsKey(id))
                Oplog.Insert(name, uuid, id, value);
            else if (Random.Next(3) > 0)
                Oplog.Set(name, uuid, id, value);
            else
            {
                documents.Remove(id);
                Oplog.Delete(name, uuid, id);
                return;
            }

            documents[id] = value;
        }

        private Guid NewUuid()
        {
            var bytes = new byte[16];
            Random.NextBytes(bytes);
            return new Guid(bytes);
        }
    }
}
