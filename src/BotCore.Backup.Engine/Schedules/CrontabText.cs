using System.Text;

namespace BotCore.Backup.Engine.Schedules;

/// <summary>
/// A crontab with a marked block of ours in it. Every other line stays as it is, byte for byte. The form is that of crontab(5): five fields, a user in the tables of the system, a command for /bin/sh in which a percent
/// sign is a line end unless it is escaped.
/// </summary>
internal static class CrontabText
{
    public const string Begin = "# BEGIN BotCore.Backup (written by Register-BotBackupSchedule; changes here are lost)";
    public const string End = "# END BotCore.Backup";

    private const string BeginMark = "# BEGIN BotCore.Backup";

    /// <summary>The lines of the block.</summary>
    /// <param name="tasks">What is to be done.</param>
    /// <param name="command">How.</param>
    /// <param name="user">The user's column of a table of the system; null for a user's own table.</param>
    public static IReadOnlyList<string> Block(IEnumerable<ScheduledTask> tasks, TaskCommand command, string? user) => [Begin, .. tasks.Select(task => Line(task, command, user)), End];

    /// <summary>The table with <paramref name="block"/> in the place of the one that it has, or at its end. An empty block takes it out.</summary>
    public static string With(string table, IReadOnlyList<string> block)
    {
        var lines = Lines(table);
        var (start, count) = Find(lines);
        if (start < 0 && block.Count == 0)
            return table;
        if (start < 0)
        {
            start = lines.Count;
        }
        else
        {
            lines.RemoveRange(start, count);
        }

        lines.InsertRange(start, block);
        return lines.Count == 0 ? "" : string.Join('\n', lines) + "\n";
    }

    /// <summary>The entries of the block as field and command; none where there is no block.</summary>
    public static IReadOnlyList<(string Cron, string Command)> Entries(string table, bool hasUsers)
    {
        var lines = Lines(table);
        var (start, count) = Find(lines);
        return start < 0 ? [] : [.. lines.GetRange(start, count).Select(line => Entry(line, hasUsers)).OfType<(string, string)>()];
    }

    private static string Line(ScheduledTask task, TaskCommand command, string? user)
    {
        var text = new StringBuilder();
        if (task.Guard.Length > 0)
            text.Append(task.Guard).Append(" && ");
        text.AppendJoin(' ', command.Words(task.Name).Select(CommandWords.Quote)).Append(" >>").Append(CommandWords.Quote(command.LogOf(task.Name))).Append(" 2>&1");
        return $"{task.Cron} {(user is null ? "" : user + " ")}{text.ToString().Replace("%", "\\%", StringComparison.Ordinal)}";
    }

    private static (string Cron, string Command)? Entry(string line, bool hasUsers)
    {
        if (line.Length == 0 || line[0] == '#')
            return null;
        var parts = line.Split(' ', hasUsers ? 7 : 6);
        return parts.Length == (hasUsers ? 7 : 6) ? (string.Join(' ', parts[..5]), parts[^1].Replace("\\%", "%", StringComparison.Ordinal)) : null;
    }

    // A block whose end somebody removed goes on to the last line that can be ours: what follows is not.
    private static (int Start, int Count) Find(List<string> lines)
    {
        var start = lines.FindIndex(line => line.StartsWith(BeginMark, StringComparison.Ordinal));
        if (start < 0)
            return (-1, 0);
        var end = lines.FindIndex(start, line => string.Equals(line.TrimEnd(), End, StringComparison.Ordinal));
        if (end >= 0)
            return (start, end - start + 1);
        var last = start;
        while (last + 1 < lines.Count && lines[last + 1].Contains(" -Task ", StringComparison.Ordinal) && lines[last + 1].Contains("-NonInteractive", StringComparison.Ordinal))
            last++;
        return (start, last - start + 1);
    }

    private static List<string> Lines(string table)
    {
        var lines = table.Split('\n').ToList();
        if (lines[^1].Length == 0)
            lines.RemoveAt(lines.Count - 1);
        return lines;
    }
}
