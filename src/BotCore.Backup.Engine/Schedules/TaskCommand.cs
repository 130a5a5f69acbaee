using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Schedules;

/// <summary>What a scheduler starts: <c>pwsh -File Nightly.ps1 -Task NAME</c> with the settings. Immutable.</summary>
/// <param name="Shell">The full path of pwsh.</param>
/// <param name="Script">The full path of Nightly.ps1.</param>
/// <param name="Settings">The .env file; null where the environment alone is meant.</param>
/// <param name="LogFolder">Where what it prints goes, into <c>cron-NAME.log</c>.</param>
public sealed record TaskCommand(string Shell, string Script, string? Settings, string LogFolder)
{
    /// <summary>The words of the command line for the task <paramref name="name"/>.</summary>
    public IReadOnlyList<string> Words(string name) =>
    [
        Shell, "-NoProfile", "-NonInteractive", "-File", Script, "-Task", name,
        .. Settings is null ? [] : new[] { "-Configuration", Settings },
    ];

    /// <summary>The file that takes what it prints.</summary>
    public string LogOf(string name) => Path.Combine(LogFolder, $"cron-{name}.log");

    /// <summary>Throws ConfigurationInvalid for a path that no table of a scheduler can hold, or for a file that is not there.</summary>
    public void Demand()
    {
        foreach (var path in new[] { Shell, Script, Settings, LogFolder }.OfType<string>())
        {
            if (path.AsSpan().ContainsAnyInRange('\0', '\x1f'))
                throw new BackupException(FailureKind.ConfigurationInvalid, "A path has a line break or another control character in its name, which no scheduler can be given.", "Use another path.", path);
        }

        foreach (var file in new[] { Shell, Script, Settings }.OfType<string>().Where(file => !File.Exists(file)))
            throw new BackupException(FailureKind.ConfigurationInvalid, $"{file} is not there, and every run would end without having begun.", "Give the path of the file as it is.", file);
    }
}
