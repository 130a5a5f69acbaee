using System.Diagnostics;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores.Gcs;
using BotCore.Backup.TestServers;
using BotCore.Backup.TestServers.GoogleStorage;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Stores.Gcs;

/// <summary>Uploads whose way breaks at every stage. What is there afterwards is whole or nothing.</summary>
public sealed class GcsUploadFaultTests : IDisposable
{
    private const string Session = "upload_id=";
    private const string Begin = "uploadType=resumable&ifGen";
    private const string Small = "uploadType=multipart";

    private static readonly byte[] Long = GcsPlace.Noise(1_700_000);
    private static readonly byte[] Short = GcsPlace.Noise(100_000);

    private readonly GcsPlace _place = new();

    public static TheoryData<GoogleFault> Passing =>
    [
        new GoogleFault(GoogleFaultKind.Answer, "POST", Begin) { Times = 2 },
        new GoogleFault(GoogleFaultKind.Drop, "POST", Begin) { Times = 3 },
        new GoogleFault(GoogleFaultKind.LoseAnswer, "POST", Begin),
        new GoogleFault(GoogleFaultKind.Answer, "PUT", Session) { Status = 500 },
        new GoogleFault(GoogleFaultKind.Answer, "PUT", Session) { Status = 429, Reason = "rateLimitExceeded", After = 1, Times = 2 },
        new GoogleFault(GoogleFaultKind.Answer, "PUT", Session) { Status = 408, After = 3 },
        new GoogleFault(GoogleFaultKind.Answer, "PUT", Session) { Status = 403, Reason = "userRateLimitExceeded", After = 2 },
        new GoogleFault(GoogleFaultKind.Drop, "PUT", Session) { Times = 2 },
        new GoogleFault(GoogleFaultKind.DropBody, "PUT", Session) { Bytes = 1000 },
        new GoogleFault(GoogleFaultKind.DropBody, "PUT", Session) { Bytes = 300_000, After = 1 },
        new GoogleFault(GoogleFaultKind.DropBody, "PUT", Session) { Bytes = 50_000, After = 3 },
        new GoogleFault(GoogleFaultKind.PersistOnly, "PUT", Session) { Bytes = 262_144, Times = 2 },
        new GoogleFault(GoogleFaultKind.PersistOnly, "PUT", Session) { Bytes = 100_000 },
        new GoogleFault(GoogleFaultKind.PersistOnly, "PUT", Session) { Bytes = 0, Times = 2 },
        new GoogleFault(GoogleFaultKind.PersistOnly, "PUT", Session) { Bytes = 40_000, After = 3 },
        new GoogleFault(GoogleFaultKind.LoseAnswer, "PUT", Session),
        new GoogleFault(GoogleFaultKind.LoseAnswer, "PUT", Session) { After = 1, Times = 2 },
        new GoogleFault(GoogleFaultKind.LoseAnswer, "PUT", Session) { After = 3 },
        new GoogleFault(GoogleFaultKind.LoseAnswer, "PUT", Session) { After = 3, Times = 3 },
        new GoogleFault(GoogleFaultKind.ForgetSession, "PUT", Session),
        new GoogleFault(GoogleFaultKind.Answer, "POST", "/token") { Times = 2 },
        new GoogleFault(GoogleFaultKind.Drop, "POST", "/token"),
        new GoogleFault(GoogleFaultKind.Answer, "PUT", Session) { Status = 401, Reason = "authError", Message = "Invalid Credentials", After = 1 },
    ];

    [Theory]
    [MemberData(nameof(Passing), DisableDiscoveryEnumeration = true)]
    public void What_passes_by_itself_does_not_stop_a_long_upload(GoogleFault fault)
    {
        _place.Server.Break(fault with { });
        GcsPlace.Put(_place.NewStore(), "config/a", Long, "run");

        Assert.True(_place.Server.Struck > 0, "The fault did not strike.");
        Assert.Equal(Long, _place.Server.Content(GcsPlace.Bucket, "config/a"));
        Assert.Equal(["config/a"], _place.Server.Names(GcsPlace.Bucket), StringComparer.Ordinal);
    }

