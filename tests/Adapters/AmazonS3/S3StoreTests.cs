using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Tests.Stores;
using BotCore.Backup.TestServers;
using Xunit;

namespace BotCore.Backup.Adapters.Tests.AmazonS3;

/// <summary>The contract of all stores, in a bucket of a Ceph gateway. Parts are small, so that its objects go both ways: whole and in parts.</summary>
[NeedsTools("ceph", "ceph-authtool", "monmaptool", "ceph-mon", "ceph-osd", "radosgw", "radosgw-admin")]
[Collection(S3Tests.Name)]
public sealed class S3StoreTests(S3Server server) : StoreContract
{
    private string? _bucket;
    private IStore? _store;
    private IStore? _again;

    protected override IStore Store => _store ??= server.Open(server.Options(Bucket));

    protected override IStore Again => _again ??= server.Open(server.Options(Bucket));

    private string Bucket => _bucket ??= server.NewBucket();

    private static CancellationToken None => CancellationToken.None;

    [ServerFact]
    public void A_prefix_is_a_store_of_its_own()
    {
        using var one = (IDisposable)server.Open(server.Options(Bucket) with { Prefix = "hosts/one" });
        var (first, second) = ((IStore)one, server.Open(server.Options(Bucket) with { Prefix = "hosts/two" }));
        Put(first, "config/a", [1]);
        Put(second, "config/b", [2]);

        Assert.Equal(["config/a"], first.List("", None).Select(o => o.Key), StringComparer.Ordinal);
        Assert.Equal(["config/b"], second.List("config/", None).Select(o => o.Key), StringComparer.Ordinal);
        Assert.Equal(["hosts/one/config/a", "hosts/two/config/b"], server.Requests.Keys(Bucket), StringComparer.Ordinal);
        Assert.Equal($"s3://{Bucket}/hosts/one/config/a", first.Locate("config/a"));
        using var lease = first.AcquireLease("config", None);
        second.AcquireLease("config", None).Dispose();
    }

    [ServerTheory]
    [InlineData(10)]
    [InlineData(200_000)]
    public void The_run_stands_beside_the_object(int length)
    {
        Put(Store, "config/a", new byte[length], "run-1");

        Assert.Equal("run-1", Again.Find("config/a", None)!.RunId);
        Assert.Equal("run-1", server.Requests.Header(Bucket, "config/a", "x-amz-meta-botbackup-run"));
    }

    [ServerFact]
    public void What_is_not_there_is_asked_for_once()
    {
        var proxy = server.NewProxy();
        var through = server.Open(server.Options(Bucket) with { Endpoint = proxy.Endpoint });

        Assert.Null(through.Find("config/a", None));
        // The first time whether it is the bucket that is missing, too.
        Assert.Equal(["HEAD", "GET"], proxy.Seen.Select(r => r.Method), StringComparer.Ordinal);
        Assert.Null(through.Find("config/b", None));
        Assert.Equal(3, proxy.Seen.Count);
    }

    [ServerFact]
    public void Folders_of_a_console_are_no_objects()
    {
        server.Requests.Put(Bucket, "config/", []);
        server.Requests.Put(Bucket, ".botbackup/x", [1]);
        Put(Store, "config/a", [1]);

        Assert.Equal(["config/a"], Again.List("", None).Select(o => o.Key), StringComparer.Ordinal);
    }

    [ServerFact]
    public void Who_stops_reading_early_does_not_pull_the_rest()
    {
        using var proxy = new FaultProxy(server.Gateway.Port);
        Put(Store, "config/big", new byte[32 << 20]);
        var through = server.Open(server.Options(Bucket) with { Endpoint = new Uri($"http://127.0.0.1:{proxy.Port}") });

        using (var stream = through.OpenRead("config/big", 0, None))
            stream.ReadExactly(new byte[1000]);

        Assert.Equal(32 << 20, through.Find("config/big", None)!.Length);
        Assert.InRange(proxy.ToClient, 1000, 16 << 20);
    }

