using System.Collections;
using System.Management.Automation;
using BotCore.Backup.Engine;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Journal;

namespace BotCore.Backup.Cmdlets;

/// <summary>A door that reads settings: -Configuration, else BOTBACKUP_CONFIGURATION, else the .env of the current folder, else the environment alone.</summary>
public abstract class ConfiguredCmdlet : BotBackupCmdlet
{
    private static readonly TimeSpan MostAfterStop = TimeSpan.FromSeconds(5);

    internal const string ConfigurationVariable = "BOTBACKUP_CONFIGURATION";

    private BackupSession? _session;
    private RunJournal? _journal;

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

    /// <summary>What this command's runs are in logs, metrics and notices; null where it makes none.</summary>
    protected virtual RunHead? Head => null;

    /// <summary>What hears the run; null where there is none, as with -WhatIf, or before the settings are read.</summary>
    protected RunJournal? Journal => _journal ??= _session is { } session && Head is { } head && !IsWhatIf ? new RunJournal(session, head) { IsAttended = !Console.IsInputRedirected } : null;

    /// <summary>Whether the command only shows what it would do.</summary>
    protected bool IsWhatIf => LanguagePrimitives.IsTrue(MyInvocation.BoundParameters.TryGetValue("WhatIf", out var asked) ? asked : GetVariableValue("WhatIfPreference"));

    /// <summary>The environment of the process.</summary>
    protected static IReadOnlyDictionary<string, string> ProcessEnvironment => Environment.GetEnvironmentVariables()
        .Cast<DictionaryEntry>()
        .ToDictionary(variable => (string)variable.Key, variable => (string?)variable.Value ?? "", StringComparer.Ordinal);

    /// <inheritdoc/>
    protected sealed override void EndProcessing()
    {
        Finish();
        Ending(interrupted: false);
    }

    /// <summary>What is done after the last input.</summary>
    protected virtual void Finish()
    {
    }

    /// <inheritdoc/>
    protected override void Hear(BackupEvent happened) => Journal?.Hear(happened);

    /// <summary>Closes the journal; what could not be written or sent is a warning.</summary>
    protected override void Ending(bool interrupted)
    {
        if (_journal is not { IsOpen: true } journal)
            return;
        var problems = Close(journal, interrupted);
        if (interrupted)
            return;
        foreach (var problem in problems)
            WriteWarning(problem);
    }

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
        {
            // Whoever reads the pipeline had enough, or a fault ended it: there is nobody left to warn.
            if (_journal is { IsOpen: true } journal)
                Close(journal, interrupted: true);
            _session?.Dispose();
        }

        base.Dispose(disposing);
    }

    private IReadOnlyList<string> Close(RunJournal journal, bool interrupted)
    {
        if (!interrupted)
            return journal.Close(interrupted, Stopped);
        using var soon = new CancellationTokenSource(MostAfterStop);
        return journal.Close(interrupted, soon.Token);
    }
}