    [Theory]
    [InlineData(GoogleFaultKind.Answer, 0)]
    [InlineData(GoogleFaultKind.Drop, 0)]
    [InlineData(GoogleFaultKind.DropBody, 5000)]
    [InlineData(GoogleFaultKind.LoseAnswer, 0)]
    public void What_passes_by_itself_does_not_stop_a_small_upload(GoogleFaultKind kind, int bytes)
    {
        _place.Server.Break(new GoogleFault(kind, "POST", Small) { Bytes = bytes, Times = 2 });
        GcsPlace.Put(_place.NewStore(), "config/a", Short);

        Assert.True(_place.Server.Struck > 0, "The fault did not strike.");
        Assert.Equal(Short, _place.Server.Content(GcsPlace.Bucket, "config/a"));
    }

    public static TheoryData<GoogleFault> Lasting =>
    [
        new GoogleFault(GoogleFaultKind.Answer, "POST", Begin),
        new GoogleFault(GoogleFaultKind.Drop, "PUT", Session),
        new GoogleFault(GoogleFaultKind.Answer, "PUT", Session) { After = 2 },
        new GoogleFault(GoogleFaultKind.PersistOnly, "PUT", Session) { After = 1, Bytes = 0 },
        new GoogleFault(GoogleFaultKind.Answer, "PUT", Session) { Status = 429, Reason = "rateLimitExceeded", After = 3 },
        new GoogleFault(GoogleFaultKind.LoseAnswer, "PUT", Session) { After = 3 },
        new GoogleFault(GoogleFaultKind.ForgetSession, "PUT", Session) { After = 2 },
    ];

    [Theory]
    [MemberData(nameof(Lasting), DisableDiscoveryEnumeration = true)]
    public void What_does_not_pass_leaves_nothing_and_the_next_run_completes(GoogleFault fault)
    {
        _place.Server.Break(fault with { Times = 1000 });
        var store = _place.NewStore();
        var failure = GcsPlace.Fails(() => GcsPlace.Put(store, "config/a", Long));

        Assert.Equal(FailureKind.StoreUnreachable, failure.Kind);
        Assert.Empty(_place.Server.Names(GcsPlace.Bucket));
        Assert.Equal(0, _place.Server.OpenUploads);
        _place.Server.Mend();
        GcsPlace.Put(store, "config/a", Long);
        Assert.Equal(Long, _place.Server.Content(GcsPlace.Bucket, "config/a"));
    }

    // The answer to the last part never comes, and the server has forgotten the upload when it is asked: the object itself says whose it is.
    [Fact]
    public void An_upload_whose_end_nobody_remembers_is_known_by_its_object()
    {
        _place.Server.Break(new GoogleFault(GoogleFaultKind.LoseAnswer, "PUT", Session) { After = 3 });
        _place.Server.Break(new GoogleFault(GoogleFaultKind.ForgetSession, "PUT", Session) { After = 3 });
        GcsPlace.Put(_place.NewStore(), "config/a", Long);

        Assert.Equal(2, _place.Server.Struck);
        Assert.Equal(Long, _place.Server.Content(GcsPlace.Bucket, "config/a"));
    }

