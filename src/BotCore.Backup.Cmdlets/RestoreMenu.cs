using System.Globalization;
using System.Management.Automation.Host;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Cmdlets;

/// <summary>What somebody chose: a run, or one backup; neither where nothing was chosen.</summary>
/// <param name="RunId">A run.</param>
/// <param name="Backup">A backup.</param>
internal sealed record RestoreChoice(string? RunId = null, BotBackup? Backup = null);

/// <summary>The numbered menu of a restore that was given nothing: the newest runs of the whole platform, then the newest backups.</summary>
internal static class RestoreMenu
{
    private const int MostRuns = 9;
    private const int MostBackups = 20;

    /// <summary>Shows it and asks. Throws where nobody can be asked, or there is nothing to choose from.</summary>
    public static RestoreChoice Ask(PSHostUserInterface? screen, IStore store, CancellationToken token)
    {
        var choices = new List<(string Text, RestoreChoice Choice)>();
        foreach (var run in PlatformRestore.Runs(store, token).Take(MostRuns))
            choices.Add((string.Create(CultureInfo.InvariantCulture, $"{run[0].PlatformTime:yyyy-MM-dd HH:mm:ss}Z  the platform: {string.Join(", ", run.Select(backup => backup.Name))}"), new RestoreChoice(run[0].RunId)));
        var backups = BackupCatalog.List(store, token).OfType<Made>().Select(made => (BotBackup)made.Item).Reverse().Take(MostBackups);
        choices.AddRange(backups.Select(backup => (Describe(backup), new RestoreChoice(Backup: backup))));
        if (choices.Count == 0)
            throw new BackupException(FailureKind.BackupNotFound, $"{store.Location} has no backup.", "Look into another store with Get-BotBackup -Store, and restore from there with -Store.", store.Location);
        return Choose(screen ?? throw NobodyToAsk(), choices, store);
    }

    private static RestoreChoice Choose(PSHostUserInterface screen, List<(string Text, RestoreChoice Choice)> choices, IStore store)
    {
        try
        {
            screen.WriteLine($"Backups in {store.Location}:");
            for (var number = 1; number <= choices.Count; number++)
                screen.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{number,4}  {choices[number - 1].Text}"));
            while (true)
            {
                screen.Write("Number of what to restore, or nothing to leave: ");
                if (screen.ReadLine() is not { } line || string.IsNullOrWhiteSpace(line))
                    return new RestoreChoice();
                if (int.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out var chosen) && chosen >= 1 && chosen <= choices.Count)
                    return choices[chosen - 1].Choice;
                screen.WriteLine($"There is no number {line.Trim()}.");
            }
        }
        catch (Exception mute) when (mute is HostException or InvalidOperationException or NotImplementedException)
        {
            throw NobodyToAsk();
        }
    }

    private static string Describe(BotBackup backup) => string.Create(
        CultureInfo.InvariantCulture, $"{backup.Taken.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z  {backup.Component} {backup.Name}, {backup.Type}{(backup.Component == Component.Model && backup.Hash is { } hash ? $" {hash[..12]}" : "")}, {backup.Size}{(backup.IsDamaged ? ", DAMAGED" : "")}");

    private static BackupException NobodyToAsk() => new(
        FailureKind.ConfigurationInvalid,
        "Nothing says what to restore, and nobody can be asked here.",
        "Pipe backups in from Get-BotBackup, or give -RunId, -PointInTime, -Store or -Path; at a prompt, Restore-BotBackup alone shows a menu.");
}
