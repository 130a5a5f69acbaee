using BotCore.Backup.Engine.Configuration;

namespace BotCore.Backup.Engine.Health;

/// <summary>The answer to a health question. What is not known is never taken for healthy.</summary>
public enum HealthState
{
    /// <summary>Nobody could find out.</summary>
    Inconclusive = 0,

    /// <summary>As it should be.</summary>
    Healthy,

    /// <summary>Not as it should be.</summary>
    Unhealthy,
}

/// <summary>The questions that are asked.</summary>
public static class ProbeNames
{
    /// <summary>Whether the newest good backup of each component is young enough, in every store that it goes to.</summary>
    public const string Age = "Age";

    /// <summary>Whether there are as many backups of the last seven days as there should be.</summary>
    public const string Count = "Count";

    /// <summary>Whether a component was proven, deeper than its checksum, not long ago.</summary>
    public const string Proof = "Proof";

    /// <summary>How much of the database's newest writes would be lost now.</summary>
    public const string IncrementalLag = "IncrementalLag";

    /// <summary>Whether the key that is configured opens the newest archive.</summary>
    public const string Key = "Key";

    /// <summary>Whether a store takes, lists and gives back what is written.</summary>
    public const string Store = "Store";

    /// <summary>Whether the local store has room.</summary>
    public const string FreeSpace = "FreeSpace";

    /// <summary>Whether today's logs tell of errors.</summary>
    public const string Errors = "Errors";

    /// <summary>Whether METRICS_FILE is written.</summary>
    public const string Metrics = "Metrics";

    /// <summary>Whether backups are scheduled on this machine.</summary>
    public const string Schedule = "Schedule";

    /// <summary>All of them, in the order in which they are asked.</summary>
    public static IReadOnlyList<string> All { get; } = [Age, Count, Proof, IncrementalLag, Key, Store, FreeSpace, Errors, Metrics, Schedule];
}

/// <summary>One question and its answer. Immutable; holds no secret.</summary>
/// <param name="Name">Which question, one of <see cref="ProbeNames"/>.</param>
/// <param name="Subject">About what.</param>
/// <param name="State">The answer.</param>
/// <param name="Message">The answer in a sentence.</param>
public sealed record BotBackupProbe(string Name, string Subject, HealthState State, string Message)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Name} {Subject}: {State}. {Message}";
}

/// <summary>How the backups are. Immutable.</summary>
public sealed record BotBackupHealth
{
    /// <summary>When it was asked, UTC.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>On which machine.</summary>
    public required string Host { get; init; }

    /// <summary>Each question.</summary>
    public required IReadOnlyList<BotBackupProbe> Probes { get; init; }

    /// <summary>Healthy only where something was asked and every answer is; Unhealthy where one is; else Inconclusive.</summary>
    public HealthState State => Probes.Any(probe => probe.State == HealthState.Unhealthy) ? HealthState.Unhealthy
        : Probes.Count > 0 && Probes.All(probe => probe.State == HealthState.Healthy) ? HealthState.Healthy
        : HealthState.Inconclusive;

    /// <summary>For people: the state, and whatever is not healthy.</summary>
    public override string ToString() => string.Join(' ', [$"{State}.", .. Probes.Where(probe => probe.State != HealthState.Healthy).Select(probe => probe.Message)]);
}

/// <summary>What is taken for healthy. Immutable.</summary>
public sealed record HealthOptions
{
    /// <summary>How old the newest good backup may be; of the database the newest full one.</summary>
    public TimeSpan MaximumAge { get; init; } = TimeSpan.FromHours(25);

    /// <summary>Bytes that must be free in the local store.</summary>
    public long MinimumFreeSpace { get; init; } = 10L << 30;

    /// <summary>Full backups that there must be of the last seven days.</summary>
    public int MinimumCount { get; init; } = 7;

    /// <summary>How long ago a component may have been proven deeper than its checksum; a week and a day to be late in.</summary>
    public TimeSpan MaximumProofAge { get; init; } = TimeSpan.FromDays(8);

    /// <summary>How much of the newest writes may be missing: the recovery point objective, and time to make an increment in.</summary>
    public TimeSpan MaximumLag { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>As the settings have it.</summary>
    public static HealthOptions Of(BotBackupConfiguration settings) => new()
    {
        MaximumLag = settings.RecoveryPoint,
        IsWanted = name => !settings.HealthExclude.Contains(name, StringComparer.OrdinalIgnoreCase),
    };

    /// <summary>Whether a question is asked, by its name.</summary>
    public Func<string, bool> IsWanted { get; init; } = _ => true;
}
