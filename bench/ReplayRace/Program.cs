using System.Diagnostics;
using System.Globalization;
using BotCore.Backup.Bench;
using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;

// Replays one made-up oplog onto a server, in turns: ReplayRace URI ENTRIES RUNS. Prints a Markdown table of operations a second.
if (args is not [var uri, var size, var turns])
{
    await Console.Error.WriteLineAsync("ReplayRace URI ENTRIES RUNS");
    return 2;
}

var oplog = new MadeUpOplog(int.Parse(size, CultureInfo.InvariantCulture));
// One call an operation takes so long that a part of the oplog must do; what counts is the rate.
Contender[] contenders = [new("one entry per applyOps", 1, 1, 20), new("1 lane", 1, 2000, 1), new("2 lanes", 2, 2000, 1), new("4 lanes", 4, 2000, 1)];
using var client = MongoClient.Connect(MongoConnectionString.Parse(uri), new MongoClientOptions { RequirePrimary = true, MaxConnections = 8 }, CancellationToken.None);
foreach (var contender in contenders)
    Replay(contender);
foreach (var contender in contenders)
    contender.Rates.Clear();
for (var turn = 0; turn < int.Parse(turns, CultureInfo.InvariantCulture); turn++)
{
    for (var at = 0; at < contenders.Length; at++)
        Replay(contenders[(turn + at) % contenders.Length]);
}

client.Run(MadeUpOplog.Database, new BsonBuilder().Append("dropDatabase", 1), CancellationToken.None);
var slow = contenders[0].Median;
Console.WriteLine($"{oplog.Entries.Count.ToString("N0", CultureInfo.InvariantCulture)} entries with {oplog.Operations.ToString("N0", CultureInfo.InvariantCulture)} operations over {MadeUpOplog.Collections} collections: {oplog.Mix}.");
Console.WriteLine();
Console.WriteLine("| replay | operations/s min / median / max | ratio |");
Console.WriteLine("| --- | --- | --- |");
foreach (var contender in contenders)
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {contender.Name} | {contender.Rates.Min():N0} / {contender.Median:N0} / {contender.Rates.Max():N0} | {contender.Median / slow:N1} x |"));
return 0;

// The same code for all; only lanes and batches differ.
void Replay(Contender contender)
{
    var catalogue = oplog.Load(client);
    var options = new ReplayOptions { Lanes = contender.Lanes, BatchOperations = contender.Batch, AtomicTransactions = false };
    var clock = Stopwatch.StartNew();
    using var replayer = new OplogReplayer(client, NamespaceMap.All, catalogue, options, CancellationToken.None);
    foreach (var entry in oplog.Entries.Take(oplog.Entries.Count / contender.Part))
        replayer.Apply(entry.Span);
    var result = replayer.Complete();
    var rate = (result.Inserts + result.Updates + result.Deletes) / clock.Elapsed.TotalSeconds;
    contender.Rates.Add(rate);
    Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{contender.Name}: {rate:N0}/s in {clock.Elapsed.TotalSeconds:N2} s"));
}
