using System.Globalization;
using System.Security.Cryptography;
using BotCore.Backup.Engine.Outside.Adapters;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Stores.Leases;
using BotCore.Backup.Engine.Stores.S3;
using BotCore.Backup.TestServers;
using Xunit;

namespace BotCore.Backup.Adapters.Tests.AmazonS3;

/// <summary>
/// The one S3 server of a test run, started when the first test asks for it. Credentials are the process's environment, as the product finds them, so the tests of S3 run one after the other.
/// </summary>
public sealed class S3Server : IDisposable
{
    private static readonly Dictionary<string, string?> Before = new(StringComparer.Ordinal);

    private readonly string _folder = Directory.CreateTempSubdirectory("botbackup-s3-").FullName;
    private readonly List<IDisposable> _open = [];
    private readonly Lazy<RadosGateway> _gateway;
    private S3Requests? _requests;

    public S3Server() => _gateway = new Lazy<RadosGateway>(Start);

    /// <summary>Pauses of a test.</summary>
    public static StoreRetry Retry { get; } = new() { Attempts = 5, FirstPause = TimeSpan.FromMilliseconds(20), LongestPause = TimeSpan.FromMilliseconds(100) };

    /// <summary>The server.</summary>
    public RadosGateway Gateway => _gateway.Value;

    /// <summary>A stranger's look at it.</summary>
    public S3Requests Requests => _requests ??= new S3Requests(Gateway.Endpoint, Gateway.User.AccessKey, Gateway.User.Secret);

    /// <summary>A bucket of the test's own.</summary>
    public string NewBucket(bool withLock = false)
    {
        var bucket = $"test-{RandomNumberGenerator.GetHexString(12, lowercase: true)}";
        Requests.MakeBucket(bucket, withLock);
        return bucket;
    }

    /// <summary>Small parts, so that few bytes are many of them.</summary>
    public S3StoreOptions Options(string bucket) => new()
    {
        Bucket = bucket,
        Endpoint = Gateway.Endpoint,
        FirstPartSize = 64 * 1024,
        PartMemory = 512 * 1024,
        InactivityTimeout = TimeSpan.FromSeconds(30),
        Lease = new LeaseTimes { Beat = TimeSpan.FromMinutes(10), Stale = TimeSpan.FromHours(1) },
    };

    public IStore Open(S3StoreOptions options, StoreRetry? retry = null)
    {
        var store = AdapterLoader.S3().Open(options, retry ?? Retry);
        _open.Add((IDisposable)store);
        return store;
    }

    public HttpFaultProxy NewProxy()
    {
        var proxy = new HttpFaultProxy(Gateway.Endpoint) { Signer = Gateway.User };
        _open.Add(proxy);
        return proxy;
    }

    /// <summary>A profile of the shared credentials file, for another user than the usual.</summary>
    public string NewProfile(string accessKey, string secret, string? sessionToken = null)
    {
        _ = Gateway;
        var name = "p" + RandomNumberGenerator.GetHexString(8, lowercase: true);
        var token = sessionToken is null ? "" : $"aws_session_token = {sessionToken}\n";
        File.AppendAllText(CredentialsFile, string.Create(CultureInfo.InvariantCulture, $"[{name}]\naws_access_key_id = {accessKey}\naws_secret_access_key = {secret}\n{token}\n"));
        return name;
    }

    /// <summary>A variable of the environment for as long as the result is not disposed.</summary>
    public static IDisposable With(params (string Name, string? Value)[] variables) => new Variables(variables);

    public void Dispose()
    {
        foreach (var one in _open)
            one.Dispose();
        _requests?.Dispose();
        if (_gateway.IsValueCreated)
            _gateway.Value.Dispose();
        foreach (var (name, value) in Before)
            Environment.SetEnvironmentVariable(name, value);
        Directory.Delete(_folder, recursive: true);
    }

    private string CredentialsFile => Path.Combine(_folder, "credentials");

    private RadosGateway Start()
    {
        var gateway = new RadosGateway();
        File.WriteAllText(CredentialsFile, "");
        Set("AWS_ACCESS_KEY_ID", gateway.User.AccessKey);
        Set("AWS_SECRET_ACCESS_KEY", gateway.User.Secret);
        Set("AWS_SESSION_TOKEN", null);
        Set("AWS_PROFILE", null);
        Set("AWS_EC2_METADATA_DISABLED", "true");
        Set("AWS_SHARED_CREDENTIALS_FILE", CredentialsFile);
        Set("AWS_CONFIG_FILE", Path.Combine(_folder, "config"));
        return gateway;
    }

    private static void Set(string name, string? value)
    {
        Before.TryAdd(name, Environment.GetEnvironmentVariable(name));
        Environment.SetEnvironmentVariable(name, value);
    }

    private sealed class Variables : IDisposable
    {
        private readonly List<(string Name, string? Value)> _before = [];

        public Variables((string Name, string? Value)[] variables)
        {
            foreach (var (name, value) in variables)
            {
                _before.Add((name, Environment.GetEnvironmentVariable(name)));
                Environment.SetEnvironmentVariable(name, value);
            }
        }

        public void Dispose() => _before.ForEach(one => Environment.SetEnvironmentVariable(one.Name, one.Value));
    }
}

/// <summary>Tests that share the server.</summary>
[CollectionDefinition(Name)]
public sealed class S3Tests : ICollectionFixture<S3Server>
{
    public const string Name = "S3";
}
