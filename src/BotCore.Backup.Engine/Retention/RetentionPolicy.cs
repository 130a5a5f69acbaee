using System.Globalization;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Retention;

/// <summary>
/// How long what is kept. Numbers are days, days are those of <see cref="Zone"/>'s calendar. Of databases the newest of each day, ISO week and month stays; of configuration, volumes and snapshots all that is
/// younger; of models every version. Immutable.
/// </summary>
public sealed record RetentionPolicy
{
    /// <summary>Of a database, the newest of each day for so many days; within them every second stays restorable.</summary>
    public required int Daily { get; init; }

    /// <summary>Of a database, the newest of each ISO week (ISO 8601) for so many days.</summary>
    public required int Weekly { get; init; }

    /// <summary>Of a database, the newest of each month for so many days.</summary>
    public required int Monthly { get; init; }

    /// <summary>Of the configuration, everything for so many days.</summary>
    public required int Config { get; init; }

    /// <summary>Of volumes and folders, everything for so many days.</summary>
    public required int Volumes { get; init; }

    /// <summary>Of what restores took of their targets, everything for so many days.</summary>
    public required int Snapshots { get; init; }

    /// <summary>Whose days, weeks and months they are.</summary>
    public TimeZoneInfo Zone { get; init; } = TimeZoneInfo.Utc;

    /// <summary>The policy of the settings, changed by <paramref name="text"/>: <c>daily=7,weekly=28</c>; the words are daily, weekly, monthly, config, volumes, snapshots and zone.</summary>
    /// <exception cref="BackupException">ConfigurationInvalid: a word or number that is none, an unknown zone, or a policy that keeps nothing of a component.</exception>
    public static RetentionPolicy Of(BotBackupConfiguration settings, string? text = null)
    {
        var policy = new RetentionPolicy
        {
            Daily = settings.RetentionDaily,
            Weekly = settings.RetentionWeekly,
            Monthly = settings.RetentionMonthly,
            Config = settings.RetentionConfig,
            Volumes = settings.RetentionVolumes,
            Snapshots = settings.RetentionSnapshots,
            Zone = ZoneOf(settings.RetentionZone),
        };
        foreach (var part in (text ?? "").Split([',', ';'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            policy = policy.With(part);
        return policy.Demand();
    }

    /// <summary>For people.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"daily={Daily},weekly={Weekly},monthly={Monthly},config={Config},volumes={Volumes},snapshots={Snapshots},zone={Zone.Id}");

    /// <summary>The calendar day of a moment.</summary>
    internal DateOnly DayOf(DateTimeOffset at) => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(at, Zone).DateTime);

    private RetentionPolicy With(string part)
    {
        var sign = part.IndexOf('=', StringComparison.Ordinal);
        var (word, value) = sign < 0 ? (part, "") : (part[..sign].Trim(), part[(sign + 1)..].Trim());
        if (string.Equals(word, "zone", StringComparison.OrdinalIgnoreCase))
            return this with { Zone = ZoneOf(value) };
        if (!int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var days) || days > 36_500)
            throw Invalid($"'{part}' in the policy is no word with a number of days, 0 to 36500.");
        return word.ToUpperInvariant() switch
        {
            "DAILY" => this with { Daily = days },
            "WEEKLY" => this with { Weekly = days },
            "MONTHLY" => this with { Monthly = days },
            "CONFIG" => this with { Config = days },
            "VOLUMES" => this with { Volumes = days },
            "SNAPSHOTS" => this with { Snapshots = days },
            _ => throw Invalid($"'{word}' is no word of a policy."),
        };
    }

    // A policy that would keep nothing but what may never go is a mistake, or somebody else's wish.
    private RetentionPolicy Demand()
    {
        var empty = new[] { ("the database", Math.Max(Daily, Math.Max(Weekly, Monthly))), ("the configuration", Config), ("volumes", Volumes) }.Where(one => one.Item2 <= 0).Select(one => one.Item1).ToList();
        return empty.Count == 0 ? this : throw Invalid($"The policy {this} keeps nothing of {string.Join(" and ", empty)}.");
    }

    private static TimeZoneInfo ZoneOf(string name) => TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone) ? zone : throw Invalid($"There is no time zone '{name}' on this machine.");

    private static BackupException Invalid(string message) => new(
        FailureKind.ConfigurationInvalid, message, "Give days, such as -Policy 'daily=7,weekly=28,monthly=365,config=90,volumes=7,snapshots=7,zone=Europe/Berlin', or set RETENTION_DAILY and its like.");
}
