using System.Globalization;

namespace BotCore.Backup.Engine.Reports;

/// <summary>Spans of time as people say them.</summary>
internal static class ReportAge
{
    /// <summary><c>3 h ago</c>, <c>just now</c>.</summary>
    public static string Ago(TimeSpan age) => age.Duration() < TimeSpan.FromMinutes(1) ? "just now" : Text(age) + " ago";

    /// <summary><c>40 min</c>, <c>3 h</c>, <c>12 days</c>; what lies ahead, where a clock was wrong, with a minus.</summary>
    public static string Text(TimeSpan age)
    {
        var (sign, span) = age < TimeSpan.Zero ? ("-", -age) : ("", age);
        var (count, unit) = span switch
        {
            { TotalHours: < 1 } => (span.TotalMinutes, "min"),
            { TotalDays: < 2 } => (span.TotalHours, "h"),
            _ => (span.TotalDays, "days"),
        };
        return string.Create(CultureInfo.InvariantCulture, $"{sign}{Math.Floor(count):0} {unit}");
    }
}
