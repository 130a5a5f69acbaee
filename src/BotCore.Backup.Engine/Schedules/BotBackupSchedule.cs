namespace BotCore.Backup.Engine.Schedules;

/// <summary>Who starts what is scheduled.</summary>
public enum Scheduler
{
    /// <summary>Whichever this machine has.</summary>
    Unknown = 0,

    /// <summary>cron, by a marked block in a crontab.</summary>
    Cron,

    /// <summary>systemd, by timers.</summary>
    Systemd,

    /// <summary>The Windows Task Scheduler, by XML.</summary>
    TaskScheduler,
}

/// <summary>One task that a scheduler has, or is to have. Immutable.</summary>
public sealed record BotBackupSchedule
{
    /// <summary>The task's word, such as <c>full</c>.</summary>
    public required string Name { get; init; }

    /// <summary>When, in the scheduler's own form and the machine's local time.</summary>
    public required string When { get; init; }

    /// <summary>Who starts it.</summary>
    public required Scheduler Scheduler { get; init; }

    /// <summary>The file that says so, or whose crontab it is.</summary>
    public required string Location { get; init; }

    /// <summary>The command line.</summary>
    public required string Command { get; init; }

    /// <summary>What of the command line is not there, so that the task cannot begin; empty where all is.</summary>
    public IReadOnlyList<string> Missing { get; init; } = [];

    /// <inheritdoc/>
    public override string ToString() => $"{Name} {When}";
}
