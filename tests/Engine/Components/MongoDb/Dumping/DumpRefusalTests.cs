using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Sandbox;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Dumping;

/// <summary>Servers that cannot be dumped, or not as wished: each says why and what to do, and no secret.</summary>
public sealed class DumpRefusalTests
{
    private const string Secret = "s3cret-w0rd";

    private static readonly SandboxOptions Guarded = new() { UserName = "owner", Password = Secret, Users = [new SandboxUser("reader", "reader-w0rd", ["shop"])] };

    [Fact]
    public void A_wrong_password_is_LoginFailed()
    {
        using var mongo = new MongoPlatform(Guarded);
        Refused(mongo, mongo.UriOf(mongo.Database).Replace(Secret, "wr0ng-w0rd", StringComparison.Ordinal), FailureKind.LoginFailed, "password", "wr0ng-w0rd");
    }

    [Fact]
    public void A_user_who_may_not_read_the_oplog_is_AccessDenied()
    {
        using var mongo = new MongoPlatform(Guarded);
        mongo.Insert("a", Trouble.Numbered(1), "shop");
        Refused(mongo, mongo.UriOf("shop").Replace("owner:" + Secret, "reader:reader-w0rd", StringComparison.Ordinal), FailureKind.AccessDenied, "backup", "reader-w0rd");
    }

    [Fact]
    public void An_unknown_authority_is_CertificateRejected()
    {
        using var key = RSA.Create(2048);
        using var made = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        using var certificate = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), password: null);
        using var server = new SandboxServer(Guarded with { Certificate = certificate });
        using var mongo = new MongoPlatform(new SandboxOptions());
        Refused(mongo, server.ConnectionString.Replace("/?", "/shop?authSource=admin&", StringComparison.Ordinal), FailureKind.CertificateRejected, "tlsCAFile", Secret);
    }

    [Fact]
    public void A_port_that_nobody_listens_on_is_SourceUnreachable()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        using var mongo = new MongoPlatform(new SandboxOptions());
        Refused(mongo, $"mongodb://owner:{Secret}@127.0.0.1:{port}/shop?serverSelectionTimeoutMS=500", FailureKind.SourceUnreachable, "Check that it runs", Secret);
    }

    [Fact]
    public void A_container_name_that_does_not_resolve_says_what_to_publish()
    {
        using var mongo = new MongoPlatform(new SandboxOptions());
        var session = mongo.Session($"mongodb://owner:{Secret}@mongo-db.invalid/shop?serverSelectionTimeoutMS=500", more: new Dictionary<string, string>(StringComparer.Ordinal) { ["MONGO_CONTAINER"] = "bot_mongo" });
        var failure = Check(mongo, session, FailureKind.SourceUnreachable, "Publish the container's port", Secret);
        Assert.Contains("'mongo-db.invalid'", failure.Message, StringComparison.Ordinal);
        Assert.Contains("'bot_mongo'", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_sharded_cluster_is_ServerUnsupported()
    {
        using var mongo = new MongoPlatform(new SandboxOptions());
        using var server = new SandboxServer(new SandboxOptions { Sharded = true });
        Refused(mongo, server.ConnectionString.TrimEnd('/') + "/shop", FailureKind.ServerUnsupported, "replica set", Secret);
    }

    [Fact]
    public void A_standalone_is_dumped_warned_of_and_never_called_consistent()
    {
        using var mongo = new MongoPlatform(new SandboxOptions { Standalone = true });
        mongo.Insert("a", Trouble.Numbered(200));
        var events = MongoPlatform.RunBackup(mongo.Session());

        var facts = Workplace.Item<BotBackup>(events).Manifest!.MongoDb!;
        Assert.False(facts.Consistent);
        Assert.Null(facts.Oplog);
        Assert.Equal(200, facts.Documents);
        Assert.Contains(events.OfType<Warned>(), warned => warned.ToString().Contains("rs.initiate()", StringComparison.Ordinal));
    }

    private static void Refused(MongoPlatform mongo, string uri, FailureKind kind, string advice, string secret) => Check(mongo, mongo.Session(uri), kind, advice, secret);

    private static Failure Check(MongoPlatform mongo, BackupSession session, FailureKind kind, string advice, string secret)
    {
        Failure failure;
        var texts = new List<string>();
        try
        {
            var events = MongoPlatform.RunBackup(session);
            texts.AddRange(events.Select(one => one.ToString()!));
            failure = Workplace.Failure(events);
        }
        catch (BackupException thrown)
        {
            texts.Add(thrown.ToString());
            failure = thrown.Failure;
        }

        Assert.Equal(kind, failure.Kind);
        Assert.Contains(advice, failure.Advice, StringComparison.Ordinal);
        texts.AddRange([failure.ToString(), failure.Message, failure.Advice]);
        if (Directory.Exists(Path.Combine(mongo.Folder, "logs")))
            texts.AddRange(Directory.EnumerateFiles(Path.Combine(mongo.Folder, "logs")).Select(File.ReadAllText));
        Assert.All(texts, text => Assert.DoesNotContain(secret, text, StringComparison.Ordinal));
        DumpDisturbanceTests.NothingKept(mongo);
        return failure;
    }
}
