using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Protocols.MongoDb.Bson;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Restoring;

public sealed class DatabaseRestoreTests
{
    [Fact]
    public void A_restore_into_another_database_gives_the_same_documents()
    {
        using var mongo = new MongoPlatform();
        Fill(mongo);
        var session = mongo.Session();
        var backup = mongo.BackUp(session);
        var other = mongo.NewDatabase("test_restore");

        var restore = Workplace.Item<BotBackupRestore>(MongoPlatform.RunRestore(session, backup, new RestoreRequest { Server = SecretUri.WithPassword(mongo.UriOf(other)) }));

        Assert.Null(restore.Snapshot);
        Assert.Equal(20_002, restore.Counts.Documents);
        foreach (var collection in new[] { "trades", "users", "empty" })
            Assert.Equal(mongo.SetOf(collection).ToString(), mongo.SetOf(collection, other).ToString());
        Assert.Equal("empty rich trades users", string.Join(' ', mongo.Collections(other).Where(name => !name.StartsWith("__bot_", StringComparison.Ordinal))));
    }

    [Fact]
    public void A_restore_over_the_database_keeps_a_snapshot_and_can_be_undone()
    {
        using var mongo = new MongoPlatform();
        Fill(mongo);
        var session = mongo.Session();
        var backup = mongo.BackUp(session);
        var before = mongo.SetOf("trades").ToString();
        mongo.Run(new BsonBuilder().Append("delete", "trades").BeginArray("deletes").BeginDocument("0").BeginDocument("q").End().Append("limit", 0).End().End());
        mongo.Insert("trades", [new BsonBuilder().Append("_id", "later").ToBson()]);
        var damaged = mongo.SetOf("trades").ToString();

        var restore = Workplace.Item<BotBackupRestore>(MongoPlatform.RunRestore(session, backup));

        Assert.Equal(before, mongo.SetOf("trades").ToString());
        Assert.NotNull(restore.Snapshot);
        Assert.Equal(4, restore.Counts.Overwritten);
        Assert.NotNull(restore.Undo);

        Workplace.Item<BotBackupRestore>([.. UndoRunner.Run(session, [restore], default).ToBlockingEnumerable()]);
        Assert.Equal(damaged, mongo.SetOf("trades").ToString());
        Assert.Equal("empty rich trades users", string.Join(' ', mongo.Collections()));
    }

    private static void Fill(MongoPlatform mongo)
    {
        mongo.Insert("trades", Enumerable.Range(0, 20_000).Select(n => new BsonBuilder().Append("_id", n).Append("symbol", "BTC" + n).Append("price", n * 1.5).ToBson()));
        mongo.Insert("users", [new BsonBuilder().Append("_id", "a").ToBson(), new BsonBuilder().Append("_id", "b").Append("rich", value: true).Append("when", default(BsonTimestamp)).ToBson()]);
        mongo.Run(new BsonBuilder().Append("create", "empty"));
        mongo.Run(new BsonBuilder().Append("create", "rich").Append("viewOn", "users").BeginArray("pipeline").BeginDocument("0").BeginDocument("$match").Append("rich", value: true).End().End().End());
        mongo.Run(new BsonBuilder().Append("createIndexes", "trades").BeginArray("indexes").BeginDocument("0").BeginDocument("key").Append("symbol", 1).End().Append("name", "by_symbol").Append("unique", value: true).End().End());
    }
}
