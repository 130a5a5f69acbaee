using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Runtime.Loader;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Stores.S3;
using BotCore.Backup.TestServers;
using Xunit;

namespace BotCore.Backup.Adapters.Tests.AmazonS3;

/// <summary>What goes wrong has a kind, and words that say what to do.</summary>
[NeedsTools("ceph", "ceph-authtool", "monmaptool", "ceph-mon", "ceph-osd", "radosgw", "radosgw-admin")]
[Collection(S3Tests.Name)]
public sealed class S3FailureTests(S3Server server)
{
    private static CancellationToken None => CancellationToken.None;

    public static TheoryData<string, FailureKind> Calls => new()
    {
        { "AccessDenied", FailureKind.AccessDenied },
        { "ExpiredToken", FailureKind.LoginFailed },
        { "RequestTimeTooSkewed", FailureKind.ClockSkewed },
        { "QuotaExceeded", FailureKind.StoreFull },
        { "InvalidToken", FailureKind.LoginFailed },
    };

    [ServerFact]
    public void A_wrong_key_and_a_wrong_secret_are_told_by_each_call()
    {
        var bucket = server.NewBucket();
        var user = server.Gateway.User;
        foreach (var profile in new[] { server.NewProfile("AKNOBODY", user.Secret), server.NewProfile(user.AccessKey, "wrong") })
        {
            var store = server.Open(server.Options(bucket) with { Profile = profile });
            AssertEach(store, FailureKind.LoginFailed);
            Assert.DoesNotContain("wrong", Fails(() => store.Find("config/a", None)).ToString(), StringComparison.Ordinal);
        }
    }

    [ServerFact]
    public void A_bucket_that_is_not_there_is_told_by_each_call() => AssertEach(server.Open(server.Options("no-such-bucket")), FailureKind.BucketMissing);

    [ServerFact]
    public void Another_users_bucket_is_access_denied()
    {
        var bucket = server.NewBucket();
        var other = server.Gateway.AddUser();
        var store = server.Open(server.Options(bucket) with { Profile = server.NewProfile(other.AccessKey, other.Secret) });
        AssertEach(store, FailureKind.AccessDenied);
    }

    [ServerFact]
    public void A_full_quota_is_StoreFull_whole_and_in_parts()
    {
        var user = server.Gateway.AddUser(quota: 600_000);
        using var requests = new S3Requests(server.Gateway.Endpoint, user.AccessKey, user.Secret);
        var bucket = "quota-" + RandomNumberGenerator.GetHexString(10, lowercase: true);
        requests.MakeBucket(bucket);
        var options = server.Options(bucket) with { Profile = server.NewProfile(user.AccessKey, user.Secret) };
        S3StoreTests.Put(server.Open(options), "config/a", new byte[300_000]);

        Assert.Equal(FailureKind.StoreFull, Fails(() => S3StoreTests.Put(server.Open(options), "config/b", new byte[2_000_000])).Kind);
        Assert.Equal(FailureKind.StoreFull, Fails(() => S3StoreTests.Put(server.Open(options with { FirstPartSize = 4 << 20, PartMemory = 8 << 20 }), "config/b", new byte[2_000_000])).Kind);
        Assert.Equal(["config/a"], requests.Keys(bucket), StringComparer.Ordinal);
        Assert.Empty(requests.Uploads(bucket));
    }

    [ServerTheory]
    [MemberData(nameof(Calls))]
    public void Codes_of_the_server_have_kinds(string code, FailureKind kind)
    {
        var proxy = server.NewProxy();
        var store = server.Open(server.Options(server.NewBucket()) with { Endpoint = proxy.Endpoint });
        proxy.Add(new() { Of = _ => true, Status = 403, Code = code, Times = 1000 });

        Assert.Equal(kind, Fails(() => S3StoreTests.Put(store, "config/a", [1])).Kind);
        Assert.Equal(kind, Fails(() => store.List("", None).ToList()).Kind);
        Assert.Equal(kind, Fails(() => store.OpenRead("config/a", 0, None).Dispose()).Kind);
    }

    [ServerFact]
    public void A_wrong_clock_is_told_by_the_server_itself()
    {
        var store = server.Open(server.Options(server.NewBucket()));
        Assert.Null(store.Find("config/a", None));
        var correction = Sdk("AWSSDK.Core").GetType("Amazon.AWSConfigs", throwOnError: true)!.GetProperty("ManualClockCorrection")!;
        correction.SetValue(null, (TimeSpan?)TimeSpan.FromHours(2));
        try
        {
            AssertEach(store, FailureKind.ClockSkewed);
        }
        finally
        {
            correction.SetValue(null, null);
        }
    }

    [ServerTheory]
    [InlineData(400, "AuthorizationHeaderMalformed", "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-central-1'", "")]
    [InlineData(301, "PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified endpoint.", "x-amz-bucket-region: eu-central-1\r\n")]
    public void The_right_region_is_named(int status, string code, string message, string header)
    {
        var proxy = server.NewProxy();
        var store = server.Open(server.Options(server.NewBucket()) with { Endpoint = proxy.Endpoint });
        proxy.Add(new() { Of = _ => true, Status = status, Code = code, Message = message, Header = header, Times = 1000 });
        var failure = Fails(() => store.List("", None).ToList());

        Assert.Equal(FailureKind.ConfigurationInvalid, failure.Kind);
        Assert.Contains("eu-central-1", failure.Advice, StringComparison.Ordinal);
    }

