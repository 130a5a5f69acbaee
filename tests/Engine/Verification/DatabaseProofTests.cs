using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Tests.Components.MongoDb;
using BotCore.Backup.Engine.Tests.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Verification;
using BotCore.Backup.Protocols.MongoDb.Bson;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Verification;

public sealed class DatabaseProofTests
{
    [Fact]
    public void Archive_depth_counts_what_it_parsed()
    {
        using var mongo = Filled();
        var session = mongo.Session();

        var proof = Prove(session, mongo.BackUp(session), Depth.Archive);

        Assert.Equal("Archive", proof.Proof.ToString());
        Assert.Contains("2 collections with 101 documents", proof.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Restore_depth_without_a_server_rehearses_in_the_sandbox_and_says_so()
    {
        using var mongo = Filled();
        var session = mongo.Session();

        var proof = Prove(session, mongo.BackUp(session), Depth.Restore);

        Assert.Equal("Restore (Sandbox)", proof.Proof.ToString());
        Assert.True(proof.Proof.InSandbox);
        Assert.Contains("the Sandbox, which is no mongod", proof.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Restore_depth_into_a_server_leaves_nothing_there()
    {
        using var mongo = Filled();
        var session = mongo.Session();
        var before = Databases(mongo);

        var proof = Prove(session, mongo.BackUp(session), Depth.Restore, mongo.Uri);

        Assert.Equal("Restore", proof.Proof.ToString());
        Assert.Equal(before, Databases(mongo));
    }

    [Fact]
    public void A_document_that_is_no_bson_fails_the_proof_though_every_hash_holds()
    {
        using var place = new Workplace();
        var content = new BsonBuilder().Append("_id", 1).Append("b", value: true).ToBson().Span.ToArray();
        content[^2] = 7;
        var source = new StubSource(StubEntry.Folder("dump"), StubEntry.Folder("dump/db"), StubEntry.File("dump/db/c.bson", content));
        var job = new ArchiveJob(Engine.Components.Component.MongoDb, "mongodb", Engine.Components.BackupType.Full, (_, _) => source, default, 0);
        var backup = BackupRunner.NewMaker(place.Session, place.Local, _ => { }).Make(job, "run", default);

        var proof = Workplace.Item<BotBackupVerification>([.. VerificationRunner.Run(place.Session, [backup], Depth.Archive, default).ToBlockingEnumerable()]);

        Assert.Equal(Outcome.Failed, proof.Outcome);
        Assert.Equal(FailureKind.ArchiveCorrupt, proof.Failure!.Kind);
        Assert.Contains("dump/db/c.bson", proof.Message, StringComparison.Ordinal);
    }

    [ToolFact("tar", "xz")]
    public void A_folder_of_mongodump_is_opened_by_path_and_proven()
    {
        using var place = new Workplace();
        using var unpacked = new Unpacked("dir-gzip");

        var backup = BackupCatalog.OpenFile(place.Local, Path.Combine(unpacked.Root, "dir-gzip"), default);
        var proof = Prove(place.Session, backup, Depth.Restore);

        Assert.Equal(Engine.Components.Component.MongoDb, backup.Component);
        Assert.Equal("Restore (Sandbox), Unauthenticated", proof.Proof.ToString());
    }

    [Fact]
    public void A_folder_without_a_dump_is_not_proven()
    {
        using var place = new Workplace();
        place.Write("a.txt", "no dump");

        var proof = Workplace.Item<BotBackupVerification>([.. VerificationRunner.Run(place.Session, [BackupCatalog.OpenFile(place.Local, place.Project, default)], Depth.Archive, default).ToBlockingEnumerable()]);

        Assert.Equal(FailureKind.BackupNotFound, proof.Failure!.Kind);
    }

    [Theory]
    [InlineData("bot_core.archive.gz")]
    [InlineData("all-oplog.archive.gz")]
    public void A_file_of_mongodump_is_opened_by_path_and_proven(string name)
    {
        using var place = new Workplace();

        var backup = BackupCatalog.OpenFile(place.Local, Unpacked.Fixture(name), default);
        var proof = Prove(place.Session, backup, Depth.Archive);

        Assert.Equal("Archive, Unauthenticated", proof.Proof.ToString());
    }

    [Fact]
    public void Files_can_be_proven_by_restoring_them_too()
    {
        using var place = new Workplace();
        place.Write("a/b.txt", "content");
        var backup = place.BackUp();
        var before = Workplace.Describe(place.Store);

        var proof = Prove(place.Session, backup, Depth.Restore);

        Assert.Equal("Restore", proof.Proof.ToString());
        Assert.Equal(before, Workplace.Describe(place.Store).Where(file => !file.Contains(".proof.", StringComparison.Ordinal)), StringComparer.Ordinal);
    }

    private static MongoPlatform Filled()
    {
        var mongo = new MongoPlatform();
        mongo.Insert("trades", Enumerable.Range(0, 100).Select(n => new BsonBuilder().Append("_id", n).ToBson()));
        mongo.Insert("users", [new BsonBuilder().Append("_id", "a").ToBson()]);
        mongo.Run(new BsonBuilder().Append("createIndexes", "users").BeginArray("indexes").BeginDocument("0").BeginDocument("key").Append("name", 1).End().Append("name", "by_name").End().End());
        return mongo;
    }

    private static BotBackupVerification Prove(BackupSession session, BotBackup backup, Depth depth, string? server = null)
    {
        var options = new VerificationOptions { Depth = depth, Server = server is null ? null : SecretUri.WithPassword(server) };
        var proof = Workplace.Item<BotBackupVerification>([.. VerificationRunner.Run(session, [backup], options, default).ToBlockingEnumerable()]);
        Assert.True(proof.Outcome == Outcome.Succeeded, proof.Message);
        return proof;
    }

    private static string Databases(MongoPlatform mongo)
    {
        var names = new List<string>();
        var reader = mongo.Client.Run("admin", new BsonBuilder().Append("listDatabases", 1).Append("nameOnly", value: true), default).FindDocument("databases"u8)!.Value.Read();
        while (reader.Read())
            names.Add(new RawBson(reader.Current.AsDocument().ToArray()).FindString("name"u8)!);
        return string.Join(' ', names.Order(StringComparer.Ordinal));
    }
}
