using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Stores;

/// <summary>
/// Tries again what passes by itself: failures of the kind StoreUnreachable, with pauses that double, a random part of each left out so that many clients do not come back at once. Immutable and thread-safe.
/// </summary>
public sealed record StoreRetry
{
    private static readonly TimeSpan MostAsked = TimeSpan.FromMinutes(2);

    /// <summary>No second try, for tests and for probes that must answer at once.</summary>
    public static StoreRetry None { get; } = new() { Attempts = 1 };

    /// <summary>Tries in all.</summary>
    public int Attempts { get; init; } = 7;

    /// <summary>Before the second try.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromSeconds(0.5);

    /// <summary>At most, before any.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Runs <paramref name="action"/> until it comes through, fails for good, or has failed too often. It must be one that may be done twice.</summary>
    public T Run<T>(Func<T> action, CancellationToken token)
    {
        for (var attempt = 1; ; attempt++)
        {
            token.ThrowIfCancellationRequested();
            try
            {
                return action();
            }
            catch (BackupException passing) when (passing.Failure.Kind == FailureKind.StoreUnreachable && attempt < Attempts)
            {
                Pause(attempt, token, passing.RetryAfter);
            }
        }
    }

    /// <inheritdoc cref="Run{T}(Func{T}, CancellationToken)"/>
    public void Run(Action action, CancellationToken token) => Run(() =>
    {
        action();
        return true;
    }, token);

    /// <summary>Waits after the failed try number <paramref name="attempt"/>, counted from 1; for <paramref name="atLeast"/> where the server asked for that, though never for longer than two minutes.</summary>
    public void Pause(int attempt, CancellationToken token, TimeSpan atLeast = default)
    {
        var whole = Math.Min(FirstPause.Ticks * Math.Pow(2, Math.Min(attempt - 1, 20)), LongestPause.Ticks);
        var asked = Math.Min(atLeast.Ticks, MostAsked.Ticks);
        token.WaitHandle.WaitOne(TimeSpan.FromTicks(Math.Max(asked, (long)(whole * (0.5 + (Random.Shared.NextDouble() / 2))))));
        token.ThrowIfCancellationRequested();
    }
}
