using System.Globalization;

namespace BotCore.Backup.Engine.Retention.Pins;

/// <summary>That a backup stays, whatever the policy says. Immutable.</summary>
/// <param name="Until">Up to when, UTC; null for as long as it is pinned.</param>
/// <param name="Reason">Why, in the words of who pinned it.</param>
public sealed record BackupPin(DateTimeOffset? Until, string Reason)
{
    /// <summary>Whether it counts at <paramref name="now"/>.</summary>
    public bool Holds(DateTimeOffset now) => Until is null || Until > now;

    /// <summary>For people: <c>until 2027-01-01 00:00:00Z: audit</c>.</summary>
    public override string ToString() =>
        (Until is { } until ? $"until {until.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture)}" : "until it is unpinned") + (Reason.Length > 0 ? $": {Reason}" : "");
}
