using System.Globalization;
using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Verification;

namespace BotCore.Backup.Engine.Health;

/// <summary>The questions that what the stores list answers. Reads no archive.</summary>
internal sealed class ArchiveProbes(BotBackupConfiguration settings, HealthOptions options, IReadOnlyList<StoreView> stores, DateTimeOffset now)
{
    private static readonly TimeSpan Week = TimeSpan.FromDays(7);

    // A run that begins a little later each day is still one of the week.
    private static readonly TimeSpan Jitter = TimeSpan.FromHours(1);

    // Volumes that are found by their label are known by what there is.
    private readonly IReadOnlyList<Component> _expected = ConfiguredComponents.Named(settings) is var named && !named.Contains(Component.Volume) && VolumeSteps.LooksForLabels(settings) && stores.Any(store => store.Good(Component.Volume, now).Any())
        ? [.. named, Component.Volume]
        : named;

    /// <summary>One for each component and store that it goes to. A model is made only where it changed, so its age says nothing.</summary>
    public IEnumerable<BotBackupProbe> Age() => Places(component => component != Component.Model).Select(place => Age(place.Component, place.Store));

    /// <summary>Of the database, or of the first component that is configured.</summary>
    public IEnumerable<BotBackupProbe> Count()
    {
        foreach (var (component, store) in Places(component => component != Component.Model).Take(1))
        {
            if (Unknown(ProbeNames.Count, component, store) is { } unknown)
            {
                yield return unknown;
                continue;
            }

            var count = Fulls(component, store).Count(backup => backup.Taken >= now - Week - Jitter);
            yield return new BotBackupProbe(
                ProbeNames.Count,
                Subject(component, store),
                count >= options.MinimumCount ? HealthState.Healthy : HealthState.Unhealthy,
                string.Create(CultureInfo.InvariantCulture, $"{count} good full backups of {component} in {store.Name} are of the last 7 days{(count >= options.MinimumCount ? "" : $"; {options.MinimumCount} should be")}."));
        }
    }

    /// <summary>One for each component, over all stores that it goes to.</summary>
    public IEnumerable<BotBackupProbe> Proof()
    {
        foreach (var component in _expected)
        {
            var places = Stores(component).ToList();
            var subject = component.ToString();
            var good = places.SelectMany(store => store.Good(component, now)).ToList();
            var newest = places.SelectMany(store => (store.Backups ?? []).Where(backup => backup.Component == component && backup.Type == BackupType.Full)).MaxBy(backup => backup.Taken);
            var proven = good.Where(backup => backup.Proof.Depth >= Depth.Archive).Max(backup => backup.Proof.At);
            if (newest is { IsDamaged: true })
                yield return new(ProbeNames.Proof, subject, HealthState.Unhealthy, $"The newest backup of {component}, {newest.Location}, was found damaged.");
            else if (proven is { } at && now - at <= options.MaximumProofAge)
                yield return new(ProbeNames.Proof, subject, HealthState.Healthy, $"A backup of {component} was proven to its end {Catalog.Age.Text(now - at)} ago.");
            else if (places.FirstOrDefault(store => store.Backups is null) is { } unread)
                yield return Inconclusive(ProbeNames.Proof, subject, unread);
            // A first backup is not late: its proof is due a week after it.
            else if (proven is null && good.Count > 0 && good.Min(backup => backup.Taken) >= now - options.MaximumProofAge)
                yield return new(ProbeNames.Proof, subject, HealthState.Inconclusive, $"No backup of {component} was proven to its end yet; the first is {Catalog.Age.Text(now - good.Min(backup => backup.Taken))} old.");
            else
                yield return new(ProbeNames.Proof, subject, HealthState.Unhealthy, proven is null ? $"No backup of {component} was ever proven to its end." : $"A backup of {component} was last proven to its end {Catalog.Age.Text(now - proven.Value)} ago, more than {Catalog.Age.Text(options.MaximumProofAge)}.");
        }
    }

