using System.Net;
using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Stores.S3;

namespace BotCore.Backup.Adapters.AmazonS3;

/// <summary>One client of the SDK, and the one way through which everything asks it: with patience, with a kind for each failure, and again where that helps. Thread-safe.</summary>
internal sealed class S3Connection : IDisposable
{
    private const int BodyBuffer = 128 * 1024;

    private readonly S3HttpClients _http;
    private readonly S3Failures _failures;
    private readonly Lock _gate = new();
    private AmazonS3Client? _client;
    private bool _bucketSeen;

    public S3Connection(S3StoreOptions options, StoreRetry retry)
    {
        (Options, Retry, Keys) = (options, retry, new S3Keys(options));
        _http = new S3HttpClients(options.InactivityTimeout);
        _failures = new S3Failures(options, Keys.Location, _http);
    }

    public S3StoreOptions Options { get; }

    public StoreRetry Retry { get; }

    public S3Keys Keys { get; }

    /// <summary>The time by the server's clock.</summary>
    public DateTime ServerNow => _http.ServerNow;

    /// <summary>Whether what is sent carries its CRC-32C.</summary>
    public bool SendsChecksums => Options.SendsChecksums ?? Options.Endpoint is null;

    /// <summary>Whether the way is encrypted: then the body need not be signed beside its digest.</summary>
    public bool IsSecure => Options.Endpoint is null || string.Equals(Options.Endpoint.Scheme, "https", StringComparison.Ordinal);

    /// <summary>Asks until it comes through. Only what may be done twice.</summary>
    public T Call<T>(string key, Func<AmazonS3Client, Patience, Task<T>> ask, CancellationToken token) => Retry.Run(() => Once(key, ask, token), token);

    /// <summary>Asks once.</summary>
    public T Once<T>(string key, Func<AmazonS3Client, Patience, Task<T>> ask, CancellationToken token, int patience = 1)
    {
        var client = Client(token);
        using var waits = new Patience(Options.InactivityTimeout * patience, token);
        try
        {
            return ask(client, waits).GetAwaiter().GetResult();
        }
        catch (Exception) when (token.IsCancellationRequested)
        {
            throw new OperationCanceledException(token);
        }
        catch (Exception wrong) when (Failure(wrong, key) is { } failure)
        {
            throw new BackupException(failure);
        }
    }

    /// <summary>The failure of reading what an answer brings.</summary>
    public Failure? Failure(Exception wrong, string key) => _failures.Of(wrong, key)?.Failure;

    /// <summary>An object's facts; null where there is none.</summary>
    public GetObjectMetadataResponse? Head(string key, CancellationToken token)
    {
        try
        {
            return Call(key, (client, waits) => client.GetObjectMetadataAsync(new GetObjectMetadataRequest { BucketName = Options.Bucket, Key = Keys.Full(key) }, waits.Token), token);
        }
        catch (BackupException wrong) when (wrong.Failure.Cause is AmazonServiceException answer)
        {
            // An answer to HEAD has no text: not whether it is the key or the bucket that is not there, nor why access is refused.
            if (answer.StatusCode == HttpStatusCode.NotFound && Volatile.Read(ref _bucketSeen))
                return null;
            if (answer.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Forbidden or HttpStatusCode.BadRequest or HttpStatusCode.MovedPermanently)
                Look(token);
            if (answer.StatusCode == HttpStatusCode.NotFound)
                return null;
            throw;
        }
    }

    public void Dispose()
    {
        _client?.Dispose();
        _http.Dispose();
    }

    // Throws what is wrong with the bucket as a whole, in the server's words.
    private void Look(CancellationToken token)
    {
        Call("", (client, waits) => client.ListObjectsV2Async(new ListObjectsV2Request { BucketName = Options.Bucket, Prefix = Keys.Lead(""), MaxKeys = 1 }, waits.Token), token);
        Volatile.Write(ref _bucketSeen, value: true);
    }

    private AmazonS3Client Client(CancellationToken token)
    {
        lock (_gate)
            return _client ??= new AmazonS3Client(S3Credentials.Find(Options, Keys.Location, token), Configuration());
    }

    private AmazonS3Config Configuration()
    {
        var config = new AmazonS3Config
        {
            HttpClientFactory = _http,
            // Trying again is done here, where it is known what may be, and by one count.
            MaxErrorRetry = 0,
            ThrottleRetries = false,
            // A wrong clock is told, not mended in silence: it would write wrong times into backups.
            DisableClockSkewCorrection = true,
            // Digests of our own go along, and are compared with what is answered.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
            IgnoreConfiguredEndpointUrls = true,
            DisableLogging = true,
            // The SDK hands bodies on in pieces of so much; its own 8 KiB are a system call each.
            BufferSize = BodyBuffer,
        };
        if (Options.Endpoint is { } endpoint)
        {
            config.ServiceURL = endpoint.AbsoluteUri;
            config.ForcePathStyle = true;
            config.AuthenticationRegion = Options.Region;
        }
        else
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(Options.Region);
        }

        return config;
    }
}
