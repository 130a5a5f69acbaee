using System.Diagnostics;
using System.Globalization;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Engine.Verification;
using BotCore.Backup.Protocols.MongoDb.Bson;
using Xunit;
using Xunit.Abstractions;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Dumping;

/// <summary>A million documents over twenty collections, with every type and every odd name, there and back.</summary>
public sealed class MillionDocumentsTests(ITestOutputHelper output)
{
    private const int Each = 50_000;

    [Fact]
    public void A_million_documents_come_back_with_the_same_hash_per_collection()
    {
        using var mongo = new MongoPlatform();
        var watch = Stopwatch.StartNew();
        var names = Fill(mongo);
        Tell("inserted");
        var session = mongo.Session();

        var backup = mongo.BackUp(session);
        Tell("backed up");
        Assert.Equal((20, 20L * Each), (backup.Manifest!.MongoDb!.Collections, backup.Manifest.MongoDb.Documents));

        var proof = Workplace.Item<BotBackupVerification>([.. VerificationRunner.Run(session, [backup], Depth.Archive, default).ToBlockingEnumerable()]);
        Assert.Equal(Outcome.Succeeded, proof.Outcome);
        Tell("proven");

        var other = mongo.NewDatabase("other");
        var restore = Workplace.Item<BotBackupRestore>(MongoPlatform.RunRestore(session, backup, new RestoreRequest { Server = SecretUri.WithPassword(mongo.UriOf(other)) }));
        Tell("restored");
        Assert.Equal(20L * Each, restore.Counts.Documents);
        Assert.Equal(names.Order(StringComparer.Ordinal), mongo.Collections(other).Where(name => !name.StartsWith("__bot_", StringComparison.Ordinal)), StringComparer.Ordinal);
        Assert.All(names, name =>
        {
            var set = mongo.SetOf(name);
            Assert.Equal(Each, set.Count);
            Assert.True(set.Matches(mongo.SetOf(name, other)), name);
        });
        Tell("compared");

        void Tell(string what) => output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{watch.Elapsed.TotalSeconds,6:F1} s {what}"));
    }

    [Fact]
    public async Task The_same_while_amounts_move_and_documents_change_keeps_the_sum()
    {
        using var mongo = new MongoPlatform();
        var names = Fill(mongo);
        DumpConsistencyTests.Fund(mongo);
        using var stop = new CancellationTokenSource();
        var moved = 0;
        var writer = Task.Run(() =>
        {
            var random = new Random(9);
            while (!stop.IsCancellationRequested)
            {
                DumpConsistencyTests.Move(mongo, moved + 1, random.Next(DumpConsistencyTests.Accounts), random.Next(DumpConsistencyTests.Accounts), random.Next(1, 9));
                mongo.Run(new BsonBuilder().Append("update", names[^1]).BeginArray("updates").BeginDocument("0").BeginDocument("q").Append("_id", 1 + (moved % 499)).End()
                    .BeginDocument("u").BeginDocument("$set").Append("price", -1.0 * moved).End().End().End().End());
                Volatile.Write(ref moved, moved + 1);
            }
        });
        SpinWait.SpinUntil(() => Volatile.Read(ref moved) > 20 || writer.IsCompleted);
        var before = Volatile.Read(ref moved);
        var session = mongo.Session();
        var backup = mongo.BackUp(session);
        var during = Volatile.Read(ref moved) - before;
        await stop.CancelAsync();
        await writer;

        var other = mongo.NewDatabase("other");
        Workplace.Item<BotBackupRestore>(MongoPlatform.RunRestore(session, backup, new RestoreRequest { Server = SecretUri.WithPassword(mongo.UriOf(other)) }));

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{during} moves while it was dumped"));
        Assert.True(during > 20, $"{during} moves");
        Assert.Equal(DumpConsistencyTests.Accounts * 2000L, DumpConsistencyTests.Sum(mongo, "left", other) + DumpConsistencyTests.Sum(mongo, "right", other));
        // What moved before the dump is in, and nothing that was written after it.
        Assert.InRange(mongo.SetOf("marks", other).Count, before, moved);
        Assert.Equal(Each, mongo.SetOf(names[^1], other).Count);
        Assert.All(names[..^1], name => Assert.True(mongo.SetOf(name).Matches(mongo.SetOf(name, other)), name));
    }

    private static string[] Fill(MongoPlatform mongo)
    {
        // A leading dot is refused by some servers.
        string[] odd = [.. Values.OddCollections.Where(name => !name.StartsWith('.')), Values.LongName(mongo.Database)];
        string[] names = [.. odd, .. Enumerable.Range(odd.Length, 20 - odd.Length).Select(number => string.Create(CultureInfo.InvariantCulture, $"c{number:D2}"))];
        for (var at = 0; at < names.Length; at++)
            mongo.Insert(names[at], Documents(at));
        return names;
    }

    private static IEnumerable<RawBson> Documents(int collection)
    {
        for (var number = 0; number < Each; number++)
        {
            yield return number % 500 == 0
                ? Values.Rich(string.Create(CultureInfo.InvariantCulture, $"rich {number}"))
                : new BsonBuilder().Append("_id", number).Append("collection", collection).Append("symbol", "BTC-USDT").Append("price", number * 1.25).AppendDateTime("at", 1_700_000_000_000 + number).ToBson();
        }
    }
}
