using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using BotCore.Backup.Protocols.DockerEngine;
using Xunit;

namespace BotCore.Backup.Protocols.Tests.DockerEngine;

/// <summary>tcp with TLS, as <c>dockerd --tlsverify</c> wants it: both sides show a certificate.</summary>
public sealed class EngineTlsTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("engine-tls-");
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly X509Certificate2 _authority = Authority("CN=engine authority");
    private readonly X509Certificate2 _server;

    public EngineTlsTests()
    {
        _server = Issue(_authority, "CN=127.0.0.1", IPAddress.Loopback);
        using var client = Issue(_authority, "CN=client", null);
        Write("ca.pem", _authority.ExportCertificatePem());
        Write("cert.pem", client.ExportCertificatePem());
        using var key = client.GetECDsaPrivateKey()!;
        Write("key.pem", key.ExportPkcs8PrivateKeyPem());
        _listener.Start();
        _ = ServeAsync();
    }

    public void Dispose()
    {
        _listener.Dispose();
        _server.Dispose();
        _authority.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public void Both_sides_show_a_certificate_of_the_folder()
    {
        using var client = Client(_folder.FullName);

        Assert.Empty(client.Volumes(default));
    }

    [Fact]
    public void An_engine_of_another_authority_is_refused()
    {
        using var stranger = Authority("CN=stranger");
        Write("ca.pem", stranger.ExportCertificatePem());
        using var client = Client(_folder.FullName);

        Assert.Equal(DockerEngineError.CertificateRejected, Assert.Throws<DockerEngineException>(() => client.Volumes(default)).Error);
    }

    [Fact]
    public void Without_the_folder_it_is_this_systems_authorities_who_vouch()
    {
        using var client = Client(null);

        Assert.Equal(DockerEngineError.CertificateRejected, Assert.Throws<DockerEngineException>(() => client.Volumes(default)).Error);
    }

    [Fact]
    public void Certificates_that_cannot_be_read_are_told_and_the_key_is_not()
    {
        Write("key.pem", "no key, but secret");

        var wrong = Assert.Throws<DockerEngineException>(() =>
        {
            using var client = Client(_folder.FullName);
            client.Volumes(default);
        });

        Assert.Equal(DockerEngineError.CertificateRejected, wrong.Error);
        Assert.DoesNotContain("secret", wrong.Message, StringComparison.Ordinal);
    }

    private DockerEngineClient Client(string? folder) =>
        new(new DockerEngineOptions(new Uri($"tcp://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}")) { UseTls = true, CertificateFolder = folder, Timeout = TimeSpan.FromSeconds(20) });

    private async Task ServeAsync()
    {
        while (true)
        {
            TcpClient connection;
            try
            {
                connection = await _listener.AcceptTcpClientAsync();
            }
            catch (Exception over) when (over is ObjectDisposedException or SocketException)
            {
                return;
            }

            _ = ServeAsync(connection);
        }
    }

    private async Task ServeAsync(TcpClient connection)
    {
        using (connection)
        {
            try
            {
                using var tls = new SslStream(connection.GetStream());
                await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
                {
                    ServerCertificate = _server,
                    ClientCertificateRequired = true,
                    CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { _authority }, RevocationMode = X509RevocationMode.NoCheck },
                });
                using var lines = new StreamReader(tls, Encoding.ASCII);
                while (await lines.ReadLineAsync() is { } asked)
                {
                    while (await lines.ReadLineAsync() is { Length: > 0 })
                    {
                        // Headers say nothing that matters here.
                    }

                    var body = asked.Contains("/version", StringComparison.Ordinal) ? """{"ApiVersion":"1.41","MinAPIVersion":"1.12"}""" : """{"Volumes":null}""";
                    await tls.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}"));
                }
            }
            catch (Exception refused) when (refused is IOException or System.Security.Authentication.AuthenticationException or ObjectDisposedException)
            {
                // What the client makes of that is what is tested.
            }
        }
    }

    private static X509Certificate2 Authority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    private static X509Certificate2 Issue(X509Certificate2 authority, string name, IPAddress? address)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        if (address is not null)
        {
            var names = new SubjectAlternativeNameBuilder();
            names.AddIpAddress(address);
            request.CertificateExtensions.Add(names.Build());
        }

        using var signed = request.Create(authority, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1), RandomNumberGenerator.GetBytes(8));
        return signed.CopyWithPrivateKey(key);
    }

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(_folder.FullName, name), text);
}
