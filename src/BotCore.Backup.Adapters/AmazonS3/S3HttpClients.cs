using System.Net.Security;
using Amazon.Runtime;

namespace BotCore.Backup.Adapters.AmazonS3;

/// <summary>The connections of one store. Notes what the SDK does not tell: the server's clock, and what was wrong with its certificate.</summary>
internal sealed class S3HttpClients : HttpClientFactory, IDisposable
{
    // Reading so much of an answer that nobody wants is cheaper than a new connection.
    private const int WorthReadingOn = 64 * 1024;

    private readonly HttpClient _client;
    private long _offset;

    public S3HttpClients(TimeSpan patience)
    {
        var sockets = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = System.Net.DecompressionMethods.None,
            ConnectTimeout = patience,
            MaxResponseDrainSize = WorthReadingOn,
            // Names of stores change their addresses.
            PooledConnectionLifetime = TimeSpan.FromMinutes(10),
            SslOptions = { RemoteCertificateValidationCallback = (_, _, _, errors) => IsTrusted(errors) },
        };
        _client = new HttpClient(new Noting(this, sockets)) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>The time by the server's clock, as far as it was heard.</summary>
    public DateTime ServerNow => DateTime.UtcNow + TimeSpan.FromTicks(Interlocked.Read(ref _offset));

    /// <summary>What was wrong with the last certificate that was refused.</summary>
    public SslPolicyErrors CertificateErrors { get; private set; }

    public override HttpClient CreateHttpClient(IClientConfig clientConfig) => _client;

    public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

    public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;

    public void Dispose() => _client.Dispose();

    private bool IsTrusted(SslPolicyErrors errors)
    {
        CertificateErrors = errors;
        return errors == SslPolicyErrors.None;
    }

    private sealed class Noting(S3HttpClients owner, HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = await base.SendAsync(request, cancellationToken);
            if (response.Headers.Date is { } date)
                Interlocked.Exchange(ref owner._offset, (date.UtcDateTime - DateTime.UtcNow).Ticks);
            return response;
        }
    }
}
