using System.Globalization;
using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Bench;

/// <summary>An oplog as a trading platform leaves it: inserts of about 300 bytes, <c>$v:2</c> updates of two fields, deletes, and transactions of four of them. The same each time.</summary>
internal sealed class MadeUpOplog
{
    public const string Database = "race_replay";
    public const int Collections = 8;
    private const int Loaded = 5000;

    private readonly Random _random = new(1);
    private readonly BsonBuilder _builder = new(1024);
    private readonly Guid[] _uuids = [.. Enumerable.Range(0, Collections).Select(_ => Guid.NewGuid())];
    private readonly List<int>[] _standing = [.. Enumerable.Range(0, Collections).Select(_ => Enumerable.Range(0, Loaded).ToList())];
    private readonly int[] _next = [.. Enumerable.Repeat(Loaded, Collections)];
    private readonly Dictionary<string, int> _mix = new(StringComparer.Ordinal) { ["inserts"] = 0, ["updates"] = 0, ["deletes"] = 0, ["transactions"] = 0 };
    private byte[] _slab = [];
    private int _used;
    private uint _ordinal;

    public MadeUpOplog(int entries)
    {
        for (var at = 0; at < entries; at++)
        {
            if (at % 100 == 99)
                AddTransaction(at);
            else
                AddChange();
        }
    }

    public List<ReadOnlyMemory<byte>> Entries { get; } = [];

    public int Operations { get; private set; }

    public string Mix => string.Join(", ", _mix.Select(pair => $"{pair.Value.ToString("N0", CultureInfo.InvariantCulture)} {pair.Key}"));

    /// <summary>What stands before the first entry.</summary>
    public IndexCatalogue Load(MongoClient client)
    {
        client.Run(Database, new BsonBuilder().Append("dropDatabase", 1), CancellationToken.None);
        var catalogue = new IndexCatalogue();
        var documents = new DocumentSequence();
        for (var at = 0; at < Collections; at++)
        {
            for (var id = 0; id < Loaded; id++)
            {
                _builder.Clear();
                AppendTrade(id);
                documents.TryAdd(_builder.Finish().Span, 32 << 20, Loaded);
            }

            client.Run(Database, new BsonBuilder().Append("insert", NameOf(at)), "documents", documents, CancellationToken.None);
            documents.Clear();
            catalogue.Add($"{Database}.{NameOf(at)}", _uuids[at], RawBson.Empty, []);
        }

        return catalogue;
    }

    private static string NameOf(int collection) => string.Create(CultureInfo.InvariantCulture, $"trades{collection}");

    private void AddChange()
    {
        _builder.Clear();
        AppendOperation();
        AppendTime();
    }

    private void AddTransaction(long number)
    {
        _mix["transactions"]++;
        _builder.Clear();
        _builder.BeginDocument("lsid").AppendBinary("id", new byte[16], 4).End().Append("txnNumber", number).Append("op", "c").Append("ns", "admin.$cmd").BeginDocument("o").BeginArray("applyOps");
        for (var at = 0; at < 4; at++)
        {
            _builder.BeginDocument(at.ToString(CultureInfo.InvariantCulture));
            AppendOperation();
            _builder.End();
        }

        _builder.End().End().BeginDocument("prevOpTime").Append("ts", default(BsonTimestamp)).Append("t", -1L).End();
        AppendTime();
    }

    private void AppendTime()
    {
        _builder.Append("ts", new BsonTimestamp(1_700_000_000, ++_ordinal)).Append("t", 1L).Append("v", 2L).AppendDateTime("wall", 1_700_000_000_000);
        Keep(_builder.Finish().Span);
    }

    // In few large pieces: half a million arrays would be the collector's work, and none of a replay's, which reads a stream.
    private void Keep(ReadOnlySpan<byte> entry)
    {
        if (_slab.Length - _used < entry.Length)
            (_slab, _used) = (new byte[16 << 20], 0);
        entry.CopyTo(_slab.AsSpan(_used));
        Entries.Add(_slab.AsMemory(_used, entry.Length));
        _used += entry.Length;
    }

    private void AppendOperation()
    {
        Operations++;
        var collection = _random.Next(Collections);
        var standing = _standing[collection];
        var place = _random.Next(standing.Count);
        var id = standing[place];
        switch (_random.Next(100))
        {
            case < 40:
                _mix["inserts"]++;
                id = _next[collection]++;
                standing.Add(id);
                Begin("i", collection);
                _builder.BeginDocument("o");
                AppendTrade(id);
                _builder.End().BeginDocument("o2").Append("_id", id).End();
                break;
            case < 85:
                _mix["updates"]++;
                Begin("u", collection);
                _builder.BeginDocument("o").Append("$v", 2).BeginDocument("diff").BeginDocument("u").Append("price", _random.NextDouble() * 60000).Append("state", "filled").End().End().End()
                    .BeginDocument("o2").Append("_id", id).End();
                break;
            default:
                _mix["deletes"]++;
                standing[place] = standing[^1];
                standing.RemoveAt(standing.Count - 1);
                Begin("d", collection);
                _builder.BeginDocument("o").Append("_id", id).End();
                break;
        }
    }

    private void Begin(string operation, int collection) =>
        _builder.Append("op", operation).Append("ns", $"{Database}.{NameOf(collection)}").AppendBinary("ui", _uuids[collection].ToByteArray(bigEndian: true), 4);

    private void AppendTrade(int id) => _builder.Append("_id", id).Append("symbol", "BTCUSDT").Append("side", id % 2 == 0 ? "buy" : "sell").Append("price", id * 1.5).Append("quantity", 0.25)
        .Append("state", "new").AppendDateTime("time", 1_700_000_000_000 + id).Append("strategy", "momentum").BeginArray("fills").BeginDocument("0").Append("price", id * 1.5).Append("quantity", 0.1).Append("fee", 3)
        .End().BeginDocument("1").Append("price", id * 1.5).Append("quantity", 0.15).Append("fee", 4).End().End();
}
