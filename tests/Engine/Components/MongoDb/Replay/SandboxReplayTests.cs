using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Replay;

/// <summary>A server changes while it is dumped; dump and oplog are brought to a second one, by the real client over real connections.</summary>
public sealed class SandboxReplayTests
{
    private static readonly string[] Names = ["accounts", "orders", "log", "extra"];

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 6)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Dump_and_oplog_give_the_source(int seed)
    {
        using var sourceServer = new SandboxServer();
        using var source = Connect(sourceServer);
        var workload = new Workload(source, seed);
        workload.Begin();
        var start = sourceServer.NewestEntry;
        var dump = new FuzzyDump(source);
        for (var step = 0; step < 400; step++)
        {
            workload.Step();
            if (step % 4 == 0)
                dump.Step();
        }

        dump.Finish();
        for (var step = 0; step < 60; step++)
            workload.Step();
        var entries = Documents(source, "local", new BsonBuilder().Append("find", "oplog.rs")).Where(entry => entry.FindTimestamp("ts"u8) >= start).ToList();
        var scan = new ReplayScan(NamespaceMap.All);
        entries.ForEach(entry => scan.Add(entry.Span));
        Assert.Equal(sourceServer.NewestEntry, scan.Last);
        Assert.True(scan.Kinds[OplogKind.Transaction] > 5 && scan.Kinds[OplogKind.Update] > 20 && scan.Kinds[OplogKind.Rename] > 0, string.Join(' ', scan.Kinds));
        Assert.Empty(scan.Obstacles);

        using var targetServer = new SandboxServer(new SandboxOptions { UpsertOnApply = seed % 2 == 0 });
        using var target = Connect(targetServer);
        var map = new NamespaceMap(renames: new Dictionary<string, string>(StringComparer.Ordinal) { ["bank"] = "copy" });
        var catalogue = dump.Restore(target, map);
        for (var time = 0; time < 2; time++)
        {
            Replay(target, map, catalogue, entries, new ReplayOptions { Lanes = 1 + (seed % 4), BatchOperations = 1 + (seed * 3), AtomicTransactions = seed % 3 > 0 });
            Assert.Equal($"{time}: {Content(source, "bank")}", $"{time}: {Content(target, "copy")}");
        }

        IndexBuild.Run(target, catalogue, map, convertLegacy: false, CancellationToken.None);
        Assert.Equal(Indexes(source, "bank"), Indexes(target, "copy"));
        Assert.Equal(Workload.Money, Sum(target));
    }

    [Fact]
    public void What_a_dead_probe_left_is_cleaned_up_and_one_under_way_is_left_alone()
    {
        using var server = new SandboxServer();
        using var client = Connect(server);
        var (dead, alive, unknown) = (UpdateProbe.NewName(DateTimeOffset.UtcNow.AddDays(-2)), UpdateProbe.NewName(DateTimeOffset.UtcNow), "missing_0123456789ab");
        foreach (var name in new[] { dead, alive, unknown })
            client.Run("__bot_probe", new BsonBuilder().Append("create", name), CancellationToken.None);

        UpdateProbe.MustCheck(new MongoReplayTarget(client), CancellationToken.None);
        Assert.Equal(new[] { alive, unknown }.Order(StringComparer.Ordinal), Names(), StringComparer.Ordinal);

        client.Run("__bot_probe", new BsonBuilder().Append("drop", alive), CancellationToken.None);
        client.Run("__bot_probe", new BsonBuilder().Append("drop", unknown), CancellationToken.None);
        client.Run("__bot_probe", new BsonBuilder().Append("create", dead), CancellationToken.None);
        UpdateProbe.MustCheck(new MongoReplayTarget(client), CancellationToken.None);
        Assert.Empty(Names());

        IEnumerable<string> Names() => Documents(client, "__bot_probe", new BsonBuilder().Append("listCollections", 1)).Select(one => one.FindString("name"u8)!).Order(StringComparer.Ordinal).ToList();
    }

    private static MongoClient Connect(SandboxServer server) =>
        MongoClient.Connect(MongoConnectionString.Parse(server.ConnectionString), new MongoClientOptions { RequirePrimary = true, MaxConnections = 8 }, CancellationToken.None);

    private static void Replay(MongoClient target, NamespaceMap map, IndexCatalogue catalogue, List<RawBson> entries, ReplayOptions options)
    {
        using var replayer = new OplogReplayer(target, map, catalogue, options, CancellationToken.None);
        entries.ForEach(entry => replayer.Apply(entry.Span));
        replayer.Complete();
    }

    private static List<RawBson> Documents(MongoClient client, string database, BsonBuilder command)
    {
        var found = new List<RawBson>();
        using var cursor = client.Open(database, command, new CursorOptions(), CancellationToken.None);
        for (var step = cursor.Next(); step != CursorStep.End; step = cursor.Next())
        {
            // A server may give an empty batch and go on.
            if (step == CursorStep.Document)
                found.Add(new RawBson(cursor.Current.ToArray()));
        }

        return found;
    }

    private static List<(string Name, Guid? Uuid)> Collections(MongoClient client, string database) =>
        [.. Documents(client, database, new BsonBuilder().Append("listCollections", 1)).Select(collection =>
            (collection.FindString("name"u8)!, collection.FindDocument("info"u8) is { } info && info.TryFind("uuid"u8, out var uuid) ? OplogEntry.UuidOf(uuid) : null)).OrderBy(collection => collection.Item1, StringComparer.Ordinal)];

    private static string Content(MongoClient client, string database) => string.Join('\n', Collections(client, database).Select(collection =>
        $"{collection.Name}: {string.Join(' ', Documents(client, database, new BsonBuilder().Append("find", collection.Name)).Select(ExtendedJson.ToText).Order(StringComparer.Ordinal))}"));

    private static string Indexes(MongoClient client, string database) => string.Join('\n', Collections(client, database).Select(collection =>
        $"{collection.Name}: {string.Join(' ', Documents(client, database, new BsonBuilder().Append("listIndexes", collection.Name)).Select(index => index.FindString("name"u8)).Order(StringComparer.Ordinal))}"));

    private static long Sum(MongoClient client) => Documents(client, "copy", new BsonBuilder().Append("find", "accounts")).Sum(account => account.FindInt64("money"u8) ?? 0);

    private sealed class Workload(MongoClient client, int seed)
    {
        private readonly Random _random = new(seed);
        private long _transaction;

        public const long Money = 20 * 100;

        public void Begin()
        {
            foreach (var name in Names)
                Run(new BsonBuilder().Append("create", name));
            for (var id = 0; id < 20; id++)
                Insert("accounts", id, new BsonBuilder().Append("_id", id).Append("money", 100L).ToBson());
            for (var id = 0; id < 30; id++)
                Insert("orders", id, new BsonBuilder().Append("_id", id).Append("x", 0).ToBson());
        }

        public void Step()
        {
            var name = Names[_random.Next(1, Names.Length)];
            var id = _random.Next(40);
            switch (_random.Next(100))
            {
                case < 15:
                    Transfer(_random.Next(20), _random.Next(20), _random.Next(1, 10));
                    break;
                case < 45:
                    Insert(name, id, new BsonBuilder().Append("_id", id).Append("x", _random.Next(1000)).BeginDocument("in").Append("y", 1).End().ToBson());
                    break;
                case < 75:
                    Update(name, id, new BsonBuilder().BeginDocument("$set").Append("x", _random.Next(1000)).Append("in.y", _random.Next(9)).End().ToBson());
                    break;
                case < 92:
                    Run(new BsonBuilder().Append("delete", name).BeginArray("deletes").BeginDocument("0").BeginDocument("q").Append("_id", id).End().Append("limit", 1).End().End());
                    break;
                case < 95:
                    Run(new BsonBuilder().Append("createIndexes", name).BeginArray("indexes").BeginDocument("0").BeginDocument("key").Append($"f{id % 5}", 1).End().Append("name", $"f{id % 5}_1").End().End());
                    break;
                case < 97:
                    Run(new BsonBuilder().Append("drop", name));
                    break;
                default:
                    Run(new BsonBuilder().Append("renameCollection", "bank.orders").Append("to", "bank." + (id % 2 == 0 ? "extra" : "moved")).Append("dropTarget", true), "admin");
                    Run(new BsonBuilder().Append("create", "orders"));
                    break;
            }
        }

        private void Transfer(int from, int to, long amount)
        {
            _transaction++;
            var isFirst = true;
            foreach (var (id, change) in ((int, long)[])[(from, -amount), (to, amount)])
            {
                var command = UpdateCommand("accounts", id, new BsonBuilder().BeginDocument("$inc").Append("money", change).End().ToBson());
                if (isFirst)
                    command.Append("startTransaction", true);
                isFirst = false;
                Run(InTransaction(command));
            }

            client.Run("admin", InTransaction(new BsonBuilder().Append(_random.Next(5) == 0 ? "abortTransaction" : "commitTransaction", 1)), CancellationToken.None);
        }

        private BsonBuilder InTransaction(BsonBuilder command) => command
            .BeginDocument("lsid").AppendBinary("id", new byte[16], 4).End().Append("txnNumber", _transaction).Append("autocommit", false);

        private void Insert(string name, int id, RawBson document)
        {
            if (Documents(client, "bank", new BsonBuilder().Append("find", name).BeginDocument("filter").Append("_id", id).End()).Count == 0)
                Run(new BsonBuilder().Append("insert", name).BeginArray("documents").Append("0", document).End());
        }

        private void Update(string name, int id, RawBson change) => Run(UpdateCommand(name, id, change));

        private static BsonBuilder UpdateCommand(string name, int id, RawBson change) =>
            new BsonBuilder().Append("update", name).BeginArray("updates").BeginDocument("0").BeginDocument("q").Append("_id", id).End().Append("u", change).End().End();

        private void Run(BsonBuilder command, string database = "bank")
        {
            try
            {
                var reply = client.Run(database, command, CancellationToken.None);
                Assert.False(reply.Has("writeErrors"u8), ExtendedJson.ToText(reply));
            }
            catch (MongoException refused) when (refused.Code is 26 or 48)
            {
                // Dropped before, or made before.
            }
        }
    }

    /// <summary>Lists once, and reads a few documents at a time; a collection that was renamed meanwhile is found by its identity.</summary>
    private sealed class FuzzyDump(MongoClient client)
    {
        private readonly List<(string Name, Guid? Uuid, List<RawBson> Indexes, Dictionary<int, RawBson> Documents)> _listed = [];
        private int _next;
        private int _id;

        public void Step()
        {
            if (_listed.Count == 0)
            {
                foreach (var (name, uuid) in Collections(client, "bank"))
                    _listed.Add((name, uuid, Documents(client, "bank", new BsonBuilder().Append("listIndexes", name)), []));
            }

            if (_next == _listed.Count)
                return;
            var (_, identity, _, documents) = _listed[_next];
            var now = Collections(client, "bank").FirstOrDefault(collection => collection.Uuid == identity).Name;
            for (var read = 0; now is not null && read < 3; read++, _id++)
            {
                foreach (var document in Documents(client, "bank", new BsonBuilder().Append("find", now).BeginDocument("filter").Append("_id", _id).End()))
                    documents[_id] = document;
            }

            if (now is not null && _id < 40)
                return;
            _next++;
            _id = 0;
        }

        public void Finish()
        {
            do
                Step();
            while (_next < _listed.Count);
        }

        public IndexCatalogue Restore(MongoClient target, NamespaceMap map)
        {
            var catalogue = new IndexCatalogue();
            foreach (var (name, uuid, indexes, documents) in _listed)
            {
                catalogue.Add("bank." + name, uuid, RawBson.Empty, indexes);
                var database = map.TargetDatabase("bank");
                target.Run(database, new BsonBuilder().Append("create", name), CancellationToken.None);
                foreach (var document in documents.Values)
                    target.Run(database, new BsonBuilder().Append("insert", name).BeginArray("documents").Append("0", document).End(), CancellationToken.None);
            }

            return catalogue;
        }
    }
}
