using System.Globalization;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Events;

public sealed class EventRunTests
{
    [Fact]
    public async Task All_events_come_in_order()
    {
        var run = EventRun.Start("test", (tell, _) => Tell(tell, 1000), CancellationToken.None);
        var number = 0;
        await foreach (var happened in run)
            Assert.Equal(Text(number++), Assert.IsType<Said>(happened).Text);

        Assert.Equal(1000, number);
    }

    [Fact]
    public async Task A_reader_that_goes_away_early_ends_the_work_first()
    {
        var ended = false;
        var run = EventRun.Start("test", (tell, stop) =>
        {
            try
            {
                // More than the channel holds: a producer that nobody stops would wait here for ever.
                while (!stop.IsCancellationRequested)
                    Tell(tell, 100);
                stop.ThrowIfCancellationRequested();
            }
            finally
            {
                ended = true;
            }
        }, CancellationToken.None);
        await foreach (var happened in run)
        {
            Assert.Equal(Text(0), Assert.IsType<Said>(happened).Text);
            break;
        }

        Assert.True(ended);
    }

    [Fact]
    public async Task Cancellation_surfaces_after_the_clean_up_with_the_last_words()
    {
        using var cancel = new CancellationTokenSource();
        var cleaned = false;
        var heard = new List<BackupEvent>();
        var run = EventRun.Start("test", (tell, stop) =>
        {
            tell(new Said("begun"));
            try
            {
                stop.WaitHandle.WaitOne();
                stop.ThrowIfCancellationRequested();
            }
            finally
            {
                tell(new Said("cleaned up"));
                cleaned = true;
            }
        }, cancel.Token);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var happened in run)
            {
                heard.Add(happened);
                await cancel.CancelAsync();
            }
        });

        Assert.True(cleaned);
        Assert.Equal([new Said("begun"), new Said("cleaned up")], heard);
    }

    [Fact]
    public async Task A_failure_that_ends_the_work_is_its_last_event()
    {
        var failure = new Failure(FailureKind.StoreFull, "Full.", "Make room.");
        var heard = new List<BackupEvent>();
        await foreach (var happened in EventRun.Start("test", (tell, _) => { tell(new Said("a")); throw new BackupException(failure); }, CancellationToken.None))
            heard.Add(happened);

        Assert.Equal([new Said("a"), new Failed(failure)], heard);
    }

    [Fact]
    public async Task What_nobody_foresaw_surfaces_as_it_is()
    {
        var run = EventRun.Start("test", (_, _) => throw new InvalidOperationException("bug"), CancellationToken.None);

        Assert.Equal("bug", (await Assert.ThrowsAsync<InvalidOperationException>(async () =>
        {
            await foreach (var _ in run)
                Assert.Fail("There is nothing to tell.");
        })).Message);
    }

    [Fact]
    public void A_backup_that_is_cancelled_leaves_the_store_as_it_was()
    {
        using var place = new Workplace();
        using var cancel = new CancellationTokenSource();
        var job = new ArchiveJob(Component.Config, "config", BackupType.Full, (_, _) => new CancellingSource(cancel), new EntryPath(place.Project), 0);
        var step = new BackupStep(job, place.Local, "nothing");

        Assert.ThrowsAny<OperationCanceledException>(() =>
        {
            foreach (var happened in BackupRunner.Run(place.Session, [step], cancel.Token).ToBlockingEnumerable(CancellationToken.None))
                Assert.IsNotType<Made>(happened);
        });
        Assert.Empty(Workplace.Describe(place.Store));
    }

    private static void Tell(Action<BackupEvent> tell, int count)
    {
        for (var i = 0; i < count; i++)
            tell(new Said(Text(i)));
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>Somebody presses Ctrl+C while the second file is read.</summary>
    private sealed class CancellingSource(CancellationTokenSource cancel) : IEntrySource
    {
        public IEnumerable<SourceItem> Read(CancellationToken token)
        {
            yield return StubEntry.File("a", new byte[3_000_000]);
            cancel.Cancel();
            yield return StubEntry.File("b", "never");
        }
    }
}
