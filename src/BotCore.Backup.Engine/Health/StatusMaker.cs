using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Verification;

namespace BotCore.Backup.Engine.Health;

/// <summary>Says in one line a component how its backups stand.</summary>
public static class StatusMaker
{
    private static readonly string[] Asked = [ProbeNames.Age, ProbeNames.Proof, ProbeNames.IncrementalLag];

    /// <summary>A line for each component that is configured or has backups.</summary>
    public static IReadOnlyList<BotBackupStatus> Make(BackupSession session, HealthOptions options, CancellationToken token) => Make(session, options, StoreView.Read(session, token));

    internal static IReadOnlyList<BotBackupStatus> Make(BackupSession session, HealthOptions options, IReadOnlyList<StoreView> stores)
    {
        var now = session.Clock.GetUtcNow();
        var archives = new ArchiveProbes(session.Configuration, options, stores, now);
        var probes = archives.Age().Concat(archives.Proof()).Concat(archives.IncrementalLag()).Where(probe => options.IsWanted(probe.Name)).ToList();
        var components = ConfiguredComponents.Named(session.Configuration)
            .Concat(stores.SelectMany(store => store.Backups ?? []).Select(backup => backup.Component)).Where(component => component != Component.Unknown).Distinct().Order();
        return [.. components.Select(component => Of(component, stores, [.. probes.Where(probe => IsAbout(probe, component))], now))];
    }

    private static BotBackupStatus Of(Component component, IReadOnlyList<StoreView> stores, IReadOnlyList<BotBackupProbe> probes, DateTimeOffset now)
    {
        var good = stores.SelectMany(store => store.Good(component, now)).ToList();
        var newest = good.MaxBy(backup => backup.Taken);
        var windows = component != Component.MongoDb ? [] : stores
            .SelectMany(store => RecoveryWindows.Of(OplogChains.Of(store.Good(component, now).Where(backup => backup.Oplog is not null)), store.Name)).Where(window => window.State == RecoveryState.Restorable).ToList();
        return new BotBackupStatus
        {
            Component = component,
            State = new BotBackupHealth { Time = now, Host = "", Probes = probes }.State,
            Newest = newest?.Taken,
            NewestBackup = newest,
            OfLastDay = good.Where(backup => backup.Taken > now.AddDays(-1)).DistinctBy(backup => backup.Id, StringComparer.Ordinal).Count(),
            Backups = good.DistinctBy(backup => backup.Id, StringComparer.Ordinal).Count(),
            Size = stores.SelectMany(store => store.Backups ?? []).Where(backup => backup.Component == component).Sum(backup => backup.Size.Bytes),
            Proven = good.Where(backup => backup.Proof.Depth >= Depth.Archive).Max(backup => backup.Proof.At),
            WindowEnd = windows.Count == 0 ? null : windows.Max(window => window.To),
            Stores = [.. good.Select(backup => backup.Store).Distinct(StringComparer.OrdinalIgnoreCase)],
            Issues = [.. probes.Where(probe => probe.State != HealthState.Healthy).Select(probe => probe.Message)],
        };
    }

    private static bool IsAbout(BotBackupProbe probe, Component component) =>
        string.Equals(probe.Subject.Split(' ')[0], component.ToString(), StringComparison.Ordinal);
}
