using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Health;

/// <summary>Asks how the backups are. What cannot be found out is an answer, too: Inconclusive, never an error and never healthy.</summary>
public static class HealthRunner
{
    /// <summary>Asks all questions that are wanted; the answer is one <see cref="Made"/> with a <see cref="BotBackupHealth"/>.</summary>
    public static IAsyncEnumerable<BackupEvent> Run(BackupSession session, HealthOptions options, CancellationToken token) => Run(session, options, scheduleAt: null, token);

    internal static IAsyncEnumerable<BackupEvent> Run(BackupSession session, HealthOptions options, string? scheduleAt, CancellationToken token) =>
        EventRun.Start("health", (tell, stop) =>
        {
            var now = session.Clock.GetUtcNow();
            var stores = StoreView.Read(session, stop);
            var archives = new ArchiveProbes(session.Configuration, options, stores, now);
            var machine = new MachineProbes(session, options, stores, stop) { ScheduleAt = scheduleAt };
            var questions = new Dictionary<string, Func<IEnumerable<BotBackupProbe>>>(StringComparer.Ordinal)
            {
                [ProbeNames.Age] = archives.Age,
                [ProbeNames.Count] = archives.Count,
                [ProbeNames.Proof] = archives.Proof,
                [ProbeNames.IncrementalLag] = archives.IncrementalLag,
                [ProbeNames.Key] = machine.Key,
                [ProbeNames.Store] = machine.Store,
                [ProbeNames.FreeSpace] = machine.FreeSpace,
                [ProbeNames.Errors] = machine.Errors,
                [ProbeNames.Metrics] = machine.Metrics,
                [ProbeNames.Schedule] = machine.Schedule,
            };
            var probes = new List<BotBackupProbe>();
            foreach (var name in ProbeNames.All.Where(options.IsWanted))
            {
                tell(new Moved("Asking how the backups are", name, probes.Count, ProbeNames.All.Count));
                probes.AddRange(questions[name]());
            }

            tell(new Moved("Asking how the backups are", "", 1, 1) { Completed = true });
            tell(new Made(new BotBackupHealth { Time = now, Host = Environment.MachineName, Probes = probes }));
        }, token);
}
