using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Journal;

namespace BotCore.Backup.Engine.Notices;

/// <summary>One thing that a run was about.</summary>
/// <param name="Key">The same in every run of the kind.</param>
/// <param name="Words">For people.</param>
internal readonly record struct NoticeSubject(string Key, string Words);

/// <summary>What a run was about: what of it failed, and what of it is good.</summary>
internal static class NoticeSubjects
{
    private const string WholeRun = "*";

    /// <summary>What failed; where no single thing did, the run as a whole.</summary>
    public static IReadOnlyList<NoticeSubject> Failed(BotBackupRun run)
    {
        if (run.IsGood || SaysNothing(run))
            return [];
        var failed = run.Results.Where(result => !result.IsGood).Select(result => Of(run.Kind, result)).DistinctBy(subject => subject.Key, StringComparer.Ordinal).ToList();
        return failed.Count > 0 ? failed : [new NoticeSubject(Key(run.Kind, WholeRun), run.Interrupted ? "stopped before its end" : run.Failures.Count > 0 ? run.Failures[0].Kind.ToString() : "no result")];
    }

    /// <summary>What is good; where all is, the run as a whole, too.</summary>
    public static IReadOnlyList<NoticeSubject> Good(BotBackupRun run)
    {
        var bad = Failed(run).Select(subject => subject.Key).ToHashSet(StringComparer.Ordinal);
        IEnumerable<NoticeSubject> good = run.Results.Where(result => result.IsGood).Select(result => Of(run.Kind, result));
        if (run.IsGood)
            good = good.Append(new NoticeSubject(Key(run.Kind, WholeRun), run.Command));
        return [.. good.Where(subject => !bad.Contains(subject.Key)).DistinctBy(subject => subject.Key, StringComparer.Ordinal)];
    }

    // A report, or a question that nothing came of. Where something had to be made or proven, silence is a failure.
    private static bool SaysNothing(BotBackupRun run) => run.Outcome == Outcome.Unknown && run.Kind is not (RunKind.Backup or RunKind.Verification or RunKind.Copy or RunKind.Drill);

    private static NoticeSubject Of(RunKind kind, RunResult result)
    {
        var thing = result.Component != Component.Unknown ? $"{result.Component} {result.Name}".TrimEnd() : $"{result.Name} {result.Location}".Trim();
        if (thing.Length == 0)
            thing = "what was named";
        // A full backup that fails is not mended by an increment that works.
        if (result.Type is BackupType.Incremental or BackupType.Snapshot)
            thing += $" ({result.Type.ToString().ToLowerInvariant()})";
        var words = result.Store.Length == 0 ? thing : $"{thing} in {result.Store}";
        return new NoticeSubject(Key(kind, words), words);
    }

    private static string Key(RunKind kind, string words) => $"{kind}: {words}";
}
