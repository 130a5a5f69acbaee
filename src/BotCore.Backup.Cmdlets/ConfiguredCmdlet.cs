using System.Collections;
using System.Management.Automation;
using BotCore.Backup.Engine;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Cmdlets;

/// <summary>A door that reads settings: -Configuration, else BOTBACKUP_CONFIGURATION, else the .env of the current folder, else the environment alone.</summary>
public abstract class ConfiguredCmdlet : BotBackupCmdlet
{
    internal const string ConfigurationVariable = "BOTBACKUP_CONFIGURATION";

    private BackupSession? _session;

    /// <summary>The path of a .env file, or settings from Get-BotBackupConfiguration.</summary>
    [Parameter]
    public ConfigurationSource? Configuration { get; set; }

    /// <summary>The session of this command; the settings are read at the first call.</summary>
    protected BackupSession Session => _session ??= new BackupSession(ReadSettings(), Options());

    /// <summary>The .env file that is meant, whether it exists or not where it was named; null where none is.</summary>
    protected string? EnvFile
    {
        get
        {
            if (Configuration?.Path is { } path)
                return FullPath(path);
            if (Environment.GetEnvironmentVariable(ConfigurationVariable) is { Length: > 0 } named)
                return FullPath(named);
            var here = FullPath(".env");
            return File.Exists(here) ? here : null;
        }
    }

    /// <summary>The environment of the process.</summary>
    protected static IReadOnlyDictionary<string, string> ProcessEnvironment => Environment.GetEnvironmentVariables()
        .Cast<DictionaryEntry>()
        .ToDictionary(variable => (string)variable.Key, variable => (string?)variable.Value ?? "", StringComparer.Ordinal);

    /// <summary>What the command's own parameters add.</summary>
    protected virtual SessionOptions Options() => new();

    /// <summary>Reads the settings; where they cannot be read the command ends.</summary>
    protected BotBackupConfiguration ReadSettings()
    {
        if (Configuration?.Settings is { } given)
            return given;
        BotBackupConfiguration settings;
        try
        {
            settings = BotBackupConfiguration.Load(EnvFile, ProcessEnvironment);
        }
        catch (BackupException wrong)
        {
            // Whatever its kind: there is nothing to go on with.
            ThrowTerminatingError(FailureRecords.ToErrorRecord(wrong.Failure));
            throw;
        }

        foreach (var warning in settings.Warnings.Where(finding => finding.Severity == FindingSeverity.Warning))
            WriteWarning(warning.Message);
        return settings;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _session?.Dispose();
        base.Dispose(disposing);
    }
}
