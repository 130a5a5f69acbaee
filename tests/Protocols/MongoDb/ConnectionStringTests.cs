using BotCore.Backup.Protocols.MongoDb;
using Xunit;

namespace BotCore.Backup.Protocols.Tests.MongoDb;

public class ConnectionStringTests
{
    [Fact]
    public void Everything_stands_where_it_belongs()
    {
        var parsed = MongoConnectionString.Parse(
            "mongodb://us%40er:p%3Ass%25w%C3%B6rd@one,two:27018,[::1]:27019,[2001:db8::1],10.0.0.1:5/bot_core?replicaSet=rs0&authSource=users&authMechanism=SCRAM-SHA-1&appName=a%20b"
            + "&tls=true&ssl=true&tlsCAFile=/ca.pem&tlsCertificateKeyFile=/c.pem&tlsCertificateKeyFilePassword=geheim&tlsAllowInvalidCertificates=true&tlsAllowInvalidHostnames=true"
            + "&connectTimeoutMS=1000&socketTimeoutMS=2000&serverSelectionTimeoutMS=3000&localThresholdMS=4&readPreference=secondary&readPreferenceTags=dc:ny,rack:1&readPreferenceTags=&maxStalenessSeconds=120"
            + "&readConcernLevel=majority&w=2&journal=true&wtimeoutMS=500&retryReads=false&retryWrites=false&compressors=snappy,zlib,zstd&zlibCompressionLevel=9&maxPoolSize=5&minPoolSize=1&maxIdleTimeMS=6000"
            + "&waitQueueTimeoutMS=7000&maxConnecting=2&heartbeatFrequencyMS=10000&serverMonitoringMode=auto&serverSelectionTryOnce=true&loadBalanced=false&uuidRepresentation=standard&tlsDisableCertificateRevocationCheck=true");
        Assert.Equal(["one:27017", "two:27018", "[::1]:27019", "[2001:db8::1]:27017", "10.0.0.1:5"], parsed.Hosts.Select(host => host.ToString()), StringComparer.Ordinal);
        Assert.Equal(("us@er", "p:ss%wörd", "bot_core", "users", "users"), (parsed.UserName, parsed.Password, parsed.Database, parsed.AuthSource, parsed.LoginDatabase));
        Assert.Equal(("rs0", MongoMechanism.ScramSha1, "a b", true, "/ca.pem", "/c.pem"), (parsed.ReplicaSet, parsed.Mechanism, parsed.AppName, parsed.Tls, parsed.TlsCaFile, parsed.TlsCertificateKeyFile));
        Assert.True(parsed.TlsAllowInvalidCertificates && parsed.TlsAllowInvalidHostnames && parsed.Zlib && parsed.SelectOnce && parsed.Journal == true);
        Assert.False(parsed.RetryReads || parsed.RetryWrites || parsed.IsSrv || parsed.DirectConnection);
        Assert.Equal((1000, 2000, 3000, 4), ((int)parsed.ConnectTimeout!.Value.TotalMilliseconds, (int)parsed.SocketTimeout!.Value.TotalMilliseconds, (int)parsed.ServerSelectionTimeout.TotalMilliseconds, (int)parsed.LocalThreshold.TotalMilliseconds));
        Assert.Equal((ReadPreferenceMode.Secondary, 2, 120), (parsed.ReadPreference.Mode, parsed.ReadPreference.Tags.Count, (int)parsed.ReadPreference.MaxStaleness!.Value.TotalSeconds));
        Assert.Equal("ny", parsed.ReadPreference.Tags[0]["dc"]);
        Assert.Empty(parsed.ReadPreference.Tags[1]);
        Assert.Equal(("majority", "2", 500, 9, 5), (parsed.ReadConcernLevel, parsed.WriteConcern, (int)parsed.WriteTimeout!.Value.TotalMilliseconds, parsed.ZlibLevel, parsed.MaxPoolSize));
        Assert.DoesNotContain("rd@", parsed.ToString().Replace(":***@", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.DoesNotContain("geheim", parsed.ToString(), StringComparison.Ordinal);
        Assert.Contains("us%40er:***@one:27017,two:27018", parsed.Redacted, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_said_has_its_default()
    {
        var parsed = MongoConnectionString.Parse("mongodb://localhost");
        Assert.Equal((30, 10, "admin"), ((int)parsed.ServerSelectionTimeout.TotalSeconds, (int)parsed.ConnectTimeout!.Value.TotalSeconds, parsed.LoginDatabase));
        Assert.Null(parsed.SocketTimeout);
        Assert.False(parsed.Tls || parsed.HasLogin);
        Assert.Equal("db", MongoConnectionString.Parse("mongodb://u:p@localhost/db").LoginDatabase);
        Assert.Equal("admin", MongoConnectionString.Parse("mongodb://u:p@localhost?tls=false").LoginDatabase);
        Assert.Null(MongoConnectionString.Parse("mongodb://h/?connectTimeoutMS=0").ConnectTimeout);
        Assert.True(MongoConnectionString.Parse("mongodb+srv://cluster.example.com/db?srvMaxHosts=2&srvServiceName=other").Tls);
        Assert.False(MongoConnectionString.Parse("mongodb+srv://cluster.example.com/?tls=false").Tls);
        Assert.True(MongoConnectionString.Parse("mongodb://h/?tlsCAFile=/ca.pem").Tls);
        Assert.True(MongoConnectionString.Parse("mongodb://h/?TLSINSECURE=true").TlsAllowInvalidHostnames);
        var x509 = MongoConnectionString.Parse("mongodb://h/db?authMechanism=MONGODB-X509&tlsCertificateKeyFile=/c.pem");
        Assert.Equal(("$external", true), (x509.LoginDatabase, x509.HasLogin));
        Assert.Equal("mongodb://u:***@h:27017/", MongoConnectionString.Parse("mongodb://u:secret@h").Redacted);
    }

    [Theory]
    [InlineData("http://h", "mongodb://")]
    [InlineData("mongodb://", "host")]
    [InlineData("mongodb:///db", "host")]
    [InlineData("mongodb://h:0", "host")]
    [InlineData("mongodb://h:65536", "host")]
    [InlineData("mongodb://h:x", "host")]
    [InlineData("mongodb://h:-1", "host")]
    [InlineData("mongodb://a,,b", "host")]
    [InlineData("mongodb://[::1", "host")]
    [InlineData("mongodb://[h]", "host")]
    [InlineData("mongodb://::1", "host")]
    [InlineData("mongodb://%2Ftmp%2Fmongodb-27017.sock", "unix socket")]
    [InlineData("mongodb://u:SECRET/x@h", "percent-encoded")]
    [InlineData("mongodb://u:SECRET?x=1@h", "percent-encoded")]
    [InlineData("mongodb://u:SECRET@x@h", "percent-encoded")]
    [InlineData("mongodb://u:SECRET:x@h", "percent-encoded")]
    [InlineData("mongodb://u:SECRET%@h", "%")]
    [InlineData("mongodb://u:SECRET%zz@h", "%")]
    [InlineData("mongodb://u:SECRET%ff@h", "UTF-8")]
    [InlineData("mongodb://:SECRET@h", "user name")]
    [InlineData("mongodb://u@h", "no password")]
    [InlineData("mongodb://h/a.b", "database")]
    [InlineData("mongodb://h/a%20b", "database")]
    [InlineData("mongodb://h/?foo=1", "foo")]
    [InlineData("mongodb://h/?tls", "option")]
    [InlineData("mongodb://h/?tls=", "tls")]
    [InlineData("mongodb://h/?tls=yes", "tls")]
    [InlineData("mongodb://h/?tls=true&ssl=false", "tls and ssl")]
    [InlineData("mongodb://h/?tls=true&TLS=false", "twice")]
    [InlineData("mongodb://h/?tlsInsecure=true&tlsAllowInvalidCertificates=true", "tlsInsecure")]
    [InlineData("mongodb://h/?tlsDisableOCSPEndpointCheck=true&tlsInsecure=true", "tlsDisableOCSPEndpointCheck")]
    [InlineData("mongodb://h/?tlsDisableCertificateRevocationCheck=false", "tlsDisableCertificateRevocationCheck")]
    [InlineData("mongodb://a,b/?directConnection=true", "directConnection")]
    [InlineData("mongodb+srv://a.b.c/?directConnection=true", "directConnection")]
    [InlineData("mongodb+srv://a.b.c:27017", "port")]
    [InlineData("mongodb+srv://a.b.c,d.b.c", "one host")]
    [InlineData("mongodb+srv://10.0.0.1", "address")]
    [InlineData("mongodb+srv://a.b.c/?srvMaxHosts=1&replicaSet=x", "srvMaxHosts")]
    [InlineData("mongodb://h/?srvMaxHosts=1", "srvMaxHosts")]
    [InlineData("mongodb://h/?loadBalanced=true", "loadBalanced")]
    [InlineData("mongodb://h/?authMechanism=PLAIN", "authMechanism=PLAIN")]
    [InlineData("mongodb://h/?authMechanism=GSSAPI", "authMechanism=GSSAPI")]
    [InlineData("mongodb://h/?authMechanism=MONGODB-AWS", "authMechanism=MONGODB-AWS")]
    [InlineData("mongodb://h/?authMechanism=MONGODB-OIDC", "authMechanism=MONGODB-OIDC")]
    [InlineData("mongodb://h/?authMechanism=x", "authMechanism")]
    [InlineData("mongodb://h/?authMechanism=SCRAM-SHA-256", "authMechanism")]
    [InlineData("mongodb://h/?authMechanism=MONGODB-X509", "tlsCertificateKeyFile")]
    [InlineData("mongodb://u:SECRET@h/?authMechanism=MONGODB-X509&tlsCertificateKeyFile=c", "password")]
    [InlineData("mongodb://h/?authMechanism=MONGODB-X509&tlsCertificateKeyFile=c&authSource=db", "authSource")]
    [InlineData("mongodb://h/?authMechanismProperties=a:b", "authMechanismProperties")]
    [InlineData("mongodb://h/?proxyHost=a", "proxyHost")]
    [InlineData("mongodb://h/?proxyPassword=SECRET", "proxyPassword")]
    [InlineData("mongodb://h/?timeoutMS=1", "timeoutMS")]
    [InlineData("mongodb://h/?w=0", "w")]
    [InlineData("mongodb://h/?w=-1", "w")]
    [InlineData("mongodb://h/?compressors=lzo", "compressors")]
    [InlineData("mongodb://h/?zlibCompressionLevel=10", "zlibCompressionLevel")]
    [InlineData("mongodb://h/?connectTimeoutMS=-1", "connectTimeoutMS")]
    [InlineData("mongodb://h/?connectTimeoutMS=1.5", "connectTimeoutMS")]
    [InlineData("mongodb://h/?serverSelectionTimeoutMS=0", "serverSelectionTimeoutMS")]
    [InlineData("mongodb://h/?heartbeatFrequencyMS=499", "heartbeatFrequencyMS")]
    [InlineData("mongodb://h/?readPreference=fastest", "readPreference")]
    [InlineData("mongodb://h/?readPreferenceTags=dc:ny", "readPreferenceTags")]
    [InlineData("mongodb://h/?readPreference=secondary&readPreferenceTags=dc", "readPreferenceTags")]
    [InlineData("mongodb://h/?maxStalenessSeconds=120", "maxStalenessSeconds")]
    [InlineData("mongodb://h/?readPreference=secondary&maxStalenessSeconds=89", "maxStalenessSeconds")]
    [InlineData("mongodb://h/?readConcernLevel=x", "readConcernLevel")]
    [InlineData("mongodb://h/?serverMonitoringMode=x", "serverMonitoringMode")]
    [InlineData("mongodb://h/?slaveOk=true", "slaveOk")]
    public void What_cannot_be_honoured_is_refused_by_name(string text, string named)
    {
        var exception = Assert.Throws<MongoException>(() => MongoConnectionString.Parse(text));
        Assert.Equal(MongoError.InvalidConnectionString, exception.Error);
        Assert.Contains(named, exception.Message, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("SECRET", exception.ToString(), StringComparison.Ordinal);
    }
}
