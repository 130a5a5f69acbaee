using System.Globalization;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Schedules;

/// <summary>One line of the timetable: what is done, and when in the machine's local time. Immutable.</summary>
/// <param name="Name">Its word in file names and in <c>Nightly.ps1 -Task</c>: <c>full</c>, <c>restore-test</c>.</param>
/// <param name="About">What it does.</param>
/// <param name="Cron">When, in cron's five fields.</param>
/// <param name="Guard">A command of the shell that must succeed first; empty where there is none.</param>
/// <param name="Calendar">When, in systemd's OnCalendar.</param>
/// <param name="Trigger">When, as the trigger of the Windows Task Scheduler, in its XML without its start.</param>
public sealed record ScheduledTask(string Name, string About, string Cron, string Guard, string Calendar, string Trigger);

/// <summary>The platform's timetable.</summary>
public static class Timetable
{
    private const string EveryDay = "<ScheduleByDay><DaysInterval>1</DaysInterval></ScheduleByDay>";
    private const string EverySunday = "<ScheduleByWeek><DaysOfWeek><Sunday /></DaysOfWeek><WeeksInterval>1</WeeksInterval></ScheduleByWeek>";

    /// <summary>The increments, unless they are asked for otherwise.</summary>
    public static TimeSpan DefaultInterval { get; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// All lines. Increments come every <paramref name="interval"/>, which must divide an hour or be one: cron knows no other regular ones. Throws ConfigurationInvalid for another.
    /// </summary>
    public static IReadOnlyList<ScheduledTask> Of(TimeSpan interval) =>
    [
        Incremental(interval),
        Daily("full", "Full backup of the database", 2),
        Daily("system", "Configuration, volumes and models", 3),
        Daily("clean-up", "Removes what the policy lets go", 4),
        new("verify", "Proves archives that wait longest", "0 3 * * 0", "", "Sun *-*-* 03:00:00", At(3, EverySunday)),
        new("restore-test", "Restores the newest backups into scratch", "0 4 * * 0", "", "Sun *-*-* 04:00:00", At(4, EverySunday)),
        // Cron runs a line whose day of the month or day of the week fits, so both in one line would be every Sunday and seven days more: the shell asks for the Sunday.
        new("drill", "Rehearses the recovery of everything", "0 5 1-7 * *", "[ \"$(date +%u)\" = 7 ]", "Sun *-*-01..07 05:00:00", At(5, "<ScheduleByMonthDayOfWeek><Weeks><Week>1</Week></Weeks><DaysOfWeek><Sunday /></DaysOfWeek><Months><January /><February /><March /><April /><May /><June /><July /><August /><September /><October /><November /><December /></Months></ScheduleByMonthDayOfWeek>")),
        new("health", "Asks how the backups are", "0 */6 * * *", "", "*-*-* 00/6:00:00", At(0, EveryDay, "PT6H")),
        Daily("report", "Reports the day", 9),
    ];

    private static ScheduledTask Incremental(TimeSpan interval)
    {
        var minutes = interval.TotalMinutes;
        if (interval == TimeSpan.FromHours(1))
            return new("incremental", "What was written since the last one", "0 * * * *", "", "*-*-* *:00:00", At(0, EveryDay, "PT1H"));
        if (minutes < 1 || minutes != Math.Floor(minutes) || 60 % minutes != 0)
        {
            throw new BackupException(
                FailureKind.ConfigurationInvalid, $"Increments cannot come every {interval:c}: what does not divide an hour is not regular.", "Take 1, 2, 3, 4, 5, 6, 10, 12, 15, 20 or 30 minutes, or an hour; Invoke-BotBackup -Watch makes them more often.", interval);
        }

        return new(
            "incremental",
            "What was written since the last one",
            minutes == 1 ? "* * * * *" : string.Create(CultureInfo.InvariantCulture, $"*/{minutes:0} * * * *"),
            "",
            string.Create(CultureInfo.InvariantCulture, $"*-*-* *:00/{minutes:0}:00"),
            At(0, EveryDay, string.Create(CultureInfo.InvariantCulture, $"PT{minutes:0}M")));
    }

    private static ScheduledTask Daily(string name, string about, int hour) => new(
        name,
        about,
        string.Create(CultureInfo.InvariantCulture, $"0 {hour} * * *"),
        "",
        string.Create(CultureInfo.InvariantCulture, $"*-*-* {hour:00}:00:00"),
        At(hour, EveryDay));

    // The start lies in the past: what counts is its time of the day.
    private static string At(int hour, string schedule, string? every = null) => string.Create(
        CultureInfo.InvariantCulture,
        $"<CalendarTrigger>{(every is null ? "" : $"<Repetition><Interval>{every}</Interval><Duration>P1D</Duration></Repetition>")}<StartBoundary>2025-01-05T{hour:00}:00:00</StartBoundary><Enabled>true</Enabled>{schedule}</CalendarTrigger>");
}
