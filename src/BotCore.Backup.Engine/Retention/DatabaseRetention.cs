using System.Globalization;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;

namespace BotCore.Backup.Engine.Retention;

/// <summary>
/// Decides for one database. Fulls are chosen by the calendar. An increment stays with each full that needs it on the way to the next one, and every increment stays that ends within the daily days, so that each second
/// of them can be restored to; what those stand on stays, too.
/// </summary>
internal sealed class DatabaseRetention(RetentionPolicy policy, DateTimeOffset now, bool hasServer, KeptBackups kept)
{
    private readonly DateOnly _today = policy.DayOf(now);

    public void Decide(List<BotBackup> backups)
    {
        backups.Sort(RetentionDecider.NewestFirst);
        foreach (var (backup, reason) in RetentionDecider.Pinned(backups, now))
            kept.Keep(backup, RetentionRules.Pinned, reason);
        ChooseFulls([.. backups.Where(backup => backup.Type == BackupType.Full)], backups);
        // What is damaged leads nowhere.
        var timelines = OplogChains.Of(backups.Where(backup => !backup.IsDamaged)).Timelines;
        var slices = backups.Where(backup => backup.Type == BackupType.Incremental).ToList();
        if (RetentionDecider.LastProven(backups, hasServer) is { } proven)
            kept.Keep(proven, RetentionRules.LastProven, $"the one that was proven deepest, and last: {proven.Proof}");
        if (slices.Find(RetentionDecider.IsGood) is { } newest)
            kept.Keep(newest, RetentionRules.NewestGood, "the newest increment that is known to be good");
        var first = _today.AddDays(-policy.Daily);
        foreach (var slice in slices.Where(slice => policy.DayOf(slice.Taken) >= first))
            kept.Keep(slice, RetentionRules.Window, $"every second of the last {RetentionDecider.Days(policy.Daily)} stays restorable");
        foreach (var timeline in timelines)
            KeepWithFulls(timeline);
        foreach (var timeline in timelines)
            KeepWhatIsStoodOn(timeline);
    }

    private void ChooseFulls(List<BotBackup> fulls, List<BotBackup> all)
    {
        if (fulls.Count == 0)
            return;
        var newest = fulls.Find(RetentionDecider.IsGood);
        kept.Keep(newest ?? all[0], RetentionRules.NewestGood, newest is null ? "the newest, and none is known to be good" : "the newest full backup that is known to be good");
        if (newest is null)
            kept.Keep(fulls[0], RetentionRules.NewestGood, "the newest full backup, and none is known to be good");
        var first = _today.AddDays(-policy.Daily);
        foreach (var damaged in fulls.Where(full => full.IsDamaged && policy.DayOf(full.Taken) >= first))
            kept.Keep(damaged, RetentionRules.Age, $"it was found damaged, and stays {RetentionDecider.Days(policy.Daily)} in case it can be mended");
        // One that nobody proved stands in for a day, week or month only where no good one does; a damaged one never.
        var sound = fulls.Where(full => !full.IsDamaged).ToList();
        Each(sound, policy.Daily, RetentionRules.Daily, "day", day => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
        Each(sound, policy.Weekly, RetentionRules.Weekly, "week", day => string.Create(CultureInfo.InvariantCulture, $"{ISOWeek.GetYear(day.ToDateTime(default))}-W{ISOWeek.GetWeekOfYear(day.ToDateTime(default)):00}"));
        Each(sound, policy.Monthly, RetentionRules.Monthly, "month", day => day.ToString("yyyy-MM", CultureInfo.InvariantCulture));
    }

    private void Each(List<BotBackup> fulls, int days, string rule, string period, Func<DateOnly, string> name)
    {
        if (days == 0)
            return;
        var first = _today.AddDays(-days);
        var chosen = new Dictionary<string, BotBackup>(StringComparer.Ordinal);
        BotBackup? before = null;
        foreach (var full in fulls)
        {
            var day = policy.DayOf(full.Taken);
            if (day < first)
            {
                if (before is null || (!RetentionDecider.IsGood(before) && RetentionDecider.IsGood(full)))
                    before = full;
                continue;
            }

            var slot = name(day);
            if (!chosen.TryGetValue(slot, out var other) || (!RetentionDecider.IsGood(other) && RetentionDecider.IsGood(full)))
                chosen[slot] = full;
        }

        foreach (var (slot, full) in chosen)
            kept.Keep(full, rule, $"the newest of the {period} {slot}, of {RetentionDecider.Days(days)} that are kept");
        if (before is not null)
            kept.Keep(before, RetentionRules.Base, $"the newest before {first:yyyy-MM-dd}, where the {period}s that are kept begin");
    }

    // What leads from a full that stays to the next one, whether that stays or not; of the newest everything after it.
    private void KeepWithFulls(OplogTimeline timeline)
    {
        for (var number = 0; number < timeline.Fulls.Count; number++)
        {
            if (kept.Contains(timeline.Fulls[number]))
                KeepLeadingOn(timeline, number);
        }
    }

    private void KeepLeadingOn(OplogTimeline timeline, int number)
    {
        foreach (var slice in timeline.LeadingOn(number))
            kept.Keep(slice, RetentionRules.Chain, $"it leads on from {timeline.Fulls[number].Key}, which stays");
    }

    // A full that no rule keeps may be all that increments which stay can be reached by: where a gap lies before it.
    private void KeepWhatIsStoodOn(OplogTimeline timeline)
    {
        var lost = timeline.Stranded.Select(slice => slice.Id).ToHashSet(StringComparer.Ordinal);
        while (true)
        {
            var left = new OplogTimeline(timeline.Id, timeline.Database, timeline.Fulls.Concat(timeline.Slices).Where(kept.Contains));
            var stranded = left.Stranded.FirstOrDefault(slice => !lost.Contains(slice.Id));
            if (stranded is null)
                return;
            if (timeline.Through(stranded) is not { } chain)
            {
                lost.Add(stranded.Id);
                continue;
            }

            kept.Keep(chain.Base, RetentionRules.Chain, $"{stranded.Key}, which stays, stands on it");
            foreach (var slice in chain.Slices)
                kept.Keep(slice, RetentionRules.Chain, $"it leads to {stranded.Key}, which stays");
            KeepLeadingOn(timeline, timeline.Fulls.ToList().IndexOf(chain.Base));
        }
    }
}
