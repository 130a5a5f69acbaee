using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Replay;

/// <summary>A replay into a Sandbox of its own, with every command that it sends. Entries are Extended JSON; the first is of 1001:1, each of one second after the one before.</summary>
internal sealed class TableReplay : IDisposable
{
    /// <summary>Two identities of collections, as Extended JSON.</summary>
    public const string A = """{"$binary": {"base64": "EREREREREREREREREREREQ==", "subType": "04"}}""";

    public const string B = """{"$binary": {"base64": "IiIiIiIiIiIiIiIiIiIiIg==", "subType": "04"}}""";

    private readonly SandboxServer _server;
    private readonly MongoClient _client;
    private readonly Spy _spy;
    private uint _seconds = 1000;

    /// <summary>One whose target has a.x, or the namespace that is given, with these documents.</summary>
    public TableReplay(params string[] documents)
        : this(upserts: false, documents)
    {
    }

    public TableReplay(bool upserts, params string[] documents)
    {
        _server = new SandboxServer(new SandboxOptions { UpsertOnApply = upserts });
        _client = MongoClient.Connect(MongoConnectionString.Parse(_server.ConnectionString), new MongoClientOptions { RequirePrimary = true, MaxConnections = 8 }, CancellationToken.None);
        _spy = new Spy(new MongoReplayTarget(_client));
        var ns = documents is [var name] && !name.StartsWith('{') ? name : "a.x";
        _client.Run(NamespaceMap.DatabaseOf(ns), new BsonBuilder().Append("create", NamespaceMap.CollectionOf(ns)), CancellationToken.None);
        foreach (var document in documents.Where(document => document.StartsWith('{')))
            _client.Run("a", new BsonBuilder().Append("insert", "x").BeginArray("documents").Append("0", Json(document)).End(), CancellationToken.None);
        Catalogue.Add(ns, null, RawBson.Empty, []);
    }

    public IndexCatalogue Catalogue { get; } = new();

    public ReplayScan Scan { get; } = new(NamespaceMap.All);

    /// <summary>Commands sent by the replay, those of its probe left out.</summary>
    public IReadOnlyList<RawBson> Commands => [.. _spy.Commands.Where(command => !ExtendedJson.ToText(command).Contains("missing_", StringComparison.Ordinal) && !command.Has("listCollections"u8) && !command.Has("dropDatabase"u8))];

    /// <summary>Operations within them.</summary>
    public IReadOnlyList<RawBson> Operations => [.. Commands.Where(command => command.Has("applyOps"u8)).SelectMany(command => OperationsOf(command))];

    public ReplayResult Run(params string[] entries) => Run(NamespaceMap.All, entries);

    public ReplayResult Run(NamespaceMap map, params string[] entries)
    {
        using var replayer = new OplogReplayer(_spy, map, Catalogue, new ReplayOptions { Lanes = 2 }, CancellationToken.None);
        foreach (var text in entries)
        {
            var entry = new BsonBuilder();
            var fields = Json(text).Read();
            while (fields.Read())
                entry.Append(fields.Current);
            entry.Append("ts", new BsonTimestamp(++_seconds, 1)).Append("t", 1L).Append("v", 2L).AppendDateTime("wall", 0);
            Scan.Add(entry.ToBson().Span);
            replayer.Apply(entry.ToBson().Span);
        }

        return replayer.Complete();
    }

    public int BuildIndexes() => IndexBuild.Run(_spy, Catalogue, NamespaceMap.All, convertLegacy: false, CancellationToken.None);

    /// <summary>Documents, by their text.</summary>
    public IReadOnlyList<string> Content(string ns) => List(ns, "find");

    public IReadOnlyList<string> Indexes(string ns) => [.. Read(NamespaceMap.DatabaseOf(ns), new BsonBuilder().Append("listIndexes", NamespaceMap.CollectionOf(ns))).Select(index => index.FindString("name"u8)!)];

    public IReadOnlyList<RawBson> Collections(string database) => Read(database, new BsonBuilder().Append("listCollections", 1));

    public string Names(string database) => string.Join(' ', Collections(database).Select(one => one.FindString("name"u8)).Order(StringComparer.Ordinal));

    public static RawBson Json(string text) => ExtendedJson.Read(text);

    public static string Fields(RawBson document)
    {
        var names = new List<string>();
        var reader = document.Read();
        while (reader.Read())
            names.Add(reader.Current.NameText);
        return string.Join(' ', names);
    }

    public static IEnumerable<RawBson> OperationsOf(RawBson command)
    {
        var found = new List<RawBson>();
        var reader = command.FindDocument("applyOps"u8)!.Value.Read();
        while (reader.Read())
            found.Add(new RawBson(reader.Current.AsDocument().ToArray()));
        return found;
    }

    public void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
    }

    // Relaxed, as the tests write it.
    private List<string> List(string ns, string command) =>
        [.. Read(NamespaceMap.DatabaseOf(ns), new BsonBuilder().Append(command, NamespaceMap.CollectionOf(ns))).Select(Relaxed).Order(StringComparer.Ordinal)];

    private static string Relaxed(RawBson document) => System.Text.RegularExpressions.Regex.Replace(
        ExtendedJson.ToText(document), """\{"\$number(?:Int|Long|Double)":"(?<value>[^"]*)"\}""", "${value}", System.Text.RegularExpressions.RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1))
        .Replace("\":", "\": ", StringComparison.Ordinal).Replace(",", ", ", StringComparison.Ordinal);

    private List<RawBson> Read(string database, BsonBuilder command)
    {
        var found = new List<RawBson>();
        using var cursor = _client.Open(database, command, new CursorOptions(), CancellationToken.None);
        for (var step = cursor.Next(); step != CursorStep.End; step = cursor.Next())
        {
            if (step == CursorStep.Document)
                found.Add(new RawBson(cursor.Current.ToArray()));
        }

        return found;
    }

    private sealed class Spy(IReplayTarget inner) : IReplayTarget
    {
        private readonly Lock _lock = new();

        public List<RawBson> Commands { get; } = [];

        public RawBson Run(string database, BsonBuilder command, CancellationToken token)
        {
            lock (_lock)
                Commands.Add(command.ToBson());
            return inner.Run(database, command, token);
        }
    }
}
