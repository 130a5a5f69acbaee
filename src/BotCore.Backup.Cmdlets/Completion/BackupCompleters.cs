using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using BotCore.Backup.Engine;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Health;
using BotCore.Backup.Engine.Schedules;

namespace BotCore.Backup.Cmdlets.Completion;

/// <summary>Completes from the settings in force. A completer never fails: where something is wrong it offers nothing.</summary>
public abstract class BackupCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        try
        {
            var word = wordToComplete.Trim('\'', '"');
            using var session = new BackupSession(ReadSettings(fakeBoundParameters));
            return [.. Candidates(session)
                .DistinctBy(candidate => candidate.Text, StringComparer.Ordinal)
                .Where(candidate => candidate.Text.StartsWith(word, StringComparison.OrdinalIgnoreCase))
                .Select(candidate => new CompletionResult(candidate.Text, candidate.Text, CompletionResultType.ParameterValue, candidate.Tip))];
        }
        catch (Exception wrong) when (wrong is BackupException or IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>All that could stand there, with what to show beside it.</summary>
    protected abstract IEnumerable<(string Text, string Tip)> Candidates(BackupSession session);

    /// <summary>The backups of the local store, newest first.</summary>
    protected static IEnumerable<BotBackup> Backups(BackupSession session) =>
        BackupCatalog.List(session.Local, CancellationToken.None).OfType<Made>().Select(made => (BotBackup)made.Item).Reverse();

    private static BotBackupConfiguration ReadSettings(IDictionary bound)
    {
        var given = bound["Configuration"];
        given = given is PSObject wrapped ? wrapped.BaseObject : given;
        if (given is BotBackupConfiguration settings)
            return settings;
        var file = given as string ?? Environment.GetEnvironmentVariable(ConfiguredCmdlet.ConfigurationVariable);
        if (string.IsNullOrEmpty(file))
            file = File.Exists(".env") ? ".env" : null;
        var environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .ToDictionary(variable => (string)variable.Key, variable => (string?)variable.Value ?? "", StringComparer.Ordinal);
        return BotBackupConfiguration.Load(file is null ? null : Path.GetFullPath(file), environment);
    }
}

/// <summary>Ids of backups, newest first.</summary>
public sealed class IdCompleter : BackupCompleter
{
    /// <inheritdoc/>
    protected override IEnumerable<(string Text, string Tip)> Candidates(BackupSession session) =>
        Backups(session).Select(backup => (backup.Id, $"{backup.Component} {backup.Name} {backup.Taken:u} {backup.Size}"));
}

/// <summary>Names: those of the settings and those of backups.</summary>
public sealed class NameCompleter : BackupCompleter
{
    /// <inheritdoc/>
    protected override IEnumerable<(string Text, string Tip)> Candidates(BackupSession session) =>
        session.Configuration.Directories.Select(directory => (directory.Name, directory.Path))
            .Append(("config", session.Configuration.ProjectRoot))
            .Concat(Backups(session).Select(backup => (backup.Name, backup.Component.ToString())));
}

/// <summary>Stores that the settings enable.</summary>
public sealed class StoreCompleter : BackupCompleter
{
    /// <inheritdoc/>
    protected override IEnumerable<(string Text, string Tip)> Candidates(BackupSession session) =>
        session.Configuration.EnabledStores.Select(store => (store, store));
}

/// <summary>Questions of Test-BotBackupHealth.</summary>
public sealed class ProbeCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        ProbeNames.All.Where(name => name.StartsWith(wordToComplete, StringComparison.OrdinalIgnoreCase)).Select(name => new CompletionResult(name));
}

/// <summary>Tasks of the timetable.</summary>
public sealed class TaskCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        Timetable.Of(Timetable.DefaultInterval).Where(task => task.Name.StartsWith(wordToComplete, StringComparison.OrdinalIgnoreCase))
            .Select(task => new CompletionResult(task.Name, task.Name, CompletionResultType.ParameterValue, task.About));
}
