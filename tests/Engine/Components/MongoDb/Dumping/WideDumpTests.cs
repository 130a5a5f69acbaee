using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Engine.Verification;
using BotCore.Backup.Protocols.MongoDb.Bson;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Dumping;

/// <summary>Documents as large as servers take them, and collections without any.</summary>
public sealed class WideDumpTests
{
    private const int Limit = 16 << 20;

    [Fact]
    public void Documents_of_16_MiB_and_empty_collections_come_back_byte_for_byte()
    {
        using var mongo = new MongoPlatform();
        mongo.Run(new BsonBuilder().Append("create", "empty"));
        mongo.Insert("wide", [Wide(1, Limit), Wide(2, Limit - 1), Wide(3, 100), Wide(4, Limit), Wide(5, Limit / 2)]);
        mongo.Insert("alone", [Wide(1, Limit)]);
        var session = mongo.Session();

        var backup = mongo.BackUp(session);

        Assert.Equal((3, 6L), (backup.Manifest!.MongoDb!.Collections, backup.Manifest.MongoDb.Documents));
        Assert.Equal(Outcome.Succeeded, Workplace.Item<BotBackupVerification>([.. VerificationRunner.Run(session, [backup], Depth.Archive, default).ToBlockingEnumerable()]).Outcome);
        RestoreAndCompare(mongo, session, backup, "alone", "empty", "wide");
    }

    [Fact]
    public void An_oplog_entry_that_is_larger_than_a_document_may_be_comes_back()
    {
        using var trouble = new Trouble();
        var mongo = trouble.Mongo;
        mongo.Insert("few", Trouble.Numbered(300));
        trouble.Once("find", "few", () =>
        {
            mongo.Insert("wide", [Wide(1, Limit), Wide(2, Limit)]);
            return null;
        });
        var session = mongo.Session();

        var backup = mongo.BackUp(session);

        // The collection was not there when the dump listed them: its documents are in the oplog alone.
        Assert.Equal(300, backup.Manifest!.MongoDb!.Documents);
        trouble.Always(null);
        RestoreAndCompare(mongo, session, backup, "few", "wide");
    }

    private static RawBson Wide(int id, int length)
    {
        var noise = new byte[length - new BsonBuilder().Append("_id", id).AppendBinary("noise", []).ToBson().Length];
        new Random(id).NextBytes(noise);
        var document = new BsonBuilder().Append("_id", id).AppendBinary("noise", noise).ToBson();
        Assert.Equal(length, document.Length);
        return document;
    }

    private static void RestoreAndCompare(MongoPlatform mongo, BackupSession session, BotBackup backup, params string[] collections)
    {
        var other = mongo.NewDatabase("other");
        Workplace.Item<BotBackupRestore>(MongoPlatform.RunRestore(session, backup, new RestoreRequest { Server = SecretUri.WithPassword(mongo.UriOf(other)) }));
        Assert.Equal(collections, mongo.Collections(other).Where(name => !name.StartsWith("__bot_", StringComparison.Ordinal)), StringComparer.Ordinal);
        Assert.All(collections, name => Assert.True(mongo.SetOf(name).Matches(mongo.SetOf(name, other)), name));
    }
}
