using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Retention;
using BotCore.Backup.Engine.Verification;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Retention;

/// <summary>Each rule, and what it says for itself.</summary>
public sealed class RetentionDeciderTests
{
    private static readonly DateTimeOffset Now = new(2025, 11, 18, 12, 0, 0, TimeSpan.Zero);

    private static readonly RetentionPolicy Policy = new() { Daily = 7, Weekly = 28, Monthly = 365, Config = 90, Volumes = 7, Snapshots = 7 };

    [Fact]
    public void Of_a_database_the_newest_of_each_day_week_and_month_stays_and_a_base_before_each()
    {
        var fulls = Enumerable.Range(0, 500).Select(day => KeptHistory.Full(Now.AddDays(-day))).ToList();
        var rules = Rules(fulls);

        Assert.Equal(RetentionRules.NewestGood, rules[0]);
        Assert.All(Enumerable.Range(1, 7), day => Assert.Equal(RetentionRules.Daily, rules[day]));
        Assert.Equal(RetentionRules.Base, rules[8]);
        // Sundays, and the last days of months.
        Assert.Equal((RetentionRules.Weekly, Now.AddDays(-9).DayOfWeek), (rules[9], DayOfWeek.Sunday));
        Assert.Equal([16, 23], Where(rules, RetentionRules.Weekly).Skip(1));
        Assert.Equal(12, Where(rules, RetentionRules.Monthly).Count);
        Assert.Equal([8, 29, 366], Where(rules, RetentionRules.Base));
        Assert.Equal(500 - 1 - 7 - 3 - 12 - 3, Where(rules, RetentionRules.Expired).Count);
    }

    [Fact]
    public void A_damaged_one_is_not_taken_for_the_good_one_of_its_day()
    {
        var good = KeptHistory.Full(Now.AddDays(-3).AddHours(-2));
        var damaged = KeptHistory.Damaged(KeptHistory.Full(Now.AddDays(-3)));
        var unproven = KeptHistory.Full(Now.AddDays(-3).AddHours(-1), Proof.None);
        var newest = KeptHistory.Damaged(KeptHistory.Full(Now));
        Assert.Equal([RetentionRules.NewestGood, RetentionRules.Age, RetentionRules.Expired, RetentionRules.Age], Rules([good, damaged, unproven, newest]));
    }

    [Fact]
    public void Old_damaged_ones_go_and_never_the_only_one()
    {
        var damaged = KeptHistory.Damaged(KeptHistory.Full(Now.AddDays(-600)));
        Assert.Equal([RetentionRules.NewestGood], Rules([damaged]));
        Assert.Equal([RetentionRules.Expired, RetentionRules.NewestGood], Rules([damaged, KeptHistory.Full(Now.AddDays(-500))]));
    }

    [Fact]
    public void The_newest_good_one_stays_however_old_it_is()
    {
        var old = KeptHistory.Full(Now.AddDays(-3000));
        var older = KeptHistory.Full(Now.AddDays(-3001));
        Assert.Equal([RetentionRules.NewestGood, RetentionRules.Expired], Rules([old, older], Policy with { Daily = 1, Weekly = 0, Monthly = 0 }));
    }

    [Fact]
    public void The_one_that_was_proven_deepest_and_last_stays()
    {
        var proven = KeptHistory.Full(Now.AddDays(-600), KeptHistory.Proven(Depth.Restore, Now.AddDays(-1)));
        var sandbox = KeptHistory.Full(Now.AddDays(-601), KeptHistory.Proven(Depth.Restore, Now, inSandbox: true));
        IReadOnlyList<BotBackup> others = [.. Enumerable.Range(0, 20).Select(day => KeptHistory.Full(Now.AddDays(-day))), KeptHistory.Full(Now.AddDays(-500))];
        Assert.Equal(RetentionRules.LastProven, Rules([.. others, proven, sandbox])[21]);
        // A rehearsal in the Sandbox is the last proof only where there is no server that it could have been.
        Assert.Equal(RetentionRules.LastProven, Rules([.. others, proven, sandbox], hasServer: false)[22]);
    }

