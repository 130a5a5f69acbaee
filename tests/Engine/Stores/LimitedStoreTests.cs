using BotCore.Backup.Engine.Stores;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Stores;

public sealed class LimitedStoreTests : StoreContract, IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("limited-");
    private readonly LeapingClock _clock = new();

    protected override IStore Store => new LimitedStore(new FolderStore(_folder.FullName), new BandwidthLimit(1_000_000, _clock));

    protected override IStore Again => Store;

    [Theory]
    [InlineData(100_000, 1_000_000)]
    [InlineData(1000, 10_500)]
    [InlineData(50_000_000, 20_000_000)]
    public void Bytes_take_their_time(long rate, int length)
    {
        var limit = new BandwidthLimit(rate, _clock);
        var store = new LimitedStore(new FolderStore(_folder.FullName), limit);
        using (var writer = store.Create("config/a", default))
        {
            writer.Write(new byte[length]);
            writer.Commit();
        }

        AssertTook(length, rate, _clock.Elapsed);
        var before = _clock.Elapsed;
        using (var stream = store.OpenRead("config/a", 0, default))
            stream.CopyTo(Stream.Null);
        Assert.InRange((_clock.Elapsed - before).TotalSeconds, 0.95 * length / rate, (1.05 * length / rate) + 1);
    }

    [Fact]
    public void All_streams_share_it()
    {
        const int Rate = 1_000_000;
        var limit = new BandwidthLimit(Rate, _clock);
        var stores = Enumerable.Range(0, 2).Select(number => new LimitedStore(new FolderStore(Path.Combine(_folder.FullName, $"{number}")), limit)).ToArray();
        Parallel.For(0, 6, number =>
        {
            using var writer = stores[number % 2].Create($"config/{number}", default);
            writer.Write(new byte[500_000]);
            writer.Commit();
        });

        // A clock that leaps for each of them can only be later than one clock for all.
        Assert.True(_clock.Elapsed.TotalSeconds > 0.95 * 3_000_000 / Rate - 0.25, $"{_clock.Elapsed}");
    }

    [Fact]
    public void What_was_not_used_is_saved_for_a_quarter_of_a_second_only()
    {
        var limit = new BandwidthLimit(1000, _clock);
        limit.Take(250, default);
        Assert.Equal(TimeSpan.Zero, _clock.Elapsed);
        _clock.Leap(TimeSpan.FromHours(1));
        var before = _clock.Elapsed;
        limit.Take(1250, default);

        Assert.Equal(1, (_clock.Elapsed - before).TotalSeconds, 0.01);
    }

    [Fact]
    public async Task Whoever_cancels_does_not_wait()
    {
        _clock.IsStopped = true;
        using var cancel = new CancellationTokenSource();
        var limit = new BandwidthLimit(1000, _clock);
        limit.Take(250, default);
        var waiting = Task.Run(() => limit.Take(1000, cancel.Token));
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Throws<ArgumentOutOfRangeException>(() => new BandwidthLimit(0));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static void AssertTook(int length, long rate, TimeSpan took) =>
        Assert.InRange(took.TotalSeconds, (0.95 * length / rate) - 0.25, (1.05 * length / rate) + 1);
}
