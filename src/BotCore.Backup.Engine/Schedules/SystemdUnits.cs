using System.Globalization;
using System.Text;

namespace BotCore.Backup.Engine.Schedules;

/// <summary>The timetable as units of systemd: one service that takes the task's name, and a timer for each task. Source: systemd.service(5), systemd.timer(5), systemd.unit(5) "quoting".</summary>
internal static class SystemdUnits
{
    public const string Mark = "# Written by Register-BotBackupSchedule of BotCore.Backup; changes here are lost.";
    public const string Prefix = "botbackup";

    public const string Service = Prefix + "@.service";

    public static string TimerOf(string name) => $"{Prefix}-{name}.timer";

    /// <summary>File names and what they hold.</summary>
    public static IReadOnlyList<(string Name, string Text)> Of(IEnumerable<ScheduledTask> tasks, TaskCommand command) =>
    [
        (Service, ServiceText(command)),
        .. tasks.Select(task => (TimerOf(task.Name), TimerText(task))),
    ];

    /// <summary>When a timer of ours runs; null where the text is none.</summary>
    public static string? CalendarOf(string text) => text.StartsWith(Mark, StringComparison.Ordinal)
        ? text.Split('\n').FirstOrDefault(line => line.StartsWith("OnCalendar=", StringComparison.Ordinal))?["OnCalendar=".Length..]
        : null;

    private static string ServiceText(TaskCommand command) => string.Create(CultureInfo.InvariantCulture, $"""
        {Mark}
        [Unit]
        Description=BotCore backup: %i
        Wants=network-online.target
        After=network-online.target docker.service mongod.service

        [Service]
        Type=oneshot
        ExecStart={string.Join(' ', command.Words("\0").Select(word => string.Equals(word, "\0", StringComparison.Ordinal) ? "%i" : Quote(word)))}
        Nice=10
        IOSchedulingClass=best-effort
        IOSchedulingPriority=7

        """).ReplaceLineEndings("\n");

    // An increment that was missed is made up for by the next; what comes once a day or more seldom is made up for when the machine is up again.
    private static string TimerText(ScheduledTask task) => string.Create(CultureInfo.InvariantCulture, $"""
        {Mark}
        [Unit]
        Description=BotCore backup: {task.About}

        [Timer]
        OnCalendar={task.Calendar}
        Unit={Prefix}@{task.Name}.service
        Persistent={(task.Name is "incremental" or "health" ? "false" : "true")}
        AccuracySec=1s

        [Install]
        WantedBy=timers.target

        """).ReplaceLineEndings("\n");

    private static string Quote(string word)
    {
        var text = new StringBuilder();
        foreach (var letter in word)
        {
            _ = letter switch
            {
                '%' => text.Append("%%"),
                '$' => text.Append("$$"),
                '"' or '\\' => text.Append('\\').Append(letter),
                _ => text.Append(letter),
            };
        }

        var plain = text.ToString();
        return plain.Length == 0 || plain.AsSpan().ContainsAny(" \"'\\;") ? $"\"{plain}\"" : plain;
    }
}
