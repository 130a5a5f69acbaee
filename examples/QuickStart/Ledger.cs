using System.Security.Cryptography;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Examples.QuickStart;

/// <summary>
/// A small database to lose: accounts in two collections, and a writer that moves cents between them in transactions, so that the sum of both is the same at every moment. A copy
/// that is not of one moment shows in the sum.
/// </summary>
internal sealed class Ledger(MongoClient client, string database) : IDisposable
{
    /// <summary>Cents in all accounts of both collections, at every moment.</summary>
    public const long Sum = 2L * Accounts * Each;

    private const int Accounts = 500;
    private const int Each = 1_000;

    private readonly CancellationTokenSource _enough = new();
    private Thread? _writer;
    private Exception? _wrong;
    private long _transfers;

    /// <summary>Transfers made so far.</summary>
    public long Transfers => Interlocked.Read(ref _transfers);

    public void Fill()
    {
        foreach (var collection in new[] { "cash", "margin" })
            Insert(collection, Enumerable.Range(0, Accounts).Select(n => new BsonBuilder().Append("_id", n).Append("cents", (long)Each).ToBson()));
        Insert("trades", Enumerable.Range(0, 5_000).Select(n => new BsonBuilder().Append("_id", n).Append("symbol", n % 2 == 0 ? "BTC" : "ETH").AppendDateTime("at", 1_763_424_000_000 + n).ToBson()));
        foreach (var needed in new[] { "users", "portfolios", "strategies" })
            Insert(needed, [new BsonBuilder().Append("_id", needed).ToBson()]);
        Run(new BsonBuilder().Append("createIndexes", "trades").BeginArray("indexes").BeginDocument("0").BeginDocument("key").Append("symbol", 1).Append("at", -1).End().Append("name", "by_symbol").End().End());
    }

    /// <summary>Starts the writer, and returns when it has begun to move money.</summary>
    public void StartMoving()
    {
        _writer = new Thread(Move) { IsBackground = true, Name = "writer" };
        _writer.Start();
        SpinWait.SpinUntil(() => Transfers >= 20 || !_writer.IsAlive);
    }

    /// <summary>Stops it.</summary>
    public void StopMoving()
    {
        _enough.Cancel();
        _writer?.Join();
        if (_wrong is not null)
            throw new NotProvenException($"The writer failed: {_wrong.Message}");
    }

    /// <summary>A bad query on a bad day.</summary>
    public void Destroy()
    {
        Run(new BsonBuilder().Append("drop", "margin"));
        Run(new BsonBuilder().Append("delete", "cash").BeginArray("deletes").BeginDocument("0").BeginDocument("q").BeginDocument("_id").Append("$gte", Accounts / 2).End().End().Append("limit", 0).End().End());
    }

    /// <summary>Cents in both collections of any database here.</summary>
    public long SumIn(string name)
    {
        var sum = 0L;
        foreach (var collection in new[] { "cash", "margin" })
            Read(name, collection, document => sum += document.FindInt64("cents"u8) ?? 0);
        return sum;
    }

    /// <summary>One line for every document, with its SHA-256, in a fixed order. Read over the wire, so that the comparison does not rest on the engine that is on trial.</summary>
    public IReadOnlyList<string> RecordOf(string name)
    {
        var lines = new List<string>();
        foreach (var collection in new[] { "cash", "margin", "trades", "users", "portfolios", "strategies" })
            Read(name, collection, document => lines.Add($"{collection} {Convert.ToHexStringLower(SHA256.HashData(document.Span))}"));
        lines.Sort(StringComparer.Ordinal);
        return lines;
    }

    public void Dispose()
    {
        _enough.Cancel();
        _writer?.Join();
        _enough.Dispose();
    }

    private void Move()
    {
        try
        {
            var session = new BsonBuilder().AppendBinary("id", Guid.NewGuid().ToByteArray(), subtype: 4).ToBson();
            for (var number = 1L; !_enough.IsCancellationRequested; number++)
            {
                Change(Update("cash", number).Append("startTransaction", value: true), session, number);
                Change(Update("margin", -number), session, number);
                client.Run("admin", InTransaction(new BsonBuilder().Append("commitTransaction", 1), session, number), CancellationToken.None);
                Interlocked.Increment(ref _transfers);
            }
        }
        catch (Exception wrong) when (wrong is MongoException or NotProvenException)
        {
            _wrong = wrong;
        }
    }

    // Positive takes, negative gives; which account is told by the number.
    private static BsonBuilder Update(string collection, long number) => new BsonBuilder().Append("update", collection).BeginArray("updates")
        .BeginDocument("0").BeginDocument("q").Append("_id", (int)(Math.Abs(number) * 7 % Accounts)).End().BeginDocument("u").BeginDocument("$inc").Append("cents", number > 0 ? -1L : 1L).End().End().End().End();

    private void Change(BsonBuilder update, RawBson session, long number)
    {
        if (client.Run(database, InTransaction(update, session, number), CancellationToken.None).FindInt64("n"u8) != 1)
            throw new NotProvenException("A transfer found no account.");
    }

    private static BsonBuilder InTransaction(BsonBuilder command, RawBson session, long number) =>
        command.Append("lsid", session).Append("txnNumber", number).Append("autocommit", value: false);

    private void Insert(string collection, IEnumerable<RawBson> documents)
    {
        var sequence = new DocumentSequence();
        foreach (var document in documents)
            _ = sequence.TryAdd(document.Span, 8 << 20, 50_000);
        client.Run(database, new BsonBuilder().Append("insert", collection), "documents", sequence, CancellationToken.None);
    }

    private void Run(BsonBuilder command) => client.Run(database, command, CancellationToken.None);

    private void Read(string name, string collection, Action<RawBson> take)
    {
        using var cursor = client.Open(name, new BsonBuilder().Append("find", collection), new CursorOptions(), CancellationToken.None);
        while (cursor.Next() == CursorStep.Document)
            take(new RawBson(cursor.Current.ToArray()));
    }
}
