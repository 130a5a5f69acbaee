using System.Globalization;

namespace BotCore.Backup.Engine.Catalog;

/// <summary>How long ago something was, as people say it: the largest unit of which there are two, whole.</summary>
internal static class Age
{
    /// <summary><c>40 min</c>, <c>3 h</c>, <c>12 d</c>; what lies ahead, where a clock was wrong, with a minus. Invariant culture.</summary>
    public static string Text(TimeSpan age)
    {
        var (sign, span) = age < TimeSpan.Zero ? ("-", -age) : ("", age);
        var (count, unit) = span switch
        {
            { TotalDays: >= 2 } => (span.TotalDays, "d"),
            { TotalHours: >= 2 } => (span.TotalHours, "h"),
            _ => (span.TotalMinutes, "min"),
        };
        return string.Create(CultureInfo.InvariantCulture, $"{sign}{Math.Floor(count):0} {unit}");
    }
}
