using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Replay;

/// <summary>
/// A replay is killed at any checkpoint, when each lane had come any way further: going on from the checkpoint ends at the source's documents. The oplog is a server's own, with
/// <c>$v:2</c> diffs that change types, documents deleted and inserted again, transactions of several entries, renames, and a capped collection, whose order counts.
/// </summary>
public sealed class ResumeReplayTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 12)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void From_any_checkpoint_over_any_further_part_it_ends_at_the_source(int seed)
    {
        using var server = new SandboxServer(new SandboxOptions { TransactionEntryBytes = 150 });
        using var client = MongoClient.Connect(MongoConnectionString.Parse(server.ConnectionString), new MongoClientOptions { RequirePrimary = true, MaxConnections = 8 }, CancellationToken.None);
        var random = new Random(seed);
        var start = server.NewestEntry;
        var writer = new Writer(client, random);
        for (var step = 0; step < 250; step++)
            writer.Step();
        var entries = Find(client, "local", "oplog.rs").Where(entry => entry.FindTimestamp("ts"u8) > start).ToList();
        var expected = Content(client, Writer.Database);
        Assert.Contains("cap:", expected, StringComparison.Ordinal);

        for (var time = 0; time < 12; time++)
        {
            var database = $"t{time}";
            var map = new NamespaceMap(ns => NamespaceMap.DatabaseOf(ns) is Writer.Database, new Dictionary<string, string>(StringComparer.Ordinal) { [Writer.Database] = database });
            var at = random.Next(entries.Count);
            var to = entries[at].FindTimestamp("ts"u8)!.Value;
            ReplayCheckpoint? reached = null;
            Replay(client, map, entries, new ReplayOptions { UpTo = to, Checkpoint = checkpoint => reached = checkpoint }, complete: true);
            ApplyFurther(client, database, entries, at, random);

            var resume = new ReplayCheckpoint(to, reached!.Awaited);
            Replay(client, map, entries, new ReplayOptions { Resume = resume, Lanes = 1 + (seed % 4), BatchOperations = 1 + random.Next(20) }, complete: true);
            Assert.Equal($"{time} from {at}: {expected}", $"{time} from {at}: {Content(client, database)}");
        }
    }

    private static void Replay(MongoClient client, NamespaceMap map, List<RawBson> entries, ReplayOptions options, bool complete)
    {
        using var replayer = new OplogReplayer(client, map, new IndexCatalogue(), options, CancellationToken.None);
        foreach (var entry in entries)
        {
            if (!replayer.Apply(entry.Span))
                break;
        }

        if (complete)
            replayer.Complete();
    }

    // What lanes do before the next command: each takes the changes of its documents in their order, and stops somewhere.
    private static void ApplyFurther(MongoClient client, string database, List<RawBson> entries, int at, Random random)
    {
        var lanes = random.Next(1, 5);
        var left = Enumerable.Range(0, lanes).Select(_ => random.Next(40)).ToArray();
        foreach (var operation in Changes(entries, at))
        {
            var ns = operation.FindString("ns"u8)!;
            var document = operation.FindDocument(operation.FindString("op"u8) is "u" ? "o2"u8 : "o"u8)!.Value;
            document.TryFind("_id"u8, out var id);
            var name = NamespaceMap.CollectionOf(ns);
            var lane = (int)((name is "cap" ? 0 : DocumentId.Hash(id)) % (ulong)lanes);
            if (left[lane]-- <= 0)
                continue;
            var builder = new BsonBuilder().BeginArray("applyOps").BeginDocument("0").Append("op", operation.FindString("op"u8)).Append("ns", $"{database}.{name}");
            foreach (var field in (string[])["o", "o2"])
            {
                if (operation.FindDocument(System.Text.Encoding.UTF8.GetBytes(field)) is { } part)
                    builder.Append(field, part);
            }

            client.Run("admin", builder.End().End().Append("alwaysUpsert", false), CancellationToken.None);
        }
    }

    // Changes after an entry and before the next command; those of a transaction come with its last entry, whose first may come before.
    private static IEnumerable<RawBson> Changes(List<RawBson> entries, int at)
    {
        var open = new List<RawBson>();
        for (var next = 0; next < entries.Count; next++)
        {
            var entry = entries[next];
            var kind = OplogEntry.Parse(entry.Span).Kind;
            if (kind is OplogKind.Transaction)
            {
                var operations = entry.FindDocument("o"u8)!.Value.FindDocument("applyOps"u8)!.Value.Read();
                while (operations.Read())
                    open.Add(new RawBson(operations.Current.AsDocument().ToArray()));
                if (entry.FindDocument("o"u8)!.Value.IsTrue("partialTxn"u8))
                    continue;
                foreach (var operation in next > at ? open : [])
                    yield return operation;
                open.Clear();
            }
            else if (next > at && kind is OplogKind.Insert or OplogKind.Update or OplogKind.Delete)
            {
                yield return entry;
            }
            else if (next > at && kind is not OplogKind.NoOp)
            {
                yield break;
            }
        }
    }

    private static List<RawBson> Find(MongoClient client, string database, string collection) => Documents(client, database, new BsonBuilder().Append("find", collection));

    private static List<RawBson> Documents(MongoClient client, string database, BsonBuilder command)
    {
        var found = new List<RawBson>();
        using var cursor = client.Open(database, command, new CursorOptions(), CancellationToken.None);
        for (var step = cursor.Next(); step != CursorStep.End; step = cursor.Next())
        {
            if (step == CursorStep.Document)
                found.Add(new RawBson(cursor.Current.ToArray()));
        }

        return found;
    }

    // Of a capped collection the order, too.
    private static string Content(MongoClient client, string database) => string.Join('\n', Documents(client, database, new BsonBuilder().Append("listCollections", 1))
        .Select(collection => collection.FindString("name"u8)!).Order(StringComparer.Ordinal).Select(name =>
        {
            var texts = Find(client, database, name).ConvertAll(ExtendedJson.ToText);
            return $"{name}: {string.Join(' ', name is "cap" ? texts : texts.Order(StringComparer.Ordinal))}";
        }));

    private sealed class Writer(MongoClient client, Random random)
    {
        public const string Database = "src";

        private long _transaction;
        private int _capped;
        private int _steps;

        public void Step()
        {
            if (_steps++ == 0)
            {
                Run("""{"create": "cap", "capped": true, "size": 4096, "max": 5}""");
                Run("""{"create": "x"}""");
            }

            var (name, id) = (random.Next(3) == 0 ? "y" : "x", random.Next(12));
            switch (random.Next(40))
            {
                case < 10:
                    Run($$"""{"update": "{{name}}", "updates": [{"q": {"_id": {{id}}}, "u": {"_id": {{id}}, "a": 1, "in": {"b": 2, "c": [1, {"d": 1}, 3]}, "e": {{random.Next(100)}} }, "upsert": true}]}""");
                    break;
                case < 24:
                    Run(Update(name, id));
                    break;
                case < 28:
                    Run($$"""{"delete": "{{name}}", "deletes": [{"q": {"_id": {{id}}}, "limit": 1}]}""");
                    break;
                case < 34:
                    Run($$"""{"insert": "cap", "documents": [{"_id": {{_capped++}}, "text": "{{new string('x', random.Next(1500))}}"}]}""");
                    break;
                case < 38:
                    Transaction(name);
                    break;
                case 38:
                    Run("""{"renameCollection": "src.x", "to": "src.y", "dropTarget": true}""", "admin");
                    break;
                default:
                    Run("""{"drop": "y"}""");
                    break;
            }
        }

        private string Update(string name, int id)
        {
            string[] changes =
            [
                """{"$set": {"in.b": 7, "a": 2}}""", """{"$set": {"in": 5}}""", """{"$set": {"in": {"b": 1}}}""", """{"$unset": {"in": ""}}""", """{"$unset": {"a": ""}}""",
                """{"$set": {"e": [1, 2, 3]}}""", """{"$set": {"e": "text", "new": 1}}""", """{"$unset": {"e": "", "new": ""}}""", """{"$set": {"in.f.g": 1}}""", """{"$inc": {"count": 1}}""",
            ];
            return $$"""{"update": "{{name}}", "updates": [{"q": {"_id": {{id}}}, "u": {{changes[random.Next(changes.Length)]}} }]}""";
        }

        private void Transaction(string name)
        {
            _transaction++;
            var tag = $$$$"""{ "lsid": {"id": {"$binary": {"base64": "AAAAAAAAAAAAAAAAAAAAAA==", "subType": "04"}}}, "txnNumber": {"$numberLong": "{{{{_transaction}}}}"}, "autocommit": false""";
            for (var at = 0; at < 4; at++)
            {
                var id = random.Next(12);
                var start = at == 0 ? """, "startTransaction": true}""" : "}";
                Run($$$$"""{"update": "{{{{name}}}}", "updates": [{"q": {"_id": {{{{id}}}} }, "u": {"$set": {"by": {{{{_transaction}}}}, "in": {"b": {{{{at}}}} }}}, "upsert": true}]""" + "," + tag[1..] + start);
            }

            Run("""{"commitTransaction": 1""" + "," + tag[1..] + "}", "admin");
        }

        private void Run(string command, string database = Database)
        {
            var builder = new BsonBuilder();
            var reader = ExtendedJson.Read(command).Read();
            while (reader.Read())
                builder.Append(reader.Current);
            try
            {
                client.Run(database, builder, CancellationToken.None);
            }
            catch (MongoException refused) when (refused.Code is 26 or 28)
            {
                // Dropped or renamed before, or a field of another kind.
            }
        }
    }
}
