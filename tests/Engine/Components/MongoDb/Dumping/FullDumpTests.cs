using BotCore.Backup.Engine.Verification;
using BotCore.Backup.Protocols.MongoDb.Bson;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Dumping;

public sealed class FullDumpTests
{
    [Fact]
    public void A_full_backup_holds_every_collection_with_count_and_hash()
    {
        using var mongo = new MongoPlatform();
        mongo.Insert("trades", Enumerable.Range(0, 50_000).Select(n => new BsonBuilder().Append("_id", n).Append("symbol", "BTC" + n).Append("price", n * 1.5).ToBson()));
        mongo.Insert("users", [new BsonBuilder().Append("_id", "a").ToBson()]);
        mongo.Run(new BsonBuilder().Append("create", "empty"));

        var session = mongo.Session();
        var backup = mongo.BackUp(session);

        Assert.True(backup.Manifest!.MongoDb!.Consistent);
        Assert.Equal(3, backup.Manifest.MongoDb.Collections);
        Assert.Equal(50_001, backup.Manifest.MongoDb.Documents);
        var proof = Workplace.Item<BotBackupVerification>([.. VerificationRunner.Run(session, [backup], Depth.Archive, default).ToBlockingEnumerable()]);
        Assert.Equal(BotCore.Backup.Engine.Events.Outcome.Succeeded, proof.Outcome);
    }
}