    [Fact]
    public void A_day_is_one_of_the_named_zone()
    {
        // 03:30 and 04:30 UTC are two days in New York, and one in Berlin.
        var late = KeptHistory.Full(new DateTimeOffset(2025, 11, 15, 3, 30, 0, TimeSpan.Zero));
        var early = KeptHistory.Full(new DateTimeOffset(2025, 11, 15, 5, 30, 0, TimeSpan.Zero));
        var newest = KeptHistory.Full(Now);
        var daily = Policy with { Weekly = 0, Monthly = 0 };
        Assert.Equal(RetentionRules.Daily, Rules([late, early, newest], daily with { Zone = TimeZoneInfo.FindSystemTimeZoneById("America/New_York") })[0]);
        Assert.Equal(RetentionRules.Expired, Rules([late, early, newest], daily with { Zone = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin") })[0]);
    }

    [Fact]
    public void What_is_dated_ahead_decides_nothing_and_stays()
    {
        var ahead = KeptHistory.Full(Now.AddYears(3));
        Assert.Equal([RetentionRules.FutureDated, RetentionRules.NewestGood], Rules([ahead, KeptHistory.Full(Now.AddDays(-900))]));
    }

    [Fact]
    public void Increments_of_the_daily_days_stay_and_older_ones_with_their_full()
    {
        var (old, kept) = (KeptHistory.Full(Now.AddDays(-40)), KeptHistory.Full(Now.AddDays(-39)));
        var first = KeptHistory.Slice(Now.AddDays(-40), Now.AddDays(-39.5));
        // What leads on from a full that stays, stays with it: also what goes past the next full.
        var (second, third) = (KeptHistory.Slice(Now.AddDays(-39.5), Now.AddDays(-38.5)), KeptHistory.Slice(Now.AddDays(-38.5), Now.AddDays(-20)));
        var monthly = Policy with { Weekly = 0 };
        var newest = KeptHistory.Full(Now.AddDays(-1));
        var rules = Rules([old, kept, first, second, third, newest], monthly with { Monthly = 39 });
        // The newest before the daily days; the newest before the months that are kept.
        Assert.Equal([RetentionRules.Base, RetentionRules.Base, RetentionRules.Chain, RetentionRules.Chain, RetentionRules.NewestGood, RetentionRules.NewestGood], rules);
    }

    [Fact]
    public void A_full_goes_on_being_a_base_where_a_gap_lies_before_it()
    {
        // Two on one day: the later one is the day's, the earlier one all that leads to the increment between them.
        var base1 = KeptHistory.Full(Now.AddDays(-2).AddHours(-6));
        var between = KeptHistory.Slice(Now.AddDays(-2).AddHours(-6), Now.AddDays(-2).AddHours(-5));
        var later = KeptHistory.Full(Now.AddDays(-2));
        Assert.Equal([RetentionRules.Chain, RetentionRules.NewestGood, RetentionRules.NewestGood], Rules([base1, between, later]));
    }

    [Fact]
    public void A_chain_of_files_lives_and_dies_as_one()
    {
        var full = KeptHistory.File(Component.Config, Now.AddDays(-100));
        var middle = KeptHistory.File(Component.Config, Now.AddDays(-95), before: full);
        var young = KeptHistory.File(Component.Config, Now.AddDays(-89), before: middle);
        var dead = KeptHistory.File(Component.Config, Now.AddDays(-200));
        var deadTip = KeptHistory.File(Component.Config, Now.AddDays(-101), before: dead);
        var newest = KeptHistory.File(Component.Config, Now);
        Assert.Equal([RetentionRules.Chain, RetentionRules.Chain, RetentionRules.Age, RetentionRules.Expired, RetentionRules.Expired, RetentionRules.NewestGood], Rules([full, middle, young, dead, deadTip, newest]));
    }

    [Fact]
    public void Whatever_files_there_are_what_stays_has_all_that_it_stands_on() => Prop.ForAll(Trees(), backups =>
    {
        var decisions = RetentionDecider.Decide(backups, Policy, Now, hasServer: false);
        var left = decisions.Where(decision => decision.Verdict == RetentionVerdict.Keep).Select(decision => decision.Backup).ToList();
        var (before, after) = (backups.Select(one => one.Id).ToHashSet(StringComparer.Ordinal), left.Select(one => one.Id).ToHashSet(StringComparer.Ordinal));
        foreach (var facts in left.Select(one => one.Manifest!.Increment).OfType<IncrementFacts>())
        {
            Assert.Equal(before.Contains(facts.Previous), after.Contains(facts.Previous));
            Assert.Equal(before.Contains(facts.Base), after.Contains(facts.Base));
        }

        foreach (var name in backups.GroupBy(one => one.Name, StringComparer.Ordinal))
        {
            var good = name.Where(one => !one.IsDamaged && one.Type == BackupType.Full).OrderBy(one => one.Taken).LastOrDefault();
            Assert.True(good is null || left.Contains(good));
            Assert.Contains(left, one => string.Equals(one.Name, name.Key, StringComparison.Ordinal));
            Assert.All(name.Where(one => one.Taken >= Now.AddDays(-7)), one => Assert.Contains(one, left));
        }
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Models_stay_and_of_snapshots_the_young_ones_and_the_newest()
    {
        var model = KeptHistory.File(Component.Model, Now.AddDays(-4000), "lstm");
        var snapshots = new[] { -30, -20, -8 }.Select(day => KeptHistory.Snapshot(Now.AddDays(day))).ToList();
        Assert.Equal([RetentionRules.AllVersions, RetentionRules.Expired, RetentionRules.Expired, RetentionRules.Snapshot], Rules([model, .. snapshots]));
    }

    [Theory]
    [InlineData("daily=0,weekly=0,monthly=0")]
    [InlineData("config=0")]
    [InlineData("volumes=0")]
    [InlineData("daily=-1")]
    [InlineData("daily=many")]
    [InlineData("yearly=1")]
    [InlineData("daily")]
    [InlineData("zone=Mars/Olympus")]
    public void A_policy_that_keeps_nothing_or_says_nothing_is_refused(string text) =>
        Assert.Equal(FailureKind.ConfigurationInvalid, Assert.Throws<BackupException>(() => RetentionPolicy.Of(Settings(), text)).Failure.Kind);

    [Fact]
    public void A_policy_changes_what_it_names()
    {
        var policy = RetentionPolicy.Of(Settings(), "daily=3, zone=Europe/Berlin");
        Assert.Equal("daily=3,weekly=28,monthly=365,config=90,volumes=7,snapshots=7,zone=Europe/Berlin", policy.ToString());
    }

    private static BotBackupConfiguration Settings() => BotBackupConfiguration.Load(null, new Dictionary<string, string>(StringComparer.Ordinal), new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["RETENTION_DAILY"] = "7",
        ["RETENTION_WEEKLY"] = "28",
        ["RETENTION_MONTHLY"] = "365",
        ["RETENTION_CONFIG"] = "90",
        ["RETENTION_VOLUMES"] = "7",
        ["RETENTION_SNAPSHOTS"] = "7",
    });

    private static List<string> Rules(IReadOnlyList<BotBackup> backups, RetentionPolicy? policy = null, bool hasServer = true) =>
        [.. RetentionDecider.Decide(backups, policy ?? Policy, Now, hasServer).Select(decision => decision.Rule)];

    private static List<int> Where(List<string> rules, string rule) => [.. Enumerable.Range(0, rules.Count).Where(at => string.Equals(rules[at], rule, StringComparison.Ordinal))];

    // Fulls and increments of two volumes, some damaged, some whose base is gone.
    private static Arbitrary<BotBackup[]> Trees() => Arb.From(Gen.Choose(0, int.MaxValue).Select(seed =>
    {
        var random = new Random(seed);
        var made = new List<BotBackup>();
        var at = Now.AddDays(-60);
        for (var number = 0; number < 40; number++)
        {
            at = at.AddHours(random.Next(1, 70));
            if (at > Now)
                break;
            var name = random.Next(2) == 0 ? "redis" : "grafana";
            var before = made.FindLast(one => string.Equals(one.Name, name, StringComparison.Ordinal));
            var one = KeptHistory.File(Component.Volume, at, name, random.Next(3) == 0 ? null : before);
            made.Add(random.Next(10) == 0 ? KeptHistory.Damaged(one) : one);
        }

        return made.Where(_ => random.Next(12) != 0).ToArray();
    }));
}
