using System.Text;

namespace BotCore.Backup.Engine.Configuration;

/// <summary>The text of a commented .env file with all settings by group, for New-BotBackupConfiguration.</summary>
public static class ConfigurationTemplate
{
    private const int Width = 118;

    /// <summary>
    /// The text, with LF line ends. Settings stand commented out with their defaults; those in <paramref name="values"/> stand as they are, quoted where needed.
    /// </summary>
    /// <param name="values">Settings by name; unknown names are an <see cref="ArgumentException"/>.</param>
    public static string Text(IReadOnlyDictionary<string, string>? values = null)
    {
        var rest = new Dictionary<string, string>(values ?? new Dictionary<string, string>(StringComparer.Ordinal), StringComparer.Ordinal);
        if (rest.Keys.FirstOrDefault(name => !ConfigurationKeys.IsKnown(name)) is { } unknown)
            throw new ArgumentException($"There is no setting named {unknown}.", nameof(values));
        var text = new StringBuilder();
        text.Append("# Settings of BotCore.Backup. A line that starts with # says nothing; what stands there is the default.\n");
        text.Append("# The environment of the process wins over this file, and parameters win over both. This file is data: it is never run.\n");
        text.Append("# Keep it readable by its owner only (chmod 600), and secrets in files of their own (the settings that end in _FILE).\n");
        var group = string.Empty;
        foreach (var key in ConfigurationKeys.All)
        {
            if (!string.Equals(group, key.Group, StringComparison.Ordinal))
                text.Append("\n# === ").Append(group = key.Group).Append(" ===\n");
            text.Append('\n');
            Comment(text, key.Text);
            Setting(text, key.Name, key.Default, rest);
            if (key.IsSecret)
                Setting(text, key.Name + ConfigurationKey.FileSuffix, string.Empty, rest);
        }

        return text.ToString();
    }

    /// <summary>Writes <see cref="Text"/> to a new file, mode 0600. Throws DestinationNotEmpty where it exists.</summary>
    public static void Write(string path, IReadOnlyDictionary<string, string>? values = null) =>
        NewFile.Write(Path.GetFullPath(path), Encoding.UTF8.GetBytes(Text(values)), UnixFileMode.UserRead | UnixFileMode.UserWrite);

    private static void Setting(StringBuilder text, string name, string fallback, Dictionary<string, string> values)
    {
        var given = values.TryGetValue(name, out var value);
        text.Append(given ? string.Empty : "#").Append(name).Append('=').Append(given ? EnvFile.Quote(value!) : fallback).Append('\n');
    }

    private static void Comment(StringBuilder text, string comment)
    {
        var column = 0;
        foreach (var word in comment.Split(' '))
        {
            if (column > 0 && column + word.Length + 1 > Width)
            {
                text.Append('\n');
                column = 0;
            }

            text.Append(column == 0 ? "# " : " ").Append(word);
            column += word.Length + 1;
        }

        text.Append('\n');
    }
}
