using System.Globalization;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox;

// A MongoDB to race against, in a process of its own: SandboxHost URI|sandbox MEGABYTES COLLECTIONS. Fills the database "race", prints the connection string, and ends with its input.
if (args is not [var where, var size, var spread])
{
    await Console.Error.WriteLineAsync("SandboxHost URI|sandbox MEGABYTES COLLECTIONS");
    return 2;
}

using var sandbox = where is "sandbox" ? new SandboxServer(new SandboxOptions { MemoryCap = 20L << 30, OplogCap = 64L << 20 }) : null;
var uri = sandbox?.ConnectionString ?? where;
using (var client = MongoClient.Connect(MongoConnectionString.Parse(uri), new MongoClientOptions { RequirePrimary = true }, CancellationToken.None))
    Fill(client, long.Parse(size, CultureInfo.InvariantCulture) << 20, int.Parse(spread, CultureInfo.InvariantCulture));
Console.WriteLine(uri);
while (await Console.In.ReadLineAsync() is not null)
{
    // Anything but the end of input is waited through.
}

return 0;

// Trades of about 1 KiB, as a platform has them: numbers that differ, words that repeat.
static void Fill(MongoClient client, long bytes, int collections)
{
    string[] symbols = ["BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT", "ADAUSDT"];
    string[] sides = ["buy", "sell"];
    var random = new Random(1);
    client.Run("race", new BsonBuilder().Append("dropDatabase", 1), CancellationToken.None);
    var batch = new DocumentSequence();
    var builder = new BsonBuilder(2048);
    for (var collection = 0; collection < collections; collection++)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"trades{collection}");
        long written = 0;
        for (var number = 0; written < bytes / collections; number++)
        {
            builder.Clear();
            builder.Append("_id", number).Append("symbol", symbols[number % symbols.Length]).Append("side", sides[random.Next(2)]).Append("price", Math.Round(random.NextDouble() * 60000, 2))
                .Append("quantity", Math.Round(random.NextDouble(), 6)).AppendDateTime("time", 1_700_000_000_000 + (number * 997L)).Append("strategy", $"momentum-{number % 17}").BeginArray("fills");
            for (var fill = 0; fill < 12; fill++)
            {
                builder.BeginDocument(fill.ToString(CultureInfo.InvariantCulture)).Append("price", Math.Round(random.NextDouble() * 60000, 2)).Append("quantity", Math.Round(random.NextDouble(), 6))
                    .Append("fee", random.Next(1000)).Append("maker", random.Next(2) == 0).End();
            }

            builder.End();
            var document = builder.Finish();
            written += document.Length;
            if (batch.TryAdd(document.Span, 8 << 20, 10_000))
                continue;
            Send(client, name, batch);
            batch.TryAdd(document.Span, 8 << 20, 10_000);
        }

        Send(client, name, batch);
        client.Run(
            "race",
            new BsonBuilder().Append("createIndexes", name).BeginArray("indexes").BeginDocument("0").BeginDocument("key").Append("time", 1).End().Append("name", "by_time").End().End(),
            CancellationToken.None);
    }
}

static void Send(MongoClient client, string collection, DocumentSequence batch)
{
    client.Run("race", new BsonBuilder().Append("insert", collection), "documents", batch, CancellationToken.None);
    batch.Clear();
}
