using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Components.MongoDb.Damage;
using BotCore.Backup.Engine.Drills;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Health;
using BotCore.Backup.Engine.Restores;
using BotCore.Backup.Engine.Retention;
using BotCore.Backup.Engine.Retention.Undo;
using BotCore.Backup.Engine.Verification;

namespace BotCore.Backup.Engine.Journal;

/// <summary>What the objects that a run puts out say about it.</summary>
internal static class RunResults
{
    /// <summary>One for each store that <paramref name="item"/> speaks of; none for what is no result of a run.</summary>
    public static IEnumerable<RunResult> Of(object item) => item switch
    {
        BotBackup backup => OfBackup(backup),
        BotBackupVerification verification => [OfVerification(verification)],
        BotBackupRestore restore => [OfRestore(restore)],
        BotBackupRemoval removal => [Of(removal.Backup, removal.Outcome) with { Freed = removal.Freed, Reason = removal.Outcome == Outcome.Skipped ? removal.Rule : "" }],
        BotUndoRetention undo => [new RunResult { Component = Component.MongoDb, Name = $"restore {undo.Id}", Location = undo.Server, Outcome = undo.Outcome }],
        BotBackupDrill drill => [new RunResult { Name = drill.Scenario.ToString(), Outcome = drill.Outcome, Reason = drill.Verdict.TrimEnd('.'), Duration = drill.Rto ?? TimeSpan.Zero, Failure = drill.Steps.FirstOrDefault(step => step.Failure is not null)?.Failure }],
        BotDocumentRepair repair => [new RunResult { Component = Component.MongoDb, Name = repair.Namespace, Location = repair.Destination, Outcome = repair.Outcome }],
        BotBackupHealth health => health.Probes.Select(OfProbe),
        FileInfo report => [new RunResult { Location = report.FullName, Outcome = Outcome.Succeeded }],
        _ => [],
    };

    private static IEnumerable<RunResult> OfBackup(BotBackup backup)
    {
        var duration = backup.Manifest is { } manifest ? manifest.Completed - manifest.Started : TimeSpan.Zero;
        var whole = Of(backup, backup.Outcome) with { Size = backup.Size, Duration = duration, Reason = backup.Reason, WindowEnd = WindowEnd(backup) };
        return backup.Stores.Count == 0
            ? [whole]
            : backup.Stores.Select(store => whole with { Store = store.Store, Location = store.Location, Outcome = store.Outcome == Outcome.Succeeded && backup.Outcome == Outcome.Skipped ? Outcome.Skipped : store.Outcome, Failure = store.Failure });
    }

    private static RunResult OfVerification(BotBackupVerification verification) => (verification.Backup is { } backup
        ? Of(backup, verification.Outcome) with { Size = backup.Size }
        : new RunResult { Outcome = verification.Outcome }) with
    {
        Location = verification.Location,
        Failure = verification.Failure,
        Duration = verification.Duration,
        Depth = verification.Depth,
    };

    // Nobody knows is not good: neither in logs nor in an exit code.
    private static RunResult OfProbe(BotBackupProbe probe) => new()
    {
        Name = probe.Name,
        Location = probe.Subject,
        Outcome = probe.State switch { HealthState.Healthy => Outcome.Succeeded, HealthState.Unhealthy => Outcome.Failed, _ => Outcome.Unknown },
        Reason = probe.Message.TrimEnd('.'),
    };

    private static RunResult OfRestore(BotBackupRestore restore) => Of(restore.Backup, restore.Outcome) with { Location = restore.Destination, Duration = restore.Duration };

    private static RunResult Of(BotBackup backup, Outcome outcome) => new()
    {
        Component = backup.Component,
        Name = backup.Name,
        Type = backup.Type,
        Store = backup.Store,
        Location = backup.Location,
        Outcome = outcome,
        Taken = backup.Taken,
    };

    private static DateTimeOffset? WindowEnd(BotBackup backup) => backup.Oplog is null || backup.Component != Component.MongoDb ? null : OplogTimeline.EndOf(backup).Time;
}
