using System.Globalization;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.PointInTime;

/// <summary>
/// Changes two databases at random, by commands as an application sends them, and keeps a model of what must be there. The same seed sends the same commands. One thread.
/// </summary>
internal sealed partial class Writer
{
    private readonly MongoClient _client;
    private readonly Random _random;
    private readonly string _main;
    private readonly string _scratch;
    private readonly bool _prepares;
    private readonly string _text;
    private int _next;
    private int _group;

    /// <summary>Makes one, and its first collections.</summary>
    /// <param name="client">The server's primary.</param>
    /// <param name="seed">Decides everything.</param>
    /// <param name="main">Most of the data.</param>
    /// <param name="scratch">A database that is dropped now and then.</param>
    /// <param name="prepares">Whether transactions may be prepared: the Sandbox lets a client do so, a real server does not.</param>
    public Writer(MongoClient client, int seed, string main, string scratch, bool prepares)
    {
        (_client, _random, _main, _scratch, _prepares) = (client, new Random(seed), main, scratch, prepares);
        // Long enough that a diff is shorter than the document.
        _text = new string('.', 120);
        Begin();
    }

    /// <summary>What must be on the server now.</summary>
    public WriterModel Model { get; } = new();

    public WriterLog Log { get; } = new();

    public int Steps { get; private set; }

    public void Step()
    {
        Steps++;
        switch (_random.Next(100))
        {
            case < 18:
                StepTransaction();
                break;
            case < 36:
                InsertSome(AnyPlain());
                break;
            case < 60:
                UpdateSome(AnyPlain());
                break;
            case < 68:
                DeleteSome(AnyPlain());
                break;
            case < 76:
                WriteCapped();
                break;
            case < 80:
                StepExpiry();
                break;
            case < 84:
                WriteBuckets();
                break;
            default:
                Define();
                break;
        }
    }

    /// <summary>Ends what is still open.</summary>
    public void Finish()
    {
        foreach (var transaction in _open.Values.ToArray())
            Commit(transaction);
    }

    private void Begin()
    {
        foreach (var name in (string[])["accounts", "ledger"])
            Create(_main, name, new WriterDocument());
        for (var id = 0; id < 24; id++)
            Insert($"{_main}.accounts", [new WriterDocument([("_id", id), ("balance", 100L), ("pad", _text)])]);
        Create(_main, "log", new WriterDocument([("capped", true), ("size", 4096), ("max", 15)]));
        Create(_main, "sizes", new WriterDocument([("capped", true), ("size", 2048)]));
        Create(_main, "sessions", new WriterDocument());
        CreateIndexes($"{_main}.sessions", [new WriterDocument([("v", 2), ("key", new WriterDocument([("at", 1)])), ("name", "at_1"), ("expireAfterSeconds", 100_000_000)])]);
        foreach (var ns in Plain)
        {
            for (var count = 0; count < 4; count++)
                InsertSome(ns);
        }

        CreateView("seen", "orders", 1);
        CreateSeries();
    }

    private IReadOnlyList<string> Plain => [$"{_main}.orders", $"{_main}.trades", $"{_main}.extra", $"{_main}.moved", $"{_scratch}.a", $"{_scratch}.b"];

    private string AnyPlain() => Plain[_random.Next(Plain.Count)];

    private static string DatabaseOf(string ns) => ns[..ns.IndexOf('.', StringComparison.Ordinal)];

    private static string CollectionOf(string ns) => ns[(ns.IndexOf('.', StringComparison.Ordinal) + 1)..];

    private RawBson Send(string database, params (string Name, object? Value)[] fields)
    {
        var reply = _client.Run(database, new WriterDocument(fields).AppendTo(new BsonBuilder()), CancellationToken.None);
        return reply.Has("writeErrors"u8) ? throw new InvalidOperationException("A write was refused that the model allows: " + ExtendedJson.ToText(reply)) : reply;
    }

    private void Do(WriterPart part)
    {
        part.Change?.Invoke(Model);
        Log.Add(part);
    }

    private void DoCommand(string ns, string command, Action<WriterModel>? change, int group = 0, string? argument = null) =>
        Do(new WriterPart("c", DatabaseOf(ns) + ".$cmd", command, argument ?? CollectionOf(ns), change) { Group = group });

