using System.IO.Pipes;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace BotCore.Backup.Protocols.DockerEngine;

/// <summary>Makes an HttpClient that ends at a unix socket, a named pipe or a tcp port.</summary>
internal static class EngineTransport
{
    /// <summary>The client, and what stands before each path.</summary>
    public static (HttpClient Http, Uri Base) Open(DockerEngineOptions options)
    {
        var endpoint = options.Endpoint;
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            ConnectTimeout = options.Timeout,
            // Whoever stops reading an archive does not want the rest.
            MaxResponseDrainSize = 64 * 1024,
            UseCookies = false,
            UseProxy = false,
        };
        var root = endpoint.Scheme switch
        {
            "unix" => Through(handler, token => SocketAsync(endpoint.LocalPath, token)),
            "npipe" => Through(handler, token => PipeAsync(endpoint, token)),
            "tcp" or "http" or "https" => OverTcp(handler, options),
            var scheme => throw new DockerEngineException(DockerEngineError.Refused, $"An engine cannot be reached through '{scheme}'."),
        };
        return (new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan }, root);
    }

    private static Uri Through(SocketsHttpHandler handler, Func<CancellationToken, Task<Stream>> connect)
    {
        handler.ConnectCallback = async (_, token) => await connect(token);
        return new Uri("http://docker/");
    }

    private static async Task<Stream> SocketAsync(string path, CancellationToken token)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), token);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    // npipe:////./pipe/docker_engine
    private static async Task<Stream> PipeAsync(Uri endpoint, CancellationToken token)
    {
        var parts = endpoint.OriginalString["npipe:".Length..].Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (parts is not [var server, "pipe", ..])
            throw new DockerEngineException(DockerEngineError.Refused, $"'{endpoint.OriginalString}' names no pipe.");
        var pipe = new NamedPipeClientStream(server, string.Join('\\', parts[2..]), PipeDirection.InOut, PipeOptions.Asynchronous);
        try
        {
            await pipe.ConnectAsync(token);
            return pipe;
        }
        catch
        {
            await pipe.DisposeAsync();
            throw;
        }
    }

    private static Uri OverTcp(SocketsHttpHandler handler, DockerEngineOptions options)
    {
        var endpoint = options.Endpoint;
        var secure = endpoint.Scheme is "https" || (endpoint.Scheme is "tcp" && options.UseTls);
        if (secure)
            handler.SslOptions = Tls(options);
        var port = endpoint.Port > 0 && !endpoint.IsDefaultPort ? endpoint.Port : secure ? 2376 : 2375;
        return new UriBuilder(secure ? "https" : "http", endpoint.Host, port).Uri;
    }

    private static SslClientAuthenticationOptions Tls(DockerEngineOptions options)
    {
        var tls = new SslClientAuthenticationOptions();
        if (options.CertificateFolder is not { } folder)
            return tls;
        try
        {
            var authority = Path.Combine(folder, "ca.pem");
            if (File.Exists(authority))
            {
                // Only this authority, as docker has it.
                tls.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
                tls.CertificateChainPolicy.CustomTrustStore.ImportFromPemFile(authority);
            }

            var (certificate, key) = (Path.Combine(folder, "cert.pem"), Path.Combine(folder, "key.pem"));
            if (File.Exists(certificate) && File.Exists(key))
            {
                using var pem = X509Certificate2.CreateFromPemFile(certificate, key);
                // Windows wants a key that is stored.
                tls.ClientCertificates = [X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null)];
            }
        }
        catch (Exception wrong) when (wrong is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new DockerEngineException(DockerEngineError.CertificateRejected, $"The certificates in {folder} cannot be used: {wrong.Message}", wrong);
        }

        return tls;
    }
}
