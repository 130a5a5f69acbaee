using System.Globalization;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Retention;
using BotCore.Backup.Engine.Verification;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Retention;

/// <summary>
/// Ten years of hourly increments and daily full backups with gaps, damage and what was never proven, cleaned up about every ten days. After each clean-up the promises are looked at anew, by their words and not by the code that keeps
/// them.
/// </summary>
public sealed class TenYearsTests
{
    [Theory]
    [InlineData("UTC", 1)]
    [InlineData("Europe/Berlin", 2)]
    [InlineData("America/New_York", 3)]
    [InlineData("Australia/Lord_Howe", 4)]
    public void No_clean_up_breaks_a_promise(string zone, int seed)
    {
        var policy = new RetentionPolicy { Daily = 7, Weekly = 28, Monthly = 365, Config = 90, Volumes = 7, Snapshots = 7, Zone = TimeZoneInfo.FindSystemTimeZoneById(zone) };
        var platform = new Platform(seed);
        var kept = new List<BotBackup>();
        var most = 0;
        var removed = 0;
        for (var day = 0; day < 3650; day += 10)
        {
            for (var number = 0; number < 10; number++)
                kept.AddRange(platform.LiveADay());
            var now = platform.Now;
            var decisions = RetentionDecider.Decide(kept, policy, now, hasServer: true);
            var left = decisions.Where(decision => decision.Verdict == RetentionVerdict.Keep).Select(decision => decision.Backup).ToList();
            Assert.Equal(kept.Count, decisions.Count);
            Assert.All(decisions, decision => Assert.False(string.IsNullOrEmpty(decision.Rule) || string.IsNullOrEmpty(decision.Reason)));
            DemandCalendar(kept, left, policy, now);
            DemandChains(kept, left, policy, now);
            removed += kept.Count - left.Count;
            kept = left;
            most = Math.Max(most, left.Count);
        }

        // What goes is most of it: a clean-up that keeps everything would keep every promise, too.
        Assert.InRange(most, 200, 1200);
        Assert.True(removed > 80_000, $"{removed} were removed.");
    }

    private static void DemandCalendar(List<BotBackup> before, List<BotBackup> left, RetentionPolicy policy, DateTimeOffset now)
    {
        var ids = left.Select(backup => backup.Id).ToHashSet(StringComparer.Ordinal);
        var good = before.Where(backup => backup is { Type: BackupType.Full, IsDamaged: false } && backup.Proof.Depth != Depth.Unknown).OrderBy(backup => backup.Taken).ToList();
        if (good.Count == 0)
            return;
        Assert.Contains(good[^1].Id, ids);
        DateTime Local(DateTimeOffset at) => TimeZoneInfo.ConvertTimeFromUtc(at.UtcDateTime, policy.Zone).Date;
        foreach (var (days, period) in new (int, Func<DateTime, object>)[]
        {
            (policy.Daily, at => at), (policy.Weekly, at => (ISOWeek.GetYear(at), ISOWeek.GetWeekOfYear(at))), (policy.Monthly, at => (at.Year, at.Month)),
        })
        {
            var first = Local(now).AddDays(-days);
            foreach (var each in good.Where(full => Local(full.Taken) >= first).GroupBy(full => period(Local(full.Taken))))
                Assert.Contains(each.Last().Id, ids);
            if (good.LastOrDefault(full => Local(full.Taken) < first) is { } before1)
                Assert.Contains(before1.Id, ids);
        }

        var proven = before.Where(backup => backup is { IsDamaged: false, Proof.Depth: >= Depth.Archive }).OrderBy(backup => backup.Proof.Depth).ThenBy(backup => backup.Proof.At).LastOrDefault();
        if (proven is not null)
            Assert.Contains(proven.Id, ids);
    }

    private static void DemandChains(List<BotBackup> before, List<BotBackup> left, RetentionPolicy policy, DateTimeOffset now)
    {
        var (then, after) = (Sound(before), Sound(left));
        if (then is null)
            return;
        var reaches = after!.Reaches();
        // Every second of the days that are whole, and of every chain whose full stayed.
        var first = now.AddDays(-policy.Daily).ToUnixTimeSeconds();
        // A full that leads nowhere is one moment, and of those the newest of the day is what is promised.
        foreach (var reach in then.Reaches().Where(reach => reach.From < reach.To))
            DemandReached(reaches, Math.Max(first, reach.From.Seconds), reach.To.Seconds);
        for (var number = 0; number < then.Fulls.Count; number++)
        {
            if (!left.Contains(then.Fulls[number]))
                continue;
            var from = OplogTimeline.EndOf(then.Fulls[number]);
            var end = then.Reaches().Single(reach => reach.From <= from && from <= reach.To).To;
            var next = number + 1 < then.Fulls.Count ? OplogTimeline.EndOf(then.Fulls[number + 1]) : end;
            DemandReached(reaches, from.Seconds, Math.Min(end.Seconds, next.Seconds));
        }

        var lost = then.Stranded.Select(slice => slice.Id).ToHashSet(StringComparer.Ordinal);
        Assert.DoesNotContain(after.Stranded, slice => !lost.Contains(slice.Id));
    }

    private static void DemandReached(IReadOnlyList<OplogReach> reaches, long from, long to)
    {
        if (from <= to)
            Assert.True(reaches.Any(reach => reach.From.Seconds <= from && to <= reach.To.Seconds), $"{from} to {to} was restorable, and is not: {string.Join(", ", reaches.Select(reach => $"{reach.From} to {reach.To}"))}");
    }

    private static OplogTimeline? Sound(List<BotBackup> backups) => OplogChains.Of(backups.Where(backup => !backup.IsDamaged)).Timelines.SingleOrDefault();

    /// <summary>A platform that is backed up each hour, except where it is not.</summary>
    private sealed class Platform(int seed)
    {
        private readonly Random _random = new(seed);
        private DateTimeOffset _tip = new(2016, 1, 1, 0, 0, 0, TimeSpan.Zero);
        private bool _lost = true;

        public DateTimeOffset Now { get; private set; } = new(2016, 1, 1, 0, 0, 0, TimeSpan.Zero);

        public IEnumerable<BotBackup> LiveADay()
        {
            for (var hour = 0; hour < 24; hour++)
            {
                Now = Now.AddHours(1);
                // Two a day now and then; none on some days; and one after each gap, for the increments to go on from.
                if (_lost || (hour == 2 && _random.Next(12) != 0) || _random.Next(150) == 0)
                {
                    var at = Now.AddMinutes(_random.Next(1, 20));
                    var full = KeptHistory.Full(at, _random.Next(9) == 0 ? KeptHistory.Proven(_random.Next(2) == 0 ? Depth.Archive : Depth.Restore, at.AddHours(1)) : null);
                    yield return _random.Next(25) switch { 0 => KeptHistory.Damaged(full), 1 => full with { Proof = Proof.None }, _ => full };
                    if (_lost)
                        _tip = at;
                    _lost = false;
                }

                var to = Now.AddMinutes(_random.Next(25, 50));
                if (_random.Next(400) == 0)
                {
                    // The oplog rolled over: what is next begins with a full backup.
                    _lost = true;
                    continue;
                }

                var slice = KeptHistory.Slice(_tip, to);
                _tip = to;
                // One that was made and then lost leaves a hole.
                if (_random.Next(700) != 0)
                    yield return slice;
            }
        }
    }
}