    /// <summary>An _id of one of several types, used nowhere else.</summary>
    private object NewId() => (++_next % 5) switch
    {
        0 => "id " + _next.ToString(CultureInfo.InvariantCulture),
        1 => (long)_next << 33,
        2 => new WriterDocument([("a", _next), ("b", "x")]),
        3 => _next + 0.5,
        _ => _next,
    };

    private WriterDocument NewDocument(object id) => new([
        ("_id", id),
        ("u", (long)++_next),
        ("n", _random.Next(20)),
        ("ratio", _random.Next(100) / 4.0),
        ("text", _text[_random.Next(80)..]),
        ("tags", new List<object?>(Enumerable.Range(0, _random.Next(6)).Select(_ => (object?)_random.Next(9)))),
        ("in", new WriterDocument([("x", _random.Next(9)), ("y", new WriterDocument([("z", "deep"), ("pad", _text)])), ("list", new List<object?> { new WriterDocument([("q", 1), ("pad", _text)]), new WriterDocument([("q", 2)]) })])),
        ("at", new WriterDate(1_700_000_000_000 + _next)),
        ("none", null),
        ("pad", _text),
    ]);

    // Collections come to be with their first document.
    private void Demand(string ns)
    {
        if (Model.Collections.ContainsKey(ns))
            return;
        DoCommand(ns, "create", model => model.Collections.Add(ns, new WriterCollection(new WriterDocument())));
    }

    private void Insert(string ns, IReadOnlyList<WriterDocument> documents)
    {
        Send(DatabaseOf(ns), ("insert", CollectionOf(ns)), ("documents", new List<object?>(documents)));
        Demand(ns);
        foreach (var document in documents)
            DoInsert(ns, document);
    }

    private void DoInsert(string ns, WriterDocument document)
    {
        var gone = Model[ns].Documents.Count;
        Do(new WriterPart("i", ns, Change: model => model.Insert(ns, document)));
        // The server tells what rolled over the cap.
        for (gone = gone + 1 - Model[ns].Documents.Count; gone > 0; gone--)
            Do(new WriterPart("d", ns));
    }

    private void InsertSome(string ns)
    {
        var documents = Enumerable.Range(0, _random.Next(1, 5)).Select(_ => NewDocument(NewId())).ToList();
        Insert(ns, documents);
        if (_random.Next(6) > 0)
            return;
        // One of three has an _id that is taken: the others go in.
        var more = (List<WriterDocument>)[NewDocument(NewId()), NewDocument(documents[0]["_id"]!), NewDocument(NewId())];
        _client.Run(DatabaseOf(ns), new WriterDocument([("insert", CollectionOf(ns)), ("documents", new List<object?>(more)), ("ordered", false)]).AppendTo(new BsonBuilder()), CancellationToken.None);
        DoInsert(ns, more[0]);
        DoInsert(ns, more[2]);
    }

    // Often one of a few, so that many changes meet in one document.
    private WriterDocument? AnyDocument(string ns)
    {
        if (!Model.Collections.TryGetValue(ns, out var collection) || collection.Documents.Count == 0)
            return null;
        var among = _random.Next(2) == 0 ? collection.Documents.Count : Math.Min(3, collection.Documents.Count);
        return collection.Documents.GetAt(_random.Next(among)).Value;
    }

    private void DeleteSome(string ns)
    {
        if (AnyDocument(ns) is not { } document)
            return;
        var many = _random.Next(4) == 0;
        var query = many ? new WriterDocument([("n", document["n"])]) : new WriterDocument([("_id", document["_id"])]);
        Delete(ns, query, many ? other => Equals(other["n"], document["n"]) : other => ReferenceEquals(other, document));
    }

    private void Delete(string ns, WriterDocument query, Func<WriterDocument, bool> matches)
    {
        Send(DatabaseOf(ns), ("delete", CollectionOf(ns)), ("deletes", new List<object?> { new WriterDocument([("q", query), ("limit", 0)]) }));
        foreach (var (key, _) in Model[ns].Documents.Where(pair => matches(pair.Value)).ToArray())
            Do(new WriterPart("d", ns, Change: model => model.Delete(ns, key)));
    }
}