    [ServerFact]
    public void Twenty_thousand_objects_are_listed_page_by_page()
    {
        const int count = 20_000;
        var bucket = Bucket;
        Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = 16 }, i => server.Requests.Put(bucket, FormattableString.Invariant($"config/{i:D6}"), []));
        var proxy = server.NewProxy();
        var through = server.Open(server.Options(Bucket) with { Endpoint = proxy.Endpoint });

        Assert.Equal("config/000000", through.List("", None).First().Key);
        Assert.Single(proxy.Seen);
        Assert.Equal(Enumerable.Range(0, count).Select(i => FormattableString.Invariant($"config/{i:D6}")), through.List("config/", None).Select(o => o.Key), StringComparer.Ordinal);
        Assert.InRange(proxy.Seen.Count, 20, 25);
        Assert.Equal(1_000, through.List("config/019", None).Count());
    }

    [ServerFact]
    public void Keys_of_all_scripts_come_in_ordinal_order()
    {
        string[] keys = ["config/a", "config/\uff21", "config/\U0001F600", "config/\U00010000x", "config/\uff21\U0001F600", "config/z", "config/ä b+c%d", "config2/x"];
        foreach (var key in keys)
            Put(Store, key, [1]);

        Assert.Equal(keys.Order(StringComparer.Ordinal), Again.List("", None).Select(o => o.Key), StringComparer.Ordinal);
        Assert.All(keys, key => Assert.NotNull(Again.Find(key, None)));
    }

    [ServerFact]
    public void Partials_are_swept_by_their_key()
    {
        foreach (var key in new[] { "config/mine", "config/theirs", "volumes/mine", "configs/mine" })
            server.Requests.BeginUpload(Bucket, key);

        Assert.Equal(["config/mine"], Store.RemovePartials("config", key => key.EndsWith("mine", StringComparison.Ordinal), None), StringComparer.Ordinal);
        Assert.Equal(["config/theirs", "configs/mine", "volumes/mine"], server.Requests.Uploads(Bucket).Order(StringComparer.Ordinal), StringComparer.Ordinal);
    }

    [ServerFact]
    public void A_cancelled_writer_stops_and_leaves_nothing()
    {
        using var stop = new CancellationTokenSource();
        using (var writer = Store.Create("config/a", stop.Token))
        {
            writer.Write(new byte[1 << 20]);
            stop.Cancel();
            Assert.ThrowsAny<OperationCanceledException>(() => writer.Write(new byte[1 << 20]));
            Assert.ThrowsAny<OperationCanceledException>(writer.Commit);
        }

        Assert.Empty(server.Requests.Uploads(Bucket));
        Assert.Empty(server.Requests.Keys(Bucket));
    }

    [ServerFact]
    public void Bytes_that_arrive_changed_are_refused()
    {
        var proxy = server.NewProxy();
        proxy.Add(new() { Of = r => string.Equals(r.Method, "PUT", StringComparison.Ordinal), Etag = "\"00000000000000000000000000000000\"" });
        var through = server.Open(server.Options(Bucket) with { Endpoint = proxy.Endpoint });

        Assert.Equal(FailureKind.ChecksumMismatch, Kind(() => Put(through, "config/a", [1, 2, 3])));
        Assert.Empty(server.Requests.Keys(Bucket));

        proxy.Add(new() { Of = r => r.Target.Contains("partNumber=2", StringComparison.Ordinal), Etag = "\"00000000000000000000000000000000\"" });
        Assert.Equal(FailureKind.ChecksumMismatch, Kind(() => Put(through, "config/b", new byte[300_000])));
        Assert.Empty(server.Requests.Keys(Bucket));
        Assert.Empty(server.Requests.Uploads(Bucket));
        Assert.All(proxy.Seen.Where(r => string.Equals(r.Method, "PUT", StringComparison.Ordinal)), r => Assert.NotNull(r["Content-MD5"]));
    }

    [ServerFact]
    public void An_object_that_is_replaced_while_it_is_read_is_found_out()
    {
        var proxy = server.NewProxy();
        server.Requests.Put(Bucket, "config/a", new byte[1 << 20]);
        proxy.Add(new() { Of = r => string.Equals(r.Method, "GET", StringComparison.Ordinal), CutsAnswer = 300_000 });
        var through = server.Open(server.Options(Bucket) with { Endpoint = proxy.Endpoint });
        using var stream = through.OpenRead("config/a", 0, None);
        stream.ReadExactly(new byte[100]);
        server.Requests.Put(Bucket, "config/a", [.. Enumerable.Repeat((byte)1, 1 << 20)]);

        Assert.Equal(FailureKind.ChecksumMismatch, Kind(() => stream.CopyTo(Stream.Null)));
    }

    internal static void Put(IStore store, string key, byte[] content, string? runId = null)
    {
        using var writer = store.Create(key, None, runId);
        writer.Write(content);
        writer.Commit();
    }
}