    [ServerFact]
    public void A_storage_class_that_the_server_does_not_have_is_a_wrong_setting()
    {
        var store = server.Open(server.Options(server.NewBucket()) with { StorageClass = "STANDARD_IA" });
        Assert.Equal(FailureKind.ConfigurationInvalid, Fails(() => S3StoreTests.Put(store, "config/a", [1])).Kind);
    }

    [ServerFact]
    public void Nobody_at_the_endpoint_is_StoreUnreachable()
    {
        var bucket = server.NewBucket();
        var refused = server.Open(server.Options(bucket) with { Endpoint = new Uri($"http://127.0.0.1:{FreePort()}") });
        var unknown = server.Open(server.Options(bucket) with { Endpoint = new Uri("http://no-such-host.invalid") });

        Assert.Equal(FailureKind.StoreUnreachable, Fails(() => refused.Find("config/a", None)).Kind);
        Assert.Equal(FailureKind.StoreUnreachable, Fails(() => unknown.Find("config/a", None)).Kind);
    }

    [ServerFact]
    public void A_certificate_that_nobody_knows_is_rejected()
    {
        using var key = RSA.Create(2048);
        using var made = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        using var proxy = new HttpFaultProxy(server.Gateway.Endpoint, made);
        var store = server.Open(server.Options(server.NewBucket()) with { Endpoint = proxy.Endpoint });
        var failure = Fails(() => store.Find("config/a", None));

        Assert.Equal(FailureKind.CertificateRejected, failure.Kind);
        Assert.Contains("not trusted", failure.Message, StringComparison.Ordinal);
        Assert.Empty(proxy.Seen);
    }

    [ServerFact]
    public void A_server_without_TLS_behind_https_is_told()
    {
        var store = server.Open(server.Options(server.NewBucket()) with { Endpoint = new Uri($"https://127.0.0.1:{server.Gateway.Port}") });
        var failure = Fails(() => store.Find("config/a", None));

        Assert.Equal(FailureKind.CertificateRejected, failure.Kind);
        Assert.Contains("http://", failure.Advice, StringComparison.Ordinal);
    }

    [ServerFact]
    public void Missing_credentials_are_told_by_what_is_missing()
    {
        var options = server.Options(server.NewBucket());
        using (S3Server.With(("AWS_ACCESS_KEY_ID", null), ("AWS_SECRET_ACCESS_KEY", null)))
            AssertMissing(options, "AWS_ACCESS_KEY_ID");
        using (S3Server.With(("AWS_SECRET_ACCESS_KEY", null)))
            AssertMissing(options, "Set both");
        AssertMissing(options with { Profile = "nobody" }, "~/.aws/credentials");
        using (S3Server.With(("AWS_ACCESS_KEY_ID", null), ("AWS_SECRET_ACCESS_KEY", null), ("AWS_WEB_IDENTITY_TOKEN_FILE", "/no/such/file"), ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/x"), ("AWS_ROLE_SESSION_NAME", "x")))
            AssertMissing(options, "AWS_ROLE_ARN");
    }

    [Fact]
    public void Settings_that_cannot_be_are_refused()
    {
        Assert.Equal(new S3StoreOptions { Bucket = "b", Prefix = "p/q" }, S3StoreOptions.Of("s3://b/p/q/"));
        Assert.Equal(new S3StoreOptions { Bucket = "b" }, S3StoreOptions.Of("b"));
        var good = S3StoreOptions.Of("bucket/prefix");
        good.Check();
        foreach (var bad in new[]
        {
            good with { Bucket = "" }, good with { Prefix = "a/../b" }, good with { Endpoint = new Uri("ftp://x") }, good with { ServerSideEncryption = "rot13" }, good with { KmsKeyId = "k" },
            good with { ObjectLockDays = 0 }, good with { PartMemory = 1 },
        })
        {
            Assert.Equal(FailureKind.ConfigurationInvalid, Fails(bad.Check).Kind);
        }
    }

    private static void AssertEach(IStore store, FailureKind kind)
    {
        Assert.Equal(kind, Fails(() => store.Find("config/a", None)).Kind);
        Assert.Equal(kind, Fails(() => store.List("", None).ToList()).Kind);
        Assert.Equal(kind, Fails(() => store.OpenRead("config/a", 0, None).Dispose()).Kind);
        Assert.Equal(kind, Fails(() => S3StoreTests.Put(store, "config/a", [1])).Kind);
        Assert.Equal(kind, Fails(() => S3StoreTests.Put(store, "config/a", new byte[300_000])).Kind);
        Assert.Equal(kind, Fails(() => store.AcquireLease("config", None).Dispose()).Kind);
        Assert.Equal(kind, Fails(() => store.RemovePartials("config", _ => true, None)).Kind);
    }

    private void AssertMissing(S3StoreOptions options, string advice)
    {
        var store = server.Open(options);
        var failure = Fails(() => store.Find("config/a", None));
        Assert.Equal(FailureKind.CredentialsMissing, failure.Kind);
        Assert.Contains(advice, failure.Advice, StringComparison.Ordinal);
    }

    private static Failure Fails(Action action) => Assert.Throws<BackupException>(action).Failure;

    private static Failure Fails(Func<object?> action) => Assert.Throws<BackupException>(action).Failure;

    private static Assembly Sdk(string name) =>
        AssemblyLoadContext.All.Where(context => context != AssemblyLoadContext.Default).SelectMany(context => context.Assemblies).First(assembly => string.Equals(assembly.GetName().Name, name, StringComparison.Ordinal));

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
