using BenchmarkDotNet.Attributes;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Bench.Parts;

/// <summary>What a proof does with every document: 1,000 documents of about 200 bytes.</summary>
[MemoryDiagnoser]
public class BsonBenchmarks
{
    private const int Count = 1000;

    private readonly RawBson[] _documents = [.. Enumerable.Range(0, Count).Select(number => new BsonBuilder()
        .AppendRaw(BsonType.ObjectId, "_id", new byte[12]).Append("symbol", "BTCUSDT").Append("price", 43_000.5 + number).Append("quantity", 0.25)
        .Append("strategy", "grid and more text of a usual length").BeginDocument("order").Append("number", number).AppendDateTime("at", 1_700_000_000_000 + number).End().ToBson())];

    /// <summary>Every byte of every document.</summary>
    [Benchmark]
    public bool Validate()
    {
        var valid = true;
        foreach (var document in _documents)
            valid &= BsonValidator.IsValid(document.Span);
        return valid;
    }

    /// <summary>One field of every document, as a restore and a replay look one up.</summary>
    [Benchmark]
    public int Find()
    {
        var found = 0;
        foreach (var document in _documents)
            found += document.FindString("strategy"u8)?.Length ?? 0;
        return found;
    }
}
