using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Drills;

/// <summary>What is to be rehearsed. Immutable.</summary>
public sealed record DrillRequest
{
    /// <summary>Disasters, in their order.</summary>
    public IReadOnlyList<DrillScenario> Scenarios { get; init; } = [];

    /// <summary>Components to bring back; those of the disaster where none is named.</summary>
    public IReadOnlyList<Component> Components { get; init; } = [];

    /// <summary>A server for the database, never that of DATABASE_URL; null takes the Sandbox.</summary>
    public SecretUri? Server { get; init; }

    /// <summary>A folder for what is fetched and restored; null takes BACKUP_DIR.</summary>
    public string? Folder { get; init; }

    /// <summary>A session whose key is a copy from elsewhere, for <see cref="DrillScenario.KeyLoss"/>; null where there is none.</summary>
    internal BackupSession? KeyCopy { get; init; }

    /// <summary>The same with a session whose key is a copy; null for none.</summary>
    public DrillRequest With(BackupSession? keyCopy) => this with { KeyCopy = keyCopy };
}

/// <summary>One disaster to be rehearsed.</summary>
public sealed record DrillStep : Step
{
    internal DrillStep(DrillScenario scenario, string target)
        : base(target, $"Rehearse {scenario}: fetch, unseal, restore into scratch, compare, check, measure, clean up") => Scenario = scenario;

    /// <summary>Which.</summary>
    public DrillScenario Scenario { get; }
}

/// <summary>
/// Rehearses disasters: everything is done for real, into scratch, and measured. Each becomes a <see cref="Made"/> with a <see cref="BotBackupDrill"/>; what fails in it is a step of it that failed.
/// </summary>
public static class DrillRunner
{
    /// <summary>The disasters that can happen to what is configured. That a key is lost can be rehearsed only with a copy of it.</summary>
    public static IReadOnlyList<DrillScenario> Possible(BackupSession session, bool hasKeyCopy)
    {
        var components = ConfiguredComponents.Named(session.Configuration);
        return
        [
            .. components.Contains(Component.MongoDb) ? [DrillScenario.DatabaseCorruption] : Array.Empty<DrillScenario>(),
            DrillScenario.CompleteFailure,
            .. components.Any(component => component is Component.Config or Component.Volume) ? [DrillScenario.ServiceFailure] : Array.Empty<DrillScenario>(),
            DrillScenario.RegionalOutage,
            .. hasKeyCopy ? [DrillScenario.KeyLoss] : Array.Empty<DrillScenario>(),
        ];
    }

    /// <summary>The steps for <paramref name="request"/>. Throws LiveTargetRefused for a destination that is in use, ConfigurationInvalid for checks that are none.</summary>
    public static IReadOnlyList<DrillStep> Plan(BackupSession session, DrillRequest request)
    {
        if (request.Server is { } server)
            LiveTargets.Demand(session.Configuration, server);
        if (request.Folder is { } folder)
            LiveTargets.Demand(session.Configuration, folder);
        if (session.Configuration.DrillChecks is { } checks)
            _ = DrillChecks.Read(checks);
        var target = request.Server?.Redacted ?? request.Folder ?? "scratch of its own";
        return [.. request.Scenarios.Distinct().Select(scenario => new DrillStep(scenario, target))];
    }

    /// <summary>Does <paramref name="steps"/>.</summary>
    public static IAsyncEnumerable<BackupEvent> Run(BackupSession session, DrillRequest request, IReadOnlyList<DrillStep> steps, CancellationToken token) =>
        EventRun.Start("drill", (tell, stop) =>
        {
            foreach (var step in steps)
            {
                stop.ThrowIfCancellationRequested();
                tell(new Said($"Rehearsing {step.Scenario}."));
                tell(new Made(new Rehearsal(session, request, step.Scenario, tell, stop).Run()));
            }
        }, token);
}
