using System.Diagnostics;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.TestServers;
using Xunit;

namespace BotCore.Backup.Adapters.Tests.AmazonS3;

/// <summary>Objects in parts, while the way breaks at each stage: nothing half-done stays, and what comes after completes.</summary>
[NeedsTools("ceph", "ceph-authtool", "monmaptool", "ceph-mon", "ceph-osd", "radosgw", "radosgw-admin")]
[Collection(S3Tests.Name)]
public sealed class S3NetworkTests
{
    private readonly S3Server _server;
    private readonly string _bucket;
    private readonly HttpFaultProxy _proxy;
    private readonly IStore _store;

    public S3NetworkTests(S3Server server)
    {
        _server = server;
        _bucket = server.NewBucket();
        _proxy = server.NewProxy();
        _store = server.Open(server.Options(_bucket) with { Endpoint = _proxy.Endpoint });
    }

    public static TheoryData<string> Stages => ["begin", "part", "complete", "head", "put"];

    private static CancellationToken None => CancellationToken.None;

    [ServerFact]
    public void Many_parts_make_one_object()
    {
        var content = Content(20_000_000);
        S3StoreTests.Put(_store, "mongodb/a", content, "run");

        Assert.Equal(content, _server.Requests.Get(_bucket, "mongodb/a"));
        Assert.Equal(306, _proxy.Seen.Count(r => r.Target.Contains("partNumber", StringComparison.Ordinal)));
        Assert.Empty(_server.Requests.Uploads(_bucket));
    }

    [ServerFact]
    public void Parts_that_memory_cannot_hold_go_by_way_of_the_disk()
    {
        // Two parts of 64 KiB fit exactly; after 4,000 they are twice as large.
        var store = _server.Open(_server.Options(_bucket) with { FirstPartSize = 65_536, PartMemory = 2 * 65_536 });
        var content = Content((4_003 * 65_536) + 100);
        S3StoreTests.Put(store, "mongodb/a", content);

        Assert.Equal(content, _server.Requests.Get(_bucket, "mongodb/a"));
    }

    [ServerTheory]
    [MemberData(nameof(Stages))]
    public void An_answer_that_is_lost_once_changes_nothing(string stage)
    {
        _proxy.Add(new() { Of = Stage(stage), CutsAnswer = 0 });
        var content = stage is "put" ? Content(1000) : Content(500_000);
        S3StoreTests.Put(_store, "mongodb/a", content);

        Assert.Equal(1, _proxy.Struck);
        Assert.Equal(content, _server.Requests.Get(_bucket, "mongodb/a"));
        Assert.Empty(_server.Requests.Uploads(_bucket));
    }

    [ServerTheory]
    [MemberData(nameof(Stages))]
    public void A_body_that_is_cut_or_a_server_that_is_busy_is_tried_again(string stage)
    {
        if (stage is "part" or "put")
            _proxy.Add(new() { Of = Stage(stage), CutsBody = 500 });
        _proxy.Add(new() { Of = Stage(stage), Status = 503, Code = "SlowDown" });
        _proxy.Add(new() { Of = Stage(stage), Status = 500, Code = "InternalError" });
        var content = stage is "put" ? Content(1000) : Content(500_000);
        S3StoreTests.Put(_store, "mongodb/a", content);

        Assert.InRange(_proxy.Struck, 2, 3);
        Assert.Equal(content, _server.Requests.Get(_bucket, "mongodb/a"));
        Assert.Empty(_server.Requests.Uploads(_bucket));
    }

    [ServerTheory]
    [MemberData(nameof(Stages))]
    public void A_way_that_stays_broken_fails_the_run_and_leaves_nothing(string stage)
    {
        _proxy.Add(new() { Of = Stage(stage), Status = 503, Code = "SlowDown", Times = 1000 });
        var failure = Assert.Throws<BackupException>(() => S3StoreTests.Put(_store, "mongodb/a", stage is "put" ? Content(1000) : Content(500_000))).Failure;

        Assert.Equal(FailureKind.StoreUnreachable, failure.Kind);
        _proxy.Mend();
        Assert.Empty(_server.Requests.Keys(_bucket));
        Assert.Empty(_server.Requests.Uploads(_bucket));
        S3StoreTests.Put(_store, "mongodb/a", [1]);
        Assert.Equal([1], _server.Requests.Get(_bucket, "mongodb/a"));
    }

    [ServerTheory]
    [InlineData(1000)]
    [InlineData(500_000)]
    public void An_object_that_is_there_though_nobody_heard_so_does_not_stay(int length)
    {
        var isWhole = length < 64 * 1024;
        _proxy.Add(new() { Of = Stage(isWhole ? "put" : "complete"), CutsAnswer = 0, Times = 1000 });
        // One that is put together is looked for after each try: that fails too, and only the last look of all goes well.
        if (!isWhole)
            _proxy.Add(new() { Of = Stage("head"), After = 2, Times = S3Server.Retry.Attempts * S3Server.Retry.Attempts, Status = 503, Code = "SlowDown" });
        Assert.Equal(FailureKind.StoreUnreachable, Assert.Throws<BackupException>(() => S3StoreTests.Put(_store, "mongodb/a", Content(length))).Failure.Kind);

        _proxy.Mend();
        Assert.Empty(_server.Requests.Keys(_bucket));
        Assert.Empty(_server.Requests.Uploads(_bucket));
    }