    [Fact]
    public void A_session_that_is_gone_in_the_midst_cannot_be_gone_on_with()
    {
        var store = _place.NewStore();
        using var writer = store.Create("config/a", default);
        writer.Write(Long.AsSpan(0, 600_000));
        _place.Server.ForgetUploads();

        Assert.Equal(FailureKind.StoreUnreachable, GcsPlace.Fails(() => writer.Write(Long.AsSpan(600_000))).Kind);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_wrong_checksum_is_told_and_the_object_removed(bool isLong)
    {
        _place.Server.Break(new GoogleFault(GoogleFaultKind.WrongChecksum, null, isLong ? Session : Small) { Times = 100 });
        var failure = GcsPlace.Fails(() => GcsPlace.Put(_place.NewStore(), "config/a", isLong ? Long : Short));

        Assert.Equal(FailureKind.ChecksumMismatch, failure.Kind);
        Assert.Empty(_place.Server.Names(GcsPlace.Bucket));
    }

    // A lasting loss of every answer: the object may stand, and it is this writer that must take it away.
    [Fact]
    public void What_was_stored_without_an_answer_is_removed_when_the_run_gives_up()
    {
        _place.Server.Break(new GoogleFault(GoogleFaultKind.LoseAnswer, "POST", Small));
        _place.Server.Break(new GoogleFault(GoogleFaultKind.Drop, "POST", Small) { Times = 100 });

        Assert.Equal(FailureKind.StoreUnreachable, GcsPlace.Fails(() => GcsPlace.Put(_place.NewStore(), "config/a", Short)).Kind);
        Assert.Empty(_place.Server.Names(GcsPlace.Bucket));
    }

    [Fact]
    public void What_somebody_else_put_there_is_never_removed()
    {
        _place.Server.AddObject(GcsPlace.Bucket, "config/a", [7]);
        _place.Server.Break(new GoogleFault(GoogleFaultKind.Drop, "POST", Small) { Times = 100 });
        GcsPlace.Fails(() => GcsPlace.Put(_place.NewStore(), "config/a", Short));

        Assert.Equal([7], _place.Server.Content(GcsPlace.Bucket, "config/a"));
    }

    // The way breaks after so many bytes, in either direction, as often as that many bytes pass.
    [Theory]
    [InlineData(Fault.Reset, 1, long.MaxValue)]
    [InlineData(Fault.Reset, 3_000, long.MaxValue)]
    [InlineData(Fault.Reset, 400_000, long.MaxValue)]
    [InlineData(Fault.Close, 900_000, long.MaxValue)]
    [InlineData(Fault.Close, 1_690_000, long.MaxValue)]
    [InlineData(Fault.Reset, long.MaxValue, 100)]
    [InlineData(Fault.Close, long.MaxValue, 900)]
    [InlineData(Fault.Reset, long.MaxValue, 500)]
    [InlineData(Fault.Stall, 700_000, long.MaxValue)]
    [InlineData(Fault.Stall, long.MaxValue, 600)]
    public void A_way_that_breaks_is_gone_again(Fault fault, long toServer, long toClient)
    {
        var store = _place.NewStore(options => options with { Timeout = TimeSpan.FromSeconds(1) }, byProxy: true);
        _place.Proxy.Break(fault, toServer, toClient, times: 2);
        GcsPlace.Put(store, "config/a", Long);

        Assert.True(_place.Proxy.Struck > 0, "The fault did not strike.");
        Assert.Equal(Long, _place.Server.Content(GcsPlace.Bucket, "config/a"));
    }

    [Fact]
    public void A_dead_way_is_told_and_nothing_is_left()
    {
        var store = _place.NewStore(byProxy: true);
        using (var writer = store.Create("config/a", default))
        {
            writer.Write(Long.AsSpan(0, 600_000));
            _place.Proxy.Refuse();
            Assert.Equal(FailureKind.StoreUnreachable, GcsPlace.Fails(() => writer.Write(Long.AsSpan(600_000))).Kind);
            _place.Proxy.Mend();
        }

        Assert.Empty(_place.Server.Names(GcsPlace.Bucket));
        Assert.Equal(0, _place.Server.OpenUploads);
    }

    [Theory]
    [InlineData(GoogleFaultKind.Stall)]
    [InlineData(GoogleFaultKind.StallBody)]
    public async Task Whoever_cancels_does_not_wait_for_a_stalled_network(GoogleFaultKind kind)
    {
        using var cancel = new CancellationTokenSource();
        _place.Server.Break(new GoogleFault(kind, "PUT", Session) { Bytes = 1000 });
        var store = _place.NewStore();
        var upload = Task.Run(() => GcsPlace.Put(store, "config/a", Long, null, cancel.Token));
        await _place.Server.Stalled;
        var watch = Stopwatch.StartNew();
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => upload);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20), $"It took {watch.Elapsed}.");
        Assert.Empty(_place.Server.Names(GcsPlace.Bucket));
        Assert.Equal(0, _place.Server.OpenUploads);
    }

    // With the pauses of the test two seconds can only come from the server's wish.
    [Fact]
    public void A_server_that_asks_for_time_gets_it()
    {
        _place.Server.Break(new GoogleFault(GoogleFaultKind.Answer, "POST", Small) { Status = 503, RetryAfter = 2 });
        var watch = Stopwatch.StartNew();
        GcsPlace.Put(_place.NewStore(), "config/a", Short);

        Assert.True(watch.Elapsed >= TimeSpan.FromSeconds(1.9), $"It took {watch.Elapsed}.");
    }

    [Fact]
    public void Chunks_are_rounded_up_to_what_the_service_takes()
    {
        var store = _place.NewStore(options => options with { ChunkSize = 1 });
        GcsPlace.Put(store, "config/a", Long);

        Assert.Equal(Long, _place.Server.Content(GcsPlace.Bucket, "config/a"));
        Assert.Equal(7, _place.Server.Requests.Count(request => request.StartsWith("PUT ", StringComparison.Ordinal)));
        Assert.Equal(8 << 20, new GcsOptions { Bucket = "b" }.ChunkSize);
    }

    public void Dispose() => _place.Dispose();
}
