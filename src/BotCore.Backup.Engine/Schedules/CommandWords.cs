using System.Buffers;
using System.Text;

namespace BotCore.Backup.Engine.Schedules;

/// <summary>The words of a command line as a scheduler keeps it: quotation marks of both kinds, and a backslash that takes the next quotation mark, backslash or blank as it is.</summary>
internal static class CommandWords
{
    private static readonly SearchValues<char> Plain = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+=:,@");

    /// <summary>The words of <paramref name="line"/>.</summary>
    public static IReadOnlyList<string> Of(string line)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var quote = '\0';
        var isOpen = false;
        for (var at = 0; at < line.Length; at++)
        {
            var letter = line[at];
            if (letter == '\\' && quote != '\'' && at + 1 < line.Length && line[at + 1] is '\'' or '"' or '\\' or ' ')
            {
                word.Append(line[++at]);
            }
            else if (quote == '\0' ? letter is '\'' or '"' : letter == quote)
            {
                quote = quote == '\0' ? letter : '\0';
                isOpen = true;
            }
            else if (letter == ' ' && quote == '\0')
            {
                Close();
            }
            else
            {
                word.Append(letter);
            }
        }

        Close();
        return words;

        void Close()
        {
            if (word.Length > 0 || isOpen)
                words.Add(word.ToString());
            word.Clear();
            isOpen = false;
        }
    }

    /// <summary>Scripts and settings among the words that are not there.</summary>
    public static IReadOnlyList<string> Missing(string line) =>
        [.. Of(line).Where(word => Path.IsPathFullyQualified(word) && (word.EndsWith(".ps1", StringComparison.OrdinalIgnoreCase) || Path.GetFileName(word).EndsWith(".env", StringComparison.OrdinalIgnoreCase)) && !File.Exists(word))];

    /// <summary>A word for /bin/sh; quoted where it has to be.</summary>
    public static string Quote(string word) =>
        word.Length > 0 && !word.AsSpan().ContainsAnyExcept(Plain) ? word : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
