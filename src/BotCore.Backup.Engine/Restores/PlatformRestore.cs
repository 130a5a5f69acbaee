using System.Globalization;
using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Components.Models;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Engine.Restores;

/// <summary>What of a platform is to be brought back together.</summary>
/// <param name="Store">Where the backups are.</param>
/// <param name="Components">Components; none means all.</param>
/// <param name="IsWanted">Whether a name is asked for.</param>
public sealed record PlatformSelection(IStore Store, IReadOnlyList<Component> Components, Func<string, bool> IsWanted);

/// <summary>
/// Plans the restore of all components to one moment: that of a run, or any other. Configuration comes first, then the database, volumes and models; each step says how far it is from the
/// moment that was asked for. Changes nothing.
/// </summary>
public static class PlatformRestore
{
    private static readonly Component[] Order = [Component.Config, Component.MongoDb, Component.Volume, Component.Model];

    /// <summary>
    /// What the run <paramref name="runId"/> made, and of the models that had not changed by then the versions that stood: a run makes none of those. <paramref name="warned"/> gets what is left out, and
    /// what cannot be read.
    /// </summary>
    /// <exception cref="BackupException">BackupNotFound: the store has nothing of that run.</exception>
    public static IReadOnlyList<RestoreStep> PlanRun(BackupSession session, PlatformSelection selection, string runId, RestoreRequest request, Action<Failure> warned, CancellationToken token)
    {
        var all = List(selection.Store, warned, token);
        var made = all.Where(backup => string.Equals(backup.RunId, runId, StringComparison.OrdinalIgnoreCase)).ToList();
        if (made.Count == 0)
            throw new BackupException(FailureKind.BackupNotFound, $"{selection.Store.Location} has no backup of run '{runId}'.", "See the runs with Get-BotBackup | Group-Object RunId.", runId);
        var asked = made.Find(backup => backup.PlatformTime is not null)?.PlatformTime;
        var end = made.Max(backup => backup.Manifest?.Completed ?? backup.Taken);
        if (asked is not null)
            made.AddRange(ModelsAt(session, all, end).Where(model => !made.Exists(one => one.Component == Component.Model && string.Equals(one.Name, model.Name, StringComparison.Ordinal))));
        return Plan(session, Sorted(made.Where(backup => IsWanted(backup, selection))), asked ?? made.Min(MomentOf), $"run {runId}", request, warned, token);
    }

    /// <summary>
    /// The newest backup of each thing that is not after the moment of <paramref name="request"/>, and of the database that very moment, where its oplog leads there. What the settings do not name any
    /// more is left out, and told.
    /// </summary>
    /// <exception cref="BackupException">BackupNotFound: the store has nothing of that moment or before it.</exception>
    public static IReadOnlyList<RestoreStep> PlanAt(BackupSession session, PlatformSelection selection, RestoreRequest request, Action<Failure> warned, CancellationToken token)
    {
        var moment = request.PointInTime!;
        var asked = moment.Time.AddSeconds(1).AddTicks(-1);
        var found = new List<BotBackup>();
        foreach (var group in List(selection.Store, warned, token).Where(backup => IsWanted(backup, selection)).GroupBy(backup => (backup.Component, backup.Name)))
        {
            if (!HasPlace(session, group.Key.Component, group.Key.Name) && !IsLabelled(session, group.MaxBy(MomentOf)!, token))
                warned(new Failure(FailureKind.BackupNotFound, $"The settings do not say where {group.Key.Component} '{group.Key.Name}' belongs, so it is left out.", "Restore it by itself with -Destination, or name it in the settings again."));
            else if (group.Where(backup => MomentOf(backup) <= asked).MaxBy(MomentOf) is { } newest)
                found.Add(newest);
            else
                warned(new Failure(FailureKind.BackupNotFound, $"{group.Key.Component} '{group.Key.Name}' has no backup of {moment} or before it, so it is left out.", "Ask for a later moment to have it."));
        }

        return found.Count > 0 ? Plan(session, Sorted(found), moment.Time, moment.ToString(), request, warned, token) : throw new BackupException(
            FailureKind.BackupNotFound, $"{selection.Store.Location} has nothing of {moment} or before it.", "See what there is with Get-BotBackup.", moment.ToString());
    }

    /// <summary>Runs of the whole platform that <paramref name="store"/> holds, the newest first.</summary>
    public static IReadOnlyList<BotBackup[]> Runs(IStore store, CancellationToken token) =>
    [
        .. List(store, _ => { }, token).Where(backup => backup.PlatformTime is not null).GroupBy(backup => backup.RunId, StringComparer.Ordinal)
            .OrderByDescending(run => run.Max(backup => backup.PlatformTime)).Select(run => Sorted(run).ToArray()),
    ];

    /// <summary>The moment that a backup stands for.</summary>
    public static DateTimeOffset MomentOf(BotBackup backup) => backup switch
    {
        { Component: not Component.MongoDb } => backup.Taken,
        { PlatformTime: { } time } => time,
        { Oplog: not null } => OplogTimeline.EndOf(backup).Time,
        _ => backup.Taken,
    };

