using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;
using Xunit;

namespace BotCore.Backup.Protocols.Tests.MongoDb;

public sealed class TlsTests : IDisposable
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;

    private readonly string _folder = Directory.CreateTempSubdirectory("mongo-tls-").FullName;
    private readonly X509Certificate2 _authority = Authority("CN=Test CA");

    public void Dispose()
    {
        _authority.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void A_certificate_of_our_authority_is_taken()
    {
        using var certificate = Server("127.0.0.1", Now.AddDays(1));
        using var peer = Peer(certificate);
        using var client = MongoClient.Connect(MongoConnectionString.Parse(peer.Uri + "&tls=true&tlsCAFile=" + CaFile(_authority)), new MongoClientOptions(), default);
        client.Run("db", new BsonBuilder().Append("insert", new string('x', 100_000)), default);
        using var source = new CancellationTokenSource(100);
        Assert.ThrowsAny<OperationCanceledException>(() => client.Run("db", new BsonBuilder().Append("hang", 1), source.Token));
    }

    [Theory]
    [InlineData("host", "another host", "tlsAllowInvalidHostnames=true")]
    [InlineData("authority", "not one of those in tlsCAFile", "tlsAllowInvalidCertificates=true")]
    [InlineData("system", "not known to this system", "tlsAllowInvalidCertificates=true")]
    [InlineData("expired", "expired", "tlsAllowInvalidCertificates=true")]
    [InlineData("usage", "not meant for servers", "tlsInsecure=true")]
    public void Another_certificate_is_refused_and_said_why(string flaw, string why, string allow)
    {
        using var other = Authority("CN=Other CA");
        using var certificate = flaw switch
        {
            "host" => Server("10.9.8.7", Now.AddDays(1)),
            "expired" => Server("127.0.0.1", Now.AddDays(-1)),
            "usage" => Issue("127.0.0.1", Now.AddDays(1), "1.3.6.1.5.5.7.3.2"),
            _ => Server("127.0.0.1", Now.AddDays(1)),
        };
        using var peer = Peer(certificate);
        var uri = peer.Uri + "&tls=true" + (flaw is "system" ? "" : "&tlsCAFile=" + CaFile(flaw is "authority" ? other : _authority));
        var exception = ClientTests.Fails(uri);
        Assert.Equal(MongoError.CertificateRejected, exception.Error);
        Assert.Contains(why, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("insert", peer.Commands, StringComparer.Ordinal);
        using var client = MongoClient.Connect(MongoConnectionString.Parse($"{uri}&{allow}"), new MongoClientOptions(), default);
        client.Refresh(default);
    }

    [Fact]
    public void An_invalid_host_stays_refused_when_only_authorities_are_let_through()
    {
        using var certificate = Server("10.9.8.7", Now.AddDays(1));
        using var peer = Peer(certificate);
        Assert.Contains("another host", ClientTests.Fails(peer.Uri + "&tls=true&tlsAllowInvalidCertificates=true").Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("geheim")]
    public void The_clients_own_certificate_logs_in(string? password)
    {
        using var certificate = Server("127.0.0.1", Now.AddDays(1));
        using var key = RSA.Create(2048);
        using var own = Request("CN=backup", key, "1.3.6.1.5.5.7.3.2").Create(_authority, Now.AddDays(-1), Now.AddDays(1), [7]);
        var keyText = password is null
            ? key.ExportPkcs8PrivateKeyPem()
            : key.ExportEncryptedPkcs8PrivateKeyPem(password, new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 10000));
        var file = Path.Combine(_folder, "own.pem");
        File.WriteAllText(file, own.ExportCertificatePem() + "\n" + keyText + "\n");
        RawBson? login = null;
        using var peer = Peer(certificate, (session, message, name) =>
        {
            if (name is "authenticate")
                login = message.Body.Copy();
            session.Reply(message, ScriptedPeer.Ok());
        });
        peer.WantsClientCertificate = true;
        var uri = $"{peer.Uri}&tls=true&tlsCAFile={CaFile(_authority)}&authMechanism=MONGODB-X509&tlsCertificateKeyFile={file}";
        using (MongoClient.Connect(MongoConnectionString.Parse(password is null ? uri : uri + "&tlsCertificateKeyFilePassword=" + password), new MongoClientOptions(), default))
            Assert.Equal(("MONGODB-X509", "$external"), (login!.Value.FindString("mechanism"u8), login.Value.FindString("$db"u8)));
        if (password is not null)
            Assert.Contains("tlsCertificateKeyFile", ClientTests.Fails(uri + "&tlsCertificateKeyFilePassword=wrong").Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_that_cannot_be_used_are_named_by_their_option()
    {
        var empty = Path.Combine(_folder, "empty.pem");
        File.WriteAllText(empty, "");
        foreach (var option in new[] { "tlsCAFile=/nowhere.pem", "tlsCAFile=" + empty, "tlsCertificateKeyFile=/nowhere.pem", "tlsCertificateKeyFile=" + empty })
        {
            var exception = ClientTests.Fails("mongodb://127.0.0.1:1/?tls=true&" + option);
            Assert.Equal(MongoError.InvalidConnectionString, exception.Error);
            Assert.Contains(option.Split('=')[0], exception.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_server_without_tls_is_told()
    {
        using var peer = new ScriptedPeer((_, _, _) => { });
        var exception = ClientTests.Fails($"mongodb://{peer.Address}/?tls=true&serverSelectionTimeoutMS=700&tlsCAFile={CaFile(_authority)}");
        Assert.Equal(MongoError.Unreachable, exception.Error);
    }

    private static ScriptedPeer Peer(X509Certificate2 certificate, Action<ScriptedPeer.Session, Backup.Protocols.MongoDb.Wire.OpMsg, string>? script = null) => new(script ?? Answer)
    {
        Certificate = certificate,
    };

    private static void Answer(ScriptedPeer.Session session, Backup.Protocols.MongoDb.Wire.OpMsg message, string name)
    {
        if (name is not "hang")
            session.Reply(message, ScriptedPeer.Ok());
    }

    private static X509Certificate2 Authority(string name)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return request.CreateSelfSigned(Now.AddYears(-1), Now.AddYears(1));
    }

    private static CertificateRequest Request(string name, RSA key, string usage)
    {
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], false));
        return request;
    }

    private X509Certificate2 Server(string address, DateTimeOffset until) => Issue(address, until, "1.3.6.1.5.5.7.3.1");

    private X509Certificate2 Issue(string address, DateTimeOffset until, string usage)
    {
        using var key = RSA.Create(2048);
        var request = Request("CN=server", key, usage);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Parse(address));
        request.CertificateExtensions.Add(names.Build());
        using var bare = request.Create(_authority, Now.AddDays(-30), until, RandomNumberGenerator.GetBytes(8));
        return bare.CopyWithPrivateKey(key);
    }

    private string CaFile(X509Certificate2 authority)
    {
        var path = Path.Combine(_folder, authority.Thumbprint + ".pem");
        File.WriteAllText(path, authority.ExportCertificatePem());
        return path;
    }
}
