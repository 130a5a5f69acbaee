using BotCore.Backup.Engine.Journal;

namespace BotCore.Backup.Engine.Notices;

/// <summary>Something that fails. Immutable.</summary>
/// <param name="Since">When it was first seen to.</param>
/// <param name="Told">When somebody was last told; null where nobody could be.</param>
/// <param name="Runs">How many runs it has failed.</param>
internal sealed record FailingSubject(DateTimeOffset Since, DateTimeOffset? Told, int Runs);

/// <summary>Whether and why somebody is told of a run. Immutable.</summary>
/// <param name="Reason">None where nobody is.</param>
/// <param name="Failed">What failed.</param>
/// <param name="Recovered">What failed, was told, and is good again.</param>
/// <param name="Since">Since when it fails, or failed; null where it did not before.</param>
/// <param name="Runs">How many runs it has failed, this one included.</param>
internal sealed record NoticeDecision(NoticeReason Reason, IReadOnlyList<NoticeSubject> Failed, IReadOnlyList<NoticeSubject> Recovered, DateTimeOffset? Since, int Runs);

/// <summary>Lets through what is new, what changed, what is good again, and of what goes on failing one notice every so often. Where nothing is known, everything is let through.</summary>
internal static class NoticeLimiter
{
    private static readonly TimeSpan LongestMemory = TimeSpan.FromDays(90);

    public static NoticeDecision Judge(IReadOnlyDictionary<string, FailingSubject> known, BotBackupRun run, TimeSpan repeat, bool always)
    {
        var failed = NoticeSubjects.Failed(run);
        var recovered = NoticeSubjects.Good(run).Where(subject => known.TryGetValue(subject.Key, out var before) && before.Told is not null).ToList();
        var before = (failed.Count > 0 ? failed : recovered).Select(subject => known.GetValueOrDefault(subject.Key)).OfType<FailingSubject>().ToList();
        DateTimeOffset? since = before.Count > 0 ? before.Min(one => one.Since) : null;
        if (failed.Count == 0)
            return new NoticeDecision(recovered.Count > 0 ? NoticeReason.Recovery : always ? NoticeReason.Always : NoticeReason.None, failed, recovered, since, before.Count > 0 ? before.Max(one => one.Runs) : 0);
        var isNew = failed.Any(subject => known.GetValueOrDefault(subject.Key)?.Told is null);
        var isDue = before.Exists(one => one.Told is { } told && (run.Ended - told >= repeat || told > run.Ended));
        var reason = isNew ? NoticeReason.Failure : isDue || recovered.Count > 0 ? NoticeReason.Repeat : NoticeReason.None;
        return new NoticeDecision(reason, failed, recovered, since, before.Select(one => one.Runs).DefaultIfEmpty().Max() + 1);
    }

    /// <summary>What is known after the run; <paramref name="told"/> says whether somebody was reached.</summary>
    public static Dictionary<string, FailingSubject> After(IReadOnlyDictionary<string, FailingSubject> known, BotBackupRun run, NoticeDecision decision, bool told)
    {
        var after = known.Where(one => run.Ended - one.Value.Since < LongestMemory || run.Ended - one.Value.Told < LongestMemory).ToDictionary(StringComparer.Ordinal);
        foreach (var subject in decision.Failed)
        {
            var before = after.GetValueOrDefault(subject.Key);
            after[subject.Key] = new FailingSubject(before?.Since ?? run.Started, told ? run.Ended : before?.Told, (before?.Runs ?? 0) + 1);
        }

        // What nobody heard of is told with the next good run, unless nobody had heard of the failure either.
        foreach (var subject in NoticeSubjects.Good(run).Where(subject => told || after.GetValueOrDefault(subject.Key)?.Told is null))
            after.Remove(subject.Key);
        return after;
    }
}
