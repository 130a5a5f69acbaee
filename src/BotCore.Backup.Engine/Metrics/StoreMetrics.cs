using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Health;
using BotCore.Backup.Engine.Verification;

namespace BotCore.Backup.Engine.Metrics;

/// <summary>
/// The metrics that the stores themselves can tell, so that a file that was lost, or a machine that is new, has them again: what runs tell (attempts, durations of runs, counters) is left as it is.
/// </summary>
public static class StoreMetrics
{
    /// <summary>Reads the stores and writes what they say into the metrics at <paramref name="path"/>. What of them cannot be read is told, and its old metrics stay.</summary>
    public static IAsyncEnumerable<BackupEvent> Run(BackupSession session, string path, CancellationToken token) =>
        EventRun.Start("metrics", (tell, stop) =>
        {
            var views = StoreView.Read(session, stop);
            foreach (var failure in views.Select(view => view.Failure).OfType<Failure>())
                tell(new Failed(failure) { IsOfOneStore = true });
            MetricsFile.Update(path, book => Apply(book, session, views), stop);
            tell(new Made(new FileInfo(path)));
        }, token);

    internal static void Apply(MetricBook book, BackupSession session, IReadOnlyList<StoreView> views)
    {
        var now = session.Clock.GetUtcNow();
        foreach (var view in views.Where(view => view.Backups is not null))
        {
            Forget(book, view.Name);
            foreach (var thing in view.Backups!.Where(backup => backup.Type != BackupType.Snapshot && backup.Component != Component.Unknown).GroupBy(backup => (backup.Component, backup.Name)))
                Apply(book, view, thing.Key.Component, thing.Key.Name, [.. thing], now);
            ApplySpace(book, session, view);
        }

        ApplyGuide(book, [.. views.SelectMany(view => view.Good(Component.MongoDb, now))]);
    }

    private static void Apply(MetricBook book, StoreView view, Component component, string name, IReadOnlyList<BotBackup> all, DateTimeOffset now)
    {
        IReadOnlyList<(string, string)> labels = [("component", RunMetrics.WordOf(component)), ("name", name), ("store", view.Name)];
        book.Set(MetricFamilies.Backups, all.Count(backup => !backup.IsDamaged), labels);
        book.Set(MetricFamilies.StoredBytes, all.Sum(backup => backup.Size.Bytes), labels);
        var good = all.Where(backup => StoreView.IsGood(backup) && backup.Taken <= now + ProofHistory.Skew).ToList();
        foreach (var type in good.GroupBy(backup => backup.Type))
        {
            var newest = type.MaxBy(backup => backup.Taken)!;
            IReadOnlyList<(string, string)> typed = [("component", RunMetrics.WordOf(component)), ("name", name), ("type", RunMetrics.WordOf(type.Key)), ("store", view.Name)];
            // A run knows when it ended; that is later than when its newest backup was taken, and a run that found nothing changed made none.
            if (book.Find(MetricFamilies.SuccessTime, typed) is not { } known || known < Seconds(newest.Manifest?.Completed ?? newest.Taken))
                book.Set(MetricFamilies.SuccessTime, newest.Manifest?.Completed ?? newest.Taken, typed);
            book.Set(MetricFamilies.Size, newest.Size.Bytes, typed);
            if (newest.Manifest is { } manifest)
                book.Set(MetricFamilies.Duration, (manifest.Completed - manifest.Started).TotalSeconds, typed);
        }

        foreach (var depth in good.Where(backup => backup.Proof.At is not null).GroupBy(backup => backup.Proof.Depth))
            book.Set(MetricFamilies.ProofTime, depth.Max(backup => backup.Proof.At!.Value), [.. labels, ("depth", RunMetrics.WordOf(depth.Key))]);
        if (good.Where(backup => backup.Type == BackupType.Full).MaxBy(backup => backup.Taken) is { } full)
            book.Set(MetricFamilies.ChainLength, good.Count(backup => backup.Type == BackupType.Incremental && backup.Taken > full.Taken), labels);
        if (component == Component.MongoDb && good.Where(backup => backup.Oplog is not null).ToList() is { Count: > 0 } logged
            && RecoveryWindows.Of(OplogChains.Of(logged), view.Name).Where(window => window.State == RecoveryState.Restorable).ToList() is { Count: > 0 } windows)
        {
            book.Set(MetricFamilies.WindowEnd, windows.Max(window => window.To), ("store", view.Name));
        }
    }

    private static void ApplySpace(MetricBook book, BackupSession session, StoreView view)
    {
        try
        {
            if (session.StoreNamed(view.Name).FreeSpace is { } free)
                book.Set(MetricFamilies.FreeSpace, free, ("store", view.Name));
        }
        catch (BackupException)
        {
            // What is free is not known, and no number says that best.
            book.Forget(MetricFamilies.FreeSpace, sample => IsOf(sample, view.Name));
        }
    }

    // Only where no run ever said it: a last success is the end of a run.
    private static void ApplyGuide(MetricBook book, IReadOnlyList<BotBackup> good)
    {
        foreach (var type in good.Where(backup => backup.Type is BackupType.Full or BackupType.Incremental).GroupBy(backup => backup.Type))
        {
            var label = ("type", RunMetrics.WordOf(type.Key));
            var newest = type.MaxBy(backup => backup.Taken)!;
            var at = newest.Manifest?.Completed ?? newest.Taken;
            if (book.Find(MetricFamilies.GuideSuccessTime, label) is { } known && known >= Seconds(at))
                continue;
            book.Set(MetricFamilies.GuideSuccessTime, at, label);
            book.Set(MetricFamilies.GuideSize, newest.Size.Bytes, label);
            if (newest.Manifest is { } manifest)
                book.Set(MetricFamilies.GuideDuration, (manifest.Completed - manifest.Started).TotalSeconds, label);
        }
    }

    // Things that are no more in the store must not stand there for ever.
    private static void Forget(MetricBook book, string store)
    {
        foreach (var family in new[] { MetricFamilies.Backups, MetricFamilies.StoredBytes, MetricFamilies.ChainLength, MetricFamilies.WindowEnd, MetricFamilies.ProofTime })
            book.Forget(family, sample => IsOf(sample, store));
    }

    private static bool IsOf(MetricSample sample, string store) => sample.Labels.Any(label => string.Equals(label.Key, "store", StringComparison.Ordinal) && string.Equals(label.Value, store, StringComparison.OrdinalIgnoreCase));

    private static double Seconds(DateTimeOffset time) => Math.Floor(time.ToUnixTimeMilliseconds() / 1000.0);
}