    private static List<RestoreStep> Plan(BackupSession session, IEnumerable<BotBackup> backups, DateTimeOffset asked, string what, RestoreRequest request, Action<Failure> warned, CancellationToken token)
    {
        var steps = new List<RestoreStep>();
        foreach (var backup in backups)
        {
            var step = backup.Component == Component.MongoDb && request.PointInTime is not null
                ? PlanDatabase(session, backup, request, warned, token)
                : RestorePlanner.PlanBeside(steps, session, backup, request with { PointInTime = null }, token, warned);
            if (step is not null)
                steps.Add(step with { Action = $"{step.Action}; {Distance(step, asked)} {what}" });
        }

        if (steps.Count == 0)
            throw new BackupException(FailureKind.BackupNotFound, $"Nothing of {what} is among what was asked for.", "Name other components, or none.", what);
        if (steps.Count > 1 && (request.Destination is not null || request.Server is not null))
        {
            throw new BackupException(
                FailureKind.ConfigurationInvalid, $"-Destination is one place, and {steps.Count} backups would be restored into it.", "Leave it out, so that each goes where it belongs, or ask for one component.", "Destination");
        }

        return steps;
    }

    // Behind the end of what is stored, or in a gap, the last moment before it is as near as one can get.
    private static RestoreStep PlanDatabase(BackupSession session, BotBackup newest, RestoreRequest request, Action<Failure> warned, CancellationToken token)
    {
        try
        {
            return RestorePlanner.PlanMoment(session, request, newest.Source, token, warned);
        }
        catch (BackupException unreachable) when (unreachable.Failure.Kind is FailureKind.BackupNotFound or FailureKind.ChainBroken)
        {
            warned(unreachable.Failure with { Advice = $"The database is brought to the end of {newest.Key} instead." });
            return RestorePlanner.Plan(session, newest, request with { PointInTime = null }, token, warned);
        }
    }

    private static string Distance(RestoreStep step, DateTimeOffset asked)
    {
        var apart = (step.PointInTime is { Slices.Count: > 0 } && step.Request.PointInTime is { } moment ? moment.Time : MomentOf(step.Backup)) - asked;
        var size = apart.Duration();
        if (size < TimeSpan.FromSeconds(1))
            return "at the moment of";
        var text = size switch
        {
            { TotalMinutes: < 2 } => string.Create(CultureInfo.InvariantCulture, $"{size.TotalSeconds:0} seconds"),
            { TotalHours: < 2 } => string.Create(CultureInfo.InvariantCulture, $"{size.TotalMinutes:0} minutes"),
            { TotalDays: < 2 } => string.Create(CultureInfo.InvariantCulture, $"{size.TotalHours:0} hours"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{size.TotalDays:0} days"),
        };
        return $"{text} {(apart < TimeSpan.Zero ? "before" : "after")} the moment of";
    }

    private static List<BotBackup> List(IStore store, Action<Failure> warned, CancellationToken token)
    {
        var listed = BackupCatalog.List(store, token).ToList();
        foreach (var wrong in listed.OfType<Failed>())
            warned(wrong.Failure);
        return [.. listed.OfType<Made>().Select(made => (BotBackup)made.Item).Where(backup => backup.Type is BackupType.Full or BackupType.Incremental)];
    }

    private static IEnumerable<BotBackup> ModelsAt(BackupSession session, IEnumerable<BotBackup> all, DateTimeOffset end) => all
        .Where(backup => backup.Component == Component.Model && backup.Taken <= end && HasPlace(session, Component.Model, backup.Name))
        .GroupBy(backup => backup.Name, StringComparer.Ordinal).Select(versions => versions.MaxBy(version => version.Taken)!);

    private static bool HasPlace(BackupSession session, Component component, string name) => component switch
    {
        Component.Volume => VolumeSteps.IsNamed(session.Configuration, name) || session.Configuration.Directories.Any(directory => string.Equals(directory.Name, name, StringComparison.Ordinal)),
        Component.Model => NamedModel.All(session.Configuration.ModelPaths).Any(model => string.Equals(model.Name, name, StringComparison.Ordinal)),
        _ => true,
    };

    // Where labels choose the volumes, one that is lost has none any more, and its backup tells that it is of a volume.
    private static bool IsLabelled(BackupSession session, BotBackup newest, CancellationToken token) =>
        newest.Component == Component.Volume && session.Configuration.Volumes.Count == 0 && VolumeRestorePlanner.IsOfVolume(session, newest, token);

    private static bool IsWanted(BotBackup backup, PlatformSelection selection) =>
        (selection.Components.Count == 0 || selection.Components.Contains(backup.Component)) && selection.IsWanted(backup.Name);

    private static IOrderedEnumerable<BotBackup> Sorted(IEnumerable<BotBackup> backups) =>
        backups.OrderBy(backup => Array.IndexOf(Order, backup.Component)).ThenBy(backup => backup.Name, StringComparer.Ordinal).ThenBy(backup => backup.Taken);
}
