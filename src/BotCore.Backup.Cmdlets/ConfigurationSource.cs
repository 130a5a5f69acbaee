using BotCore.Backup.Engine.Configuration;

namespace BotCore.Backup.Cmdlets;

/// <summary>
/// What -Configuration takes: the path of a .env file, or settings that Get-BotBackupConfiguration gave. A constructor for each, so that PowerShell converts by itself.
/// </summary>
public sealed class ConfigurationSource
{
    /// <summary>A .env file.</summary>
    public ConfigurationSource(string path) => Path = path;

    /// <summary>A .env file.</summary>
    public ConfigurationSource(FileInfo file)
        : this(file.FullName)
    {
    }

    /// <summary>Settings that were read already.</summary>
    public ConfigurationSource(BotBackupConfiguration configuration) => Settings = configuration;

    /// <summary>The .env file; null where settings were given.</summary>
    public string? Path { get; }

    /// <summary>The settings; null where a path was given.</summary>
    public BotBackupConfiguration? Settings { get; }

    /// <inheritdoc/>
    public override string ToString() => Path ?? Settings?.EnvFile ?? "";
}
