using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Drills;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Journal;

namespace BotCore.Backup.Engine.Metrics;

/// <summary>What a run changes in the metrics. A last success is written for success alone; what the run did not touch stays as it was.</summary>
internal static class RunMetrics
{
    public static void Apply(MetricBook book, BotBackupRun run)
    {
        var kind = ("kind", WordOf(run.Kind));
        book.Set(MetricFamilies.RunTime, run.Ended, kind);
        book.Set(MetricFamilies.RunSuccess, run.IsGood ? 1 : 0, kind);
        book.Set(MetricFamilies.RunDuration, run.Duration.TotalSeconds, kind);
        if (run.IsGood)
            book.Set(MetricFamilies.RunSuccessTime, run.Ended, kind);
        book.Add(MetricFamilies.Runs, 1, kind, ("outcome", run.IsGood ? "succeeded" : "failed"));
        foreach (var result in run.Results)
            Apply(book, run, result);
        if (run.Kind == RunKind.Backup)
            ApplyGuide(book, run);
        if (run.Kind == RunKind.Health)
            ApplyProbes(book, run);
        foreach (var drill in run.Drills)
            ApplyDrill(book, drill);
    }

    /// <summary>What a channel did with a notice.</summary>
    public static void ApplyNotice(MetricBook book, string channel, bool taken)
    {
        book.Set(MetricFamilies.NoticeSuccess, taken ? 1 : 0, ("channel", channel));
        book.Add(MetricFamilies.NoticeFailures, taken ? 0 : 1, ("channel", channel));
    }

    internal static string WordOf<T>(T word)
        where T : struct, Enum => word.ToString().ToLowerInvariant();

    private static void Apply(MetricBook book, BotBackupRun run, RunResult result)
    {
        switch (run.Kind)
        {
            case RunKind.Backup or RunKind.Copy when result.Store.Length > 0 && result.Type != BackupType.Snapshot:
                ApplyBackup(book, run, result);
                break;
            case RunKind.Verification when result.Store.Length > 0 && result.Component != Component.Unknown:
                ApplyProof(book, run, result);
                break;
            case RunKind.CleanUp when result.Store.Length > 0:
                book.Add(MetricFamilies.Freed, result.Outcome == Outcome.Succeeded ? result.Freed.Bytes : 0, ("component", WordOf(result.Component)), ("store", result.Store));
                break;
        }
    }

    private static void ApplyBackup(MetricBook book, BotBackupRun run, RunResult result)
    {
        IReadOnlyList<(string, string)> labels = [("component", WordOf(result.Component)), ("name", result.Name), ("type", WordOf(result.Type)), ("store", result.Store)];
        book.Set(MetricFamilies.Attempt, run.Ended, labels);
        book.Set(MetricFamilies.Success, result.IsGood ? 1 : 0, labels);
        if (!result.IsGood)
            return;
        book.Set(MetricFamilies.SuccessTime, run.Ended, labels);
        if (result.Outcome != Outcome.Succeeded)
            return;
        book.Set(MetricFamilies.Size, result.Size.Bytes, labels);
        book.Set(MetricFamilies.Duration, result.Duration.TotalSeconds, labels);
        if (run.Kind != RunKind.Backup)
            return;
        IReadOnlyList<(string, string)> chain = [("component", WordOf(result.Component)), ("name", result.Name), ("store", result.Store)];
        if (result.Type == BackupType.Full)
            book.Set(MetricFamilies.ChainLength, 0, chain);
        else
            book.Add(MetricFamilies.ChainLength, 1, chain);
        if (result.WindowEnd is { } end)
            book.Set(MetricFamilies.WindowEnd, end, ("store", result.Store));
    }

    // Of what was asked, the answers of this check and no others: a subject that is gone must not stay healthy for ever.
    private static void ApplyProbes(MetricBook book, BotBackupRun run)
    {
        var asked = run.Results.Select(result => result.Name).ToHashSet(StringComparer.Ordinal);
        book.Forget(MetricFamilies.Probe, sample => sample.Labels.Any(label => string.Equals(label.Key, "probe", StringComparison.Ordinal) && asked.Contains(label.Value)));
        foreach (var result in run.Results)
            book.Set(MetricFamilies.Probe, result.IsGood ? 1 : 0, ("probe", result.Name), ("subject", result.Location));
    }

    private static void ApplyDrill(MetricBook book, BotBackupDrill drill)
    {
        var scenario = ("scenario", WordOf(drill.Scenario));
        book.Set(MetricFamilies.DrillTime, drill.Started, scenario);
        book.Set(MetricFamilies.DrillSuccess, drill.Outcome == Outcome.Succeeded ? 1 : 0, scenario);
        if (drill.Rto is { } rto)
            book.Set(MetricFamilies.DrillRto, rto.TotalSeconds, scenario);
        if (drill.Rpo is { } rpo)
            book.Set(MetricFamilies.DrillRpo, rpo.TotalSeconds, scenario);
        foreach (var (objective, target) in new[] { ("rto", drill.Target.Rto), ("rpo", drill.Target.Rpo) })
        {
            if (target is { } time)
                book.Set(MetricFamilies.DrillTarget, time.TotalSeconds, scenario, ("objective", objective));
        }
    }

    private static void ApplyProof(MetricBook book, BotBackupRun run, RunResult result)
    {
        IReadOnlyList<(string, string)> labels = [("component", WordOf(result.Component)), ("name", result.Name), ("store", result.Store)];
        book.Set(MetricFamilies.ProofSuccess, result.IsGood ? 1 : 0, labels);
        if (result.Outcome == Outcome.Succeeded && result.Depth != Verification.Depth.Unknown)
            book.Set(MetricFamilies.ProofTime, run.Ended, [.. labels, ("depth", WordOf(result.Depth))]);
    }

    // The names that the platform's dashboards know: of the database alone, by type; good only where every store is.
    private static void ApplyGuide(MetricBook book, BotBackupRun run)
    {
        foreach (var type in run.Results.Where(result => result.Component == Component.MongoDb && result.Type is BackupType.Full or BackupType.Incremental).GroupBy(result => result.Type))
        {
            var label = ("type", WordOf(type.Key));
            var good = type.All(result => result.IsGood);
            book.Set(MetricFamilies.GuideSuccess, good ? 1 : 0, label);
            if (!good)
                continue;
            book.Set(MetricFamilies.GuideSuccessTime, run.Ended, label);
            book.Set(MetricFamilies.GuideSize, type.Max(result => result.Size.Bytes), label);
            book.Set(MetricFamilies.GuideDuration, type.Max(result => result.Duration.TotalSeconds), label);
        }
    }
}