    [ServerFact]
    public void An_upload_that_could_not_be_ended_is_swept_by_the_next_run()
    {
        _proxy.Add(new() { Of = r => r.Method is "DELETE", Status = 503, Code = "SlowDown", Times = 1000 });
        using (var writer = _store.Create("mongodb/a", None))
            writer.Write(Content(500_000));
        Assert.Equal(["mongodb/a"], _server.Requests.Uploads(_bucket), StringComparer.Ordinal);

        _proxy.Mend();
        Assert.Equal(["mongodb/a"], _store.RemovePartials("mongodb", _ => true, None), StringComparer.Ordinal);
        Assert.Empty(_server.Requests.Uploads(_bucket));
    }

    [ServerFact]
    public void A_read_goes_on_where_the_answer_was_cut()
    {
        var content = Content(1_000_000);
        _server.Requests.Put(_bucket, "mongodb/a", content);
        _proxy.Add(new() { Of = r => r.Method is "GET", CutsAnswer = 300_001, Times = 3 });

        using var stream = _store.OpenRead("mongodb/a", 10, None);
        using var copy = new MemoryStream();
        stream.CopyTo(copy);

        Assert.Equal(content[10..], copy.ToArray());
        Assert.Equal(4, _proxy.Seen.Count);
    }

    [ServerFact]
    public void A_stall_ends_by_the_inactivity_timeout()
    {
        _server.Requests.Put(_bucket, "mongodb/a", Content(1_000_000));
        var store = _server.Open(_server.Options(_bucket) with { Endpoint = _proxy.Endpoint, InactivityTimeout = TimeSpan.FromSeconds(1) });
        _proxy.Add(new() { Of = r => r.Method is "GET", StallsAnswer = 1000 });
        _proxy.Add(new() { Of = r => r.Method is "HEAD", StallsAnswer = 0 });

        Assert.NotNull(store.Find("mongodb/a", None));
        using var stream = store.OpenRead("mongodb/a", 0, None);
        stream.CopyTo(Stream.Null);
        Assert.Equal(2, _proxy.Struck);
    }

    [ServerFact]
    public async Task Cancelling_ends_a_stall_at_once()
    {
        _proxy.Add(new() { Of = _ => true, StallsAnswer = 0, Times = 1000 });
        using var stop = new CancellationTokenSource();
        var asking = Task.Run(() => _store.Find("mongodb/a", stop.Token), None);
        SpinWait.SpinUntil(() => _proxy.Struck > 0, TimeSpan.FromSeconds(20));
        var took = Stopwatch.StartNew();
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
        Assert.InRange(took.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }

    [ServerFact]
    public void A_key_that_is_taken_while_parts_are_sent_is_not_overwritten()
    {
        using var late = _store.Create("mongodb/a", None);
        late.Write(Content(500_000));
        S3StoreTests.Put(_store, "mongodb/a", [7]);

        Assert.Equal(FailureKind.DestinationNotEmpty, Assert.Throws<BackupException>(late.Commit).Failure.Kind);
        late.Dispose();
        Assert.Equal([7], _server.Requests.Get(_bucket, "mongodb/a"));
        Assert.Empty(_server.Requests.Uploads(_bucket));
        Assert.Equal("*", _proxy.Seen.First(r => r.Method is "PUT" && r.Target.EndsWith("/mongodb/a", StringComparison.Ordinal))["If-None-Match"]);
    }

    [ServerFact]
    public void To_Amazon_a_checksum_goes_along()
    {
        var store = _server.Open(_server.Options(_bucket) with { Endpoint = _proxy.Endpoint, SendsChecksums = true });
        S3StoreTests.Put(store, "mongodb/a", "123456789"u8.ToArray());
        S3StoreTests.Put(store, "mongodb/b", Content(300_000));

        // The check value of CRC-32C, as the catalogue of CRCs has it: e3069283.
        Assert.Equal("4waSgw==", Assert.Single(_proxy.Seen, r => r.Method is "PUT" && r.Target.EndsWith("/mongodb/a", StringComparison.Ordinal))["x-amz-checksum-crc32c"]);
        Assert.All(_proxy.Seen.Where(r => r.Target.Contains("partNumber", StringComparison.Ordinal)), r => Assert.NotNull(r["x-amz-checksum-crc32c"]));
    }

    private static byte[] Content(int length)
    {
        var content = new byte[length];
        new Random(length).NextBytes(content);
        return content;
    }

    private static Func<SeenRequest, bool> Stage(string stage) => stage switch
    {
        "begin" => r => r.Method is "POST" && r.Target.EndsWith("?uploads", StringComparison.Ordinal),
        "part" => r => r.Method is "PUT" && r.Target.Contains("partNumber=3", StringComparison.Ordinal),
        "complete" => r => r.Method is "POST" && r.Target.Contains("uploadId=", StringComparison.Ordinal),
        "head" => r => r.Method is "HEAD",
        _ => r => r.Method is "PUT" && r.Target.EndsWith("/mongodb/a", StringComparison.Ordinal),
    };
}
