using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Outside.Scratch;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Authentication;
using BotCore.Backup.Protocols.MongoDb.Bson;
using Xunit;

namespace BotCore.Backup.Sandbox.Tests;

public sealed class AccessTests
{
    private static readonly SandboxOptions Locked = new() { UserName = "admin", Password = "s3cret", Users = [new SandboxUser("reader", "r", ["shop"])] };

    [Theory]
    [InlineData("SCRAM-SHA-256")]
    [InlineData("SCRAM-SHA-1")]
    public void Who_logs_in_may_and_who_does_not_may_not(string mechanism)
    {
        using var server = new SandboxServer(Locked);
        using var wire = new WireClient(server);
        Assert.Equal(13, wire.Ask("admin", Doc.Build(("listDatabases", 1))).FindInt64("code"u8));
        using var client = MongoClient.Connect(MongoConnectionString.Parse(server.ConnectionString + "&authMechanism=" + mechanism), new MongoClientOptions(), CancellationToken.None);
        client.Run("admin", Doc.Build(("listDatabases", 1)), CancellationToken.None);
        var wrong = MongoConnectionString.Parse(server.ConnectionString.Replace("s3cret", "other", StringComparison.Ordinal) + "&authMechanism=" + mechanism);
        Assert.Equal(MongoError.LoginFailed, Assert.Throws<MongoException>(() => MongoClient.Connect(wrong, new MongoClientOptions(), CancellationToken.None)).Error);
    }

    [Fact]
    public void The_server_itself_refuses_a_wrong_proof()
    {
        using var server = new SandboxServer(Locked);
        using var wire = new WireClient(server);
        var scram = new ScramClient(ScramMechanism.ScramSha256, "admin", "other");
        var first = wire.Run("admin", Doc.Build(("saslStart", 1), ("mechanism", "SCRAM-SHA-256"), ("payload", scram.First())));
        Assert.True(first.TryFind("payload"u8, out var challenge));
        var answer = scram.Final(challenge.AsBinary(out _));
        Assert.Equal(18, wire.Ask("admin", Doc.Build(("saslContinue", 1), ("conversationId", 1), ("payload", answer))).FindInt64("code"u8));
    }

    [Fact]
    public void A_reader_reads_his_database_only()
    {
        using var session = new Session(Locked);
        session.Insert("shop.t", Doc.Of(("_id", 1)));
        var text = session.Server.ConnectionString.Replace("admin:s3cret", "reader:r", StringComparison.Ordinal);
        using var reader = MongoClient.Connect(MongoConnectionString.Parse(text), new MongoClientOptions(), CancellationToken.None);
        Assert.True(reader.Run("shop", Doc.Build(("find", "t")), CancellationToken.None).IsTrue("ok"u8));
        Assert.Equal(13, Code(reader, "shop", Doc.Build(("insert", "t"), ("documents", new object?[] { RawBson.Empty }))));
        Assert.Equal(13, Code(reader, "other", Doc.Build(("find", "t"))));
        Assert.Equal(13, Code(reader, "local", Doc.Build(("find", "oplog.rs"))));
    }

    [Fact]
    public void A_user_that_was_made_logs_in_and_merging_brings_users()
    {
        using var session = new Session(Locked);
        session.Run("shop", ("createUser", "bot"), ("pwd", "b"), ("roles", new object?[] { "readWrite" }));
        var text = session.Server.ConnectionString.Replace("admin:s3cret", "bot:b", StringComparison.Ordinal) + "&authSource=shop";
        using (var bot = MongoClient.Connect(MongoConnectionString.Parse(text), new MongoClientOptions(), CancellationToken.None))
            bot.Run("shop", Doc.Build(("insert", "t"), ("documents", new object?[] { RawBson.Empty })), CancellationToken.None);
        var user = session.Find("admin.system.users", Doc.Of(("_id", "shop.bot")))[0];
        session.Insert("admin.tempusers", user);
        session.Run("shop", ("dropUser", "bot"));
        session.Run("admin", ("_mergeAuthzCollections", 1), ("tempUsersCollection", "admin.tempusers"), ("drop", false), ("db", ""));
        using var again = MongoClient.Connect(MongoConnectionString.Parse(text), new MongoClientOptions(), CancellationToken.None);
        Assert.True(session.Find("admin.system.users", Doc.Of(("_id", "shop.bot")))[0].Span.SequenceEqual(user.Span));
    }

    [Fact]
    public void Faults_come_where_the_test_wants_them()
    {
        using var session = new Session(new SandboxOptions
        {
            Fault = (command, ns, nth) => (command, ns, nth) switch
            {
                ("count", "shop.t", 0) => new SandboxFault(SandboxFaultKind.Error, Code: 91),
                ("insert", _, 1) => new SandboxFault(SandboxFaultKind.CloseConnection, SandboxFaultMoment.WithinReply),
                _ => null,
            },
        });
        Assert.Equal(91, session.Fails("shop", ("count", "t")));
        session.Run("shop", ("count", "t"));
        session.Insert("shop.t", Doc.Of(("_id", 1)));
        Assert.Equal(MongoError.ConnectionLost, Assert.Throws<MongoException>(() => session.Insert("shop.t", Doc.Of(("_id", 2)))).Error);
        Assert.Equal(2, session.Find("shop.t").Count);
    }

    [Fact]
    public void The_engine_finds_it_and_says_when_it_is_missing()
    {
        using (var scratch = ScratchServers.Start())
        {
            using var client = MongoClient.Connect(MongoConnectionString.Parse(scratch.ConnectionString), new MongoClientOptions(), CancellationToken.None);
            Assert.Equal("sandbox", client.Server.SetName);
        }

        var folder = Directory.CreateTempSubdirectory();
        try
        {
            var failure = Assert.Throws<BackupException>(() => ScratchServers.Load(folder.FullName)).Failure;
            Assert.Equal(FailureKind.AdapterMissing, failure.Kind);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static int? Code(MongoClient client, string database, BsonBuilder command) =>
        Assert.Throws<MongoException>(() => client.Run(database, command, CancellationToken.None)).Code;
}
