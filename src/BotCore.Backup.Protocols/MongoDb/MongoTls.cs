using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace BotCore.Backup.Protocols.MongoDb;

/// <summary>The certificates of one connection string, read once, and the TLS handshake with them. Thread-safe after its construction.</summary>
internal sealed class MongoTls : IDisposable
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    private readonly MongoConnectionString _settings;
    private readonly X509Certificate2Collection? _authorities;
    private readonly X509Certificate2Collection _own = [];
    private readonly SslStreamCertificateContext? _client;

    public MongoTls(MongoConnectionString settings)
    {
        _settings = settings;
        if (settings.TlsCaFile is { } authorities)
            _authorities = Read("tlsCAFile", authorities, ImportAuthorities);
        if (settings.TlsCertificateKeyFile is { } certificate)
            _client = Read("tlsCertificateKeyFile", certificate, ImportClient);
    }

    /// <summary>Makes a TLS stream over <paramref name="inner"/>. Throws CertificateRejected with the reason.</summary>
    public SslStream Authenticate(Stream inner, MongoHost host, CancellationToken token)
    {
        string? rejected = null;
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = host.Name,
            ClientCertificateContext = _client,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            CertificateChainPolicy = _authorities is null ? null : Policy(_authorities),
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) => (rejected = Judge(host, certificate, chain, errors)) is null,
        };
        var stream = new SslStream(inner);
        try
        {
            stream.AuthenticateAsClientAsync(options, token).GetAwaiter().GetResult();
            return stream;
        }
        catch (AuthenticationException exception)
        {
            stream.Dispose();
            throw rejected is null
                ? new MongoException(MongoError.Unreachable, $"{host} and this client could not agree on TLS: {exception.InnerException?.Message ?? exception.Message}", exception)
                : new MongoException(MongoError.CertificateRejected, $"The certificate of {host} is not accepted: {rejected}.", exception);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (var certificate in _authorities ?? [])
            certificate.Dispose();
        foreach (var certificate in _own)
            certificate.Dispose();
    }

    private static X509ChainPolicy Policy(X509Certificate2Collection authorities)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(authorities);
        policy.ApplicationPolicy.Add(new Oid(ServerAuthentication));
        return policy;
    }

    private static T Read<T>(string option, string path, Func<string, T> read)
    {
        try
        {
            return read(path);
        }
        catch (Exception exception) when (exception is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new MongoException(MongoError.InvalidConnectionString, $"The file that {option} names, '{path}', cannot be used: {exception.Message}", exception);
        }
    }

    private static X509Certificate2Collection ImportAuthorities(string path)
    {
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPemFile(path);
        return authorities.Count > 0 ? authorities : throw new CryptographicException("there is no certificate in it.");
    }

    private SslStreamCertificateContext ImportClient(string path)
    {
        var certificate = _settings.TlsCertificateKeyFilePassword is { } password
            ? X509Certificate2.CreateFromEncryptedPemFile(path, password)
            : X509Certificate2.CreateFromPemFile(path);
        _own.Add(certificate);
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(path);
        _own.AddRange(chain);
        return SslStreamCertificateContext.Create(certificate, chain, offline: true);
    }

    /// <summary>Why a certificate is not accepted; null where it is.</summary>
    private string? Judge(MongoHost host, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (certificate is null || errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable))
            return "there is none";
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors) && !_settings.TlsAllowInvalidCertificates)
            return JudgeChain(chain);
        return errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) && !_settings.TlsAllowInvalidHostnames
            ? $"it is for another host than {host.Name}"
            : null;
    }

    private string JudgeChain(X509Chain? chain)
    {
        var status = X509ChainStatusFlags.NoError;
        foreach (var element in chain?.ChainStatus ?? [])
            status |= element.Status;
        if (status.HasFlag(X509ChainStatusFlags.UntrustedRoot) || status.HasFlag(X509ChainStatusFlags.PartialChain))
            return _authorities is null ? "its authority is not known to this system (name it with tlsCAFile)" : "its authority is not one of those in tlsCAFile";
        if (status.HasFlag(X509ChainStatusFlags.NotTimeValid))
            return "it has expired, or is not valid yet";
        return status.HasFlag(X509ChainStatusFlags.NotValidForUsage) ? "it is not meant for servers" : $"its chain is not valid ({status})";
    }
}
