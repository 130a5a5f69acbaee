using System.Diagnostics;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Stores;

public sealed class StoreRetryTests
{
    private static readonly StoreRetry Quick = new() { Attempts = 3, FirstPause = TimeSpan.FromMilliseconds(1), LongestPause = TimeSpan.FromMilliseconds(1) };

    [Fact]
    public void What_the_other_side_asks_for_is_waited()
    {
        var watch = Stopwatch.StartNew();
        var tries = 0;
        Quick.Run(() =>
        {
            if (++tries < 3)
                throw new BackupException(FailureKind.StoreUnreachable, "Busy.", "Wait.") { RetryAfter = TimeSpan.FromMilliseconds(300) };
        }, default);

        Assert.True(watch.Elapsed > TimeSpan.FromMilliseconds(590), $"{watch.Elapsed}");
    }
}
