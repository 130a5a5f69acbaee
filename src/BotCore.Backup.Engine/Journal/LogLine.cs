using System.Globalization;
using System.Text;

namespace BotCore.Backup.Engine.Journal;

/// <summary>How much a line matters, in the words of the platform's logs.</summary>
internal enum LogLevel
{
    /// <summary>Worth knowing.</summary>
    Info = 0,

    /// <summary>Done and proven.</summary>
    Success,

    /// <summary>A person should look at it.</summary>
    Warn,

    /// <summary>It failed.</summary>
    Error,
}

/// <summary>A line of a log in the form that the platform's scripts wrote, <c>[2025-11-18 02:00:00] [INFO] [RUN] text</c>: UTC, the run's id, and no line break or control character within.</summary>
internal static class LogLine
{
    public static string Word(LogLevel level) => level switch
    {
        LogLevel.Success => "SUCCESS",
        LogLevel.Warn => "WARN",
        LogLevel.Error => "ERROR",
        _ => "INFO",
    };

    public static string Of(DateTimeOffset time, LogLevel level, string runId, string text) =>
        string.Create(CultureInfo.InvariantCulture, $"[{time.UtcDateTime:yyyy-MM-dd HH:mm:ss}] [{Word(level)}] [{runId}] {OneLine(text)}\n");

    // A file name may hold anything: no text can forge a line of its own.
    public static string OneLine(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\0', '\x1f') && !text.AsSpan().ContainsAny("\u007f\u0085\u2028\u2029"))
            return text;
        var line = new StringBuilder(text.Length);
        foreach (var letter in text)
            line.Append(char.IsControl(letter) || letter is '\u2028' or '\u2029' ? ' ' : letter);
        return line.ToString();
    }
}