    /// <summary>Of a database that has an oplog, in each store that it goes to.</summary>
    public IEnumerable<BotBackupProbe> IncrementalLag()
    {
        foreach (var (component, store) in Places(component => component == Component.MongoDb))
        {
            if (Unknown(ProbeNames.IncrementalLag, component, store) is { } unknown)
            {
                yield return unknown;
                continue;
            }

            var good = store.Good(component, now).ToList();
            // A server without an oplog has no increments to be late.
            if (good.Where(backup => backup.Type == BackupType.Full).MaxBy(backup => backup.Taken) is { Oplog: null })
                continue;
            var windows = RecoveryWindows.Of(OplogChains.Of(good.Where(backup => backup.Oplog is not null)), store.Name).Where(window => window.State == RecoveryState.Restorable).ToList();
            var subject = Subject(component, store);
            if (windows.Count == 0)
            {
                yield return new(ProbeNames.IncrementalLag, subject, HealthState.Unhealthy, $"No moment of the database can be restored from {store.Name}.");
                continue;
            }

            var lag = now - windows.Max(window => window.To);
            var isLate = lag > options.MaximumLag;
            yield return new(
                ProbeNames.IncrementalLag,
                subject,
                isLate ? HealthState.Unhealthy : HealthState.Healthy,
                $"What was written in the last {Catalog.Age.Text(lag)} is not in {store.Name} yet{(isLate ? $", more than {Catalog.Age.Text(options.MaximumLag)}" : "")}.");
        }
    }

    private BotBackupProbe Age(Component component, StoreView store)
    {
        if (Unknown(ProbeNames.Age, component, store) is { } unknown)
            return unknown;
        var subject = Subject(component, store);
        var fulls = Fulls(component, store).ToList();
        foreach (var name in Names(component))
        {
            var newest = fulls.Where(backup => string.Equals(backup.Name, name, StringComparison.Ordinal)).Select(backup => (DateTimeOffset?)backup.Taken).Max();
            if (Late(newest) is { } late)
                return Answer(name, late);
        }

        // Volumes that are found by a label or a pattern are known only by what there is.
        var youngest = fulls.Select(backup => (DateTimeOffset?)backup.Taken).Max();
        return Late(youngest) is { } tooOld ? Answer("", tooOld) : new(ProbeNames.Age, subject, HealthState.Healthy, $"The newest good backup of {component} in {store.Name} is {Catalog.Age.Text(now - youngest!.Value)} old.");

        BotBackupProbe Answer(string name, string late)
        {
            var what = name.Length == 0 || component is Component.MongoDb or Component.Config ? component.ToString() : $"{component} {name}";
            // Something young is there of which nobody knows whether it is good.
            var unproven = (store.Backups ?? []).Any(backup => backup.Component == component && (name.Length == 0 || string.Equals(backup.Name, name, StringComparison.Ordinal))
                && backup is { IsDamaged: false, Proof.Depth: Depth.Unknown } && backup.Taken > now - options.MaximumAge && backup.Taken <= now + ProofHistory.Skew);
            return new(ProbeNames.Age, subject, unproven ? HealthState.Inconclusive : HealthState.Unhealthy, $"{what} in {store.Name}: {late}{(unproven ? "; a younger one was never proven" : "")}.");
        }
    }

    private string? Late(DateTimeOffset? newest) => newest is not { } at ? "there is no good backup"
        : now - at > options.MaximumAge ? $"the newest good backup is {Catalog.Age.Text(now - at)} old, more than {Catalog.Age.Text(options.MaximumAge)}"
        : null;

    // Increments stand on a full backup, so one that fails every night is late however young they are. Files are told by what there is, whole or not.
    private IEnumerable<BotBackup> Fulls(Component component, StoreView store) => store.Good(component, now).Where(backup => component != Component.MongoDb || backup.Type == BackupType.Full);

    private IEnumerable<string> Names(Component component) => component switch
    {
        Component.Volume => settings.Directories.Select(directory => directory.Name).Concat(settings.Volumes.Where(volume => !volume.AsSpan().ContainsAny("*?["))),
        _ => [],
    };

    private IEnumerable<(Component Component, StoreView Store)> Places(Func<Component, bool> isAsked) =>
        _expected.Where(isAsked).SelectMany(component => Stores(component).Select(store => (component, store)));

    private IEnumerable<StoreView> Stores(Component component) => stores.Where(store => settings.StoresOf(component).Contains(store.Name, StringComparer.OrdinalIgnoreCase));

    private static BotBackupProbe? Unknown(string name, Component component, StoreView store) => store.Backups is null ? Inconclusive(name, Subject(component, store), store) : null;

    private static BotBackupProbe Inconclusive(string name, string subject, StoreView store) => new(name, subject, HealthState.Inconclusive, $"What {store.Name} holds is not known: {store.Failure?.Message}");

    private static string Subject(Component component, StoreView store) => $"{component} in {store.Name}";
}
