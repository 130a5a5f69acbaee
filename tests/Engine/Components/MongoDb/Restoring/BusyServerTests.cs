using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Protocols.MongoDb.Bson;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Restoring;

/// <summary>A bank moves money between two collections in transactions while it is backed up: no amount is lost or made, whatever moment the backup has.</summary>
public sealed class BusyServerTests
{
    private const int Accounts = 200;

    [Fact]
    public void Money_that_moves_in_transactions_is_all_there()
    {
        using var mongo = new MongoPlatform();
        foreach (var name in (string[])["left", "right"])
            mongo.Insert(name, Enumerable.Range(0, Accounts).Select(n => new BsonBuilder().Append("_id", n).Append("money", 100L).ToBson()));
        mongo.Insert("bulk", Enumerable.Range(0, 20_000).Select(n => new BsonBuilder().Append("_id", n).ToBson()));
        var session = mongo.Session();
        using var stop = new CancellationTokenSource();
        Exception? wrong = null;
        long moved = 0;
        var writer = new Thread(() =>
        {
            try
            {
                var random = new Random(7);
                while (!stop.IsCancellationRequested)
                    Transfer(mongo, random, Interlocked.Increment(ref moved));
            }
            catch (Exception e)
            {
                wrong = e;
            }
        });
        writer.Start();
        SpinWait.SpinUntil(() => Interlocked.Read(ref moved) > 20 || wrong is not null);
        var backup = mongo.BackUp(session);
        var during = Interlocked.Read(ref moved);
        stop.Cancel();
        writer.Join();
        Assert.Null(wrong);
        Assert.True(during > 50, $"Only {during} transfers came before the backup ended.");

        var other = mongo.NewDatabase("other");
        var restore = Workplace.Item<BotBackupRestore>(MongoPlatform.RunRestore(session, backup, new RestoreRequest { Server = SecretUri.WithPassword(mongo.UriOf(other)) }));
        Assert.Equal(backup.Manifest!.MongoDb!.Oplog!.End, restore.Moment);
        Assert.Equal(2 * Accounts * 100, Sum(mongo, "left", other) + Sum(mongo, "right", other));

        var half = mongo.NewDatabase("half");
        Workplace.Item<BotBackupRestore>(MongoPlatform.RunRestore(session, backup, new RestoreRequest { Server = SecretUri.WithPassword(mongo.UriOf(half)), Include = ["left"] }));
        Assert.Equal(mongo.SetOf("left", other).ToString(), mongo.SetOf("left", half).ToString());
    }

    private static void Transfer(MongoPlatform mongo, Random random, long number)
    {
        var amount = random.Next(1, 10);
        var isFirst = true;
        foreach (var (name, change) in ((string, int)[])[("left", -amount), ("right", amount)])
        {
            var update = new BsonBuilder().Append("update", name).BeginArray("updates").BeginDocument("0")
                .BeginDocument("q").Append("_id", random.Next(Accounts)).End().BeginDocument("u").BeginDocument("$inc").Append("money", (long)change).End().End().End().End();
            if (isFirst)
                update.Append("startTransaction", value: true);
            isFirst = false;
            mongo.Run(InTransaction(update, number));
        }

        mongo.Run(InTransaction(new BsonBuilder().Append(random.Next(8) == 0 ? "abortTransaction" : "commitTransaction", 1), number), "admin");
    }

    private static BsonBuilder InTransaction(BsonBuilder command, long number) =>
        command.BeginDocument("lsid").AppendBinary("id", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16], 4).End().Append("txnNumber", number).Append("autocommit", value: false);

    private static long Sum(MongoPlatform mongo, string collection, string database) =>
        mongo.Texts(collection, database).Sum(text => ExtendedJson.Read(text).FindInt64("money"u8) ?? 0);
}
