using System.Diagnostics;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.TestServers;
using BotCore.Backup.TestServers.GoogleStorage;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Stores.Gcs;

/// <summary>Downloads, listings and questions whose way breaks.</summary>
public sealed class GcsReadFaultTests : IDisposable
{
    private const string Media = "alt=media";

    private static readonly byte[] Content = GcsPlace.Noise(1_000_000);

    private readonly GcsPlace _place = new();

    public GcsReadFaultTests() => _place.Server.AddObject(GcsPlace.Bucket, "config/a", Content);

    [Theory]
    [InlineData(GoogleFaultKind.Truncate, 0)]
    [InlineData(GoogleFaultKind.Truncate, 1)]
    [InlineData(GoogleFaultKind.Truncate, 300_000)]
    [InlineData(GoogleFaultKind.Truncate, 999_999)]
    [InlineData(GoogleFaultKind.StallDownload, 300_000)]
    [InlineData(GoogleFaultKind.Answer, 0)]
    [InlineData(GoogleFaultKind.Drop, 0)]
    public void A_download_goes_on_where_it_broke(GoogleFaultKind kind, int bytes)
    {
        _place.Server.Break(new GoogleFault(kind, "GET", Media) { Bytes = bytes, Times = 3 });
        var store = _place.NewStore(options => options with { Timeout = TimeSpan.FromSeconds(1) });

        Assert.Equal(Content[5..], GcsPlace.Get(store, "config/a", 5));
        Assert.True(_place.Server.Struck > 0, "The fault did not strike.");
    }

    [Fact]
    public void A_download_that_never_comes_is_told()
    {
        _place.Server.Break(new GoogleFault(GoogleFaultKind.Truncate, "GET", Media) { Times = 1000 });

        Assert.Equal(FailureKind.StoreUnreachable, GcsPlace.Fails(() => GcsPlace.Get(_place.NewStore(), "config/a")).Kind);
    }

    [Theory]
    [InlineData(Fault.Reset)]
    [InlineData(Fault.Close)]
    [InlineData(Fault.Stall)]
    public void A_way_that_breaks_is_gone_again(Fault fault)
    {
        var store = _place.NewStore(options => options with { Timeout = TimeSpan.FromSeconds(1) }, byProxy: true);
        _place.Proxy.Break(fault, toClient: 400_000, times: 2);

        Assert.Equal(Content, GcsPlace.Get(store, "config/a"));
        Assert.Equal(2, _place.Proxy.Struck);
    }

    // Bytes of two versions never come in one stream, whoever put the second one there.
    [Fact]
    public void An_object_that_is_replaced_while_it_is_read_is_not_gone_on_with()
    {
        _place.Server.Break(new GoogleFault(GoogleFaultKind.Truncate, "GET", Media) { Bytes = 300_000 });
        using var stream = _place.NewStore().OpenRead("config/a", 0, default);
        stream.ReadExactly(new byte[1000]);
        _place.Server.AddObject(GcsPlace.Bucket, "config/a", GcsPlace.Noise(1_000_000, seed: 2));

        Assert.Equal(FailureKind.BackupNotFound, GcsPlace.Fails(() => stream.CopyTo(Stream.Null)).Kind);
    }

    [Fact]
    public void Whoever_stops_reading_does_not_get_the_rest()
    {
        _place.Server.AddObject(GcsPlace.Bucket, "config/long", new byte[64 << 20]);
        var store = _place.NewStore();
        var watch = Stopwatch.StartNew();
        for (var round = 0; round < 4; round++)
        {
            using var stream = store.OpenRead("config/long", 0, default);
            stream.ReadExactly(new byte[1000]);
        }

        Assert.True(_place.Server.Sent < 64 << 20, $"{_place.Server.Sent} bytes were sent for 4,000.");
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20), $"It took {watch.Elapsed}.");
        Assert.Equal([1], PutAndGet(store, "config/after", [1]));
    }

    [Fact]
    public async Task Whoever_cancels_does_not_wait_for_a_stalled_download()
    {
        using var cancel = new CancellationTokenSource();
        _place.Server.Break(new GoogleFault(GoogleFaultKind.StallDownload, "GET", Media) { Bytes = 1000 });
        var store = _place.NewStore();
        var download = Task.Run(() => GcsPlace.Get(store, "config/a", 0, cancel.Token));
        await _place.Server.Stalled;
        var watch = Stopwatch.StartNew();
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => download);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20), $"It took {watch.Elapsed}.");
    }

    [Fact]
    public void Reading_at_and_behind_the_end_gives_nothing()
    {
        Assert.Empty(GcsPlace.Get(_place.NewStore(), "config/a", Content.Length));
        Assert.Empty(GcsPlace.Get(_place.NewStore(), "config/a", Content.Length + 1));
    }

    [Theory]
    [InlineData(GoogleFaultKind.Answer)]
    [InlineData(GoogleFaultKind.Drop)]
    [InlineData(GoogleFaultKind.LoseAnswer)]
    public void Listings_and_questions_are_asked_again(GoogleFaultKind kind)
    {
        for (var number = 0; number < 5; number++)
            _place.Server.AddObject(GcsPlace.Bucket, $"config/b{number}", [1]);
        var store = _place.NewStore(options => options with { PageSize = 2 });
        _place.Server.Break(new GoogleFault(kind, "GET", "/o?") { After = 1, Times = 2 });
        _place.Server.Break(new GoogleFault(kind, "GET", "/o/") { Times = 2 });
        _place.Server.Break(new GoogleFault(kind, "DELETE", "/o/") { Times = 2 });

        Assert.Equal(6, store.List("", default).Count());
        Assert.Equal(Content.Length, store.Find("config/a", default)!.Length);
        store.Delete("config/a", default);
        Assert.Equal(6, _place.Server.Struck);
        Assert.Null(store.Find("config/a", default));
    }

    [Fact]
    public void A_listing_that_breaks_for_good_is_told_and_not_cut_short()
    {
        for (var number = 0; number < 5; number++)
            _place.Server.AddObject(GcsPlace.Bucket, $"config/b{number}", [1]);
        _place.Server.Break(new GoogleFault(GoogleFaultKind.Drop, "GET", "pageToken") { After = 1, Times = 1000 });
        var seen = 0;

        Assert.Equal(FailureKind.StoreUnreachable, GcsPlace.Fails(() =>
        {
            foreach (var one in _place.NewStore(options => options with { PageSize = 2 }).List("", default))
                seen += one.Key.Length > 0 ? 1 : 0;
        }).Kind);
        Assert.Equal(4, seen);
    }

    // What a proxy in between makes of it.
    [Fact]
    public void An_answer_that_is_no_answer_is_told()
    {
        _place.Server.Break(new GoogleFault(GoogleFaultKind.Answer, "GET", "/o/") { Status = 200, Message = "Sign in to the guest network", Times = 1000 });
        var failure = GcsPlace.Fails(() => _place.NewStore().Find("config/a", default));

        Assert.Equal(FailureKind.StoreUnreachable, failure.Kind);
        Assert.Contains("not what the API describes", failure.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _place.Dispose();

    private static byte[] PutAndGet(BotCore.Backup.Engine.Stores.IStore store, string key, byte[] content)
    {
        GcsPlace.Put(store, key, content);
        return GcsPlace.Get(store, key);
    }
}
