using System.Diagnostics;
using System.Globalization;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Components.MongoDb;
using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Tests.Components.MongoDb;
using BotCore.Backup.Engine.Tests.Retention;
using BotCore.Backup.Engine.Verification;
using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Catalog;

/// <summary>Which moments the manifests of a store say can be reached, and by what.</summary>
public sealed class OplogChainsTests
{
    [Fact]
    public void Whatever_is_given_is_linked_and_reaches_and_what_can_be_reached_is_never_refused() => Prop.ForAll(Ribbons(), ribbon =>
    {
        var chains = OplogChains.Of(ribbon);
        for (uint second = 0; second <= Ribbon.Length + 1; second++)
        {
            var at = new BsonTimestamp(second, 1);
            var chain = chains.Timelines.Select(one => one.Find(at)).OfType<RestoreChain>().FirstOrDefault();
            Assert.Equal(Ribbon.CanReach(ribbon, second), chain is not null);
            if (chain is not null)
                DemandLinked(chain, at);
            if (chains.Timelines.Count > 0)
                Assert.Equal(chain is not null, chains.Timelines[0].Reaches().Any(reach => reach.From <= at && at <= reach.To));
        }
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_base_is_the_newest_that_leads_there() => Prop.ForAll(Ribbons(), ribbon =>
    {
        foreach (var timeline in OplogChains.Of(ribbon).Timelines)
        {
            for (uint second = 0; second <= Ribbon.Length; second++)
            {
                var found = timeline.Find(new BsonTimestamp(second, 1));
                var newest = ribbon.Where(one => one.Type == BackupType.Full && Ribbon.CanReach([one, .. ribbon.Where(slice => slice.Type == BackupType.Incremental)], second)).Select(OplogTimeline.EndOf).DefaultIfEmpty().Max();
                Assert.Equal(newest, found is null ? default : OplogTimeline.EndOf(found.Base));
            }
        }
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_moment_before_the_first_or_after_the_last_is_told_what_the_first_or_last_is()
    {
        var chains = OplogChains.Of([Ribbon.Full("F", 10), Ribbon.Slice("S", 10, 20)]);

        var early = Refused(chains, 9);
        Assert.Equal(FailureKind.BackupNotFound, early.Kind);
        Assert.Contains("before the first moment that can be restored to, 10:1", early.Message, StringComparison.Ordinal);
        var late = Refused(chains, 21);
        Assert.Equal(FailureKind.BackupNotFound, late.Kind);
        Assert.Contains("after the last moment that can be restored to, 20:1", late.Message, StringComparison.Ordinal);
        Assert.Contains("-Type Incremental", late.Advice, StringComparison.Ordinal);
        Assert.Contains("-PointInTime 20:1", late.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_any_full_there_is_nothing_to_restore()
    {
        var failure = Refused(OplogChains.Of([Ribbon.Slice("S", 10, 20)]), 15);
        Assert.Equal(FailureKind.BackupNotFound, failure.Kind);
        Assert.Contains("no full backup", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_gap_is_told_with_its_ends_and_its_reason()
    {
        IReadOnlyList<BotBackup> backups = [Ribbon.Full("F", 10), Ribbon.Slice("S", 10, 20), Ribbon.Full("G", 30)];
        var plain = Refused(OplogChains.Of(backups), 25);
        Assert.Equal(FailureKind.ChainBroken, plain.Kind);
        Assert.Contains("from 20:1", plain.Message, StringComparison.Ordinal);
        Assert.Contains("to 30:1", plain.Message, StringComparison.Ordinal);

        var noted = Refused(OplogChains.Of(backups, [Gap("T", "20:1", OplogGapReason.RolledOver)]), 25);
        Assert.Contains("rolled over", noted.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("rolled over", Refused(OplogChains.Of(backups, [Gap("another", "20:1", OplogGapReason.RolledOver)]), 25).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_gap_between_two_histories_is_no_missing_increment()
    {
        IReadOnlyList<BotBackup> backups = [Ribbon.Full("F", 10), Ribbon.Slice("S", 10, 20), Ribbon.Full("G", 30, "U")];
        Assert.Contains("another history begins at 30:1", Refused(OplogChains.Of(backups), 25).Message, StringComparison.Ordinal);
        var gap = Assert.Single(RecoveryWindows.Of(OplogChains.Of(backups), "local"), window => window.State == RecoveryState.Gap);
        Assert.Equal("another history begins at 30:1", gap.Reason);
        var noted = OplogChains.Of(backups, [Gap("T", "20:1", OplogGapReason.Restored)]);
        Assert.Contains("a restore swapped in", Refused(noted, 25).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_increment_whose_predecessor_is_missing_is_named(bool laterFull)
    {
        List<BotBackup> backups = [Ribbon.Full("F", 10), Ribbon.Slice("S1", 10, 20), Ribbon.Slice("S3", 30, 40), Ribbon.Slice("S4", 40, 50)];
        if (laterFull)
            backups.Add(Ribbon.Full("G", 60));
        var failure = Refused(OplogChains.Of(backups), 45);
        Assert.Equal(FailureKind.ChainBroken, failure.Kind);
        Assert.Contains("S3 cannot be used", failure.Message, StringComparison.Ordinal);
        Assert.Contains("30:1", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Increments_of_another_history_are_named_as_not_used()
    {
        var chains = OplogChains.Of([Ribbon.Full("F", 10), Ribbon.Slice("S", 10, 20), Ribbon.Full("G", 15, "U"), Ribbon.Slice("other", 15, 40, "U")]);
        var failure = Assert.Throws<BackupException>(() => chains.Find(new BsonTimestamp(30, 1), "T")).Failure;
        Assert.Contains("other", failure.Message, StringComparison.Ordinal);
        Assert.Contains("another history", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_histories_of_one_moment_have_to_be_chosen_from()
    {
        var chains = OplogChains.Of([Ribbon.Full("F", 10), Ribbon.Slice("S", 10, 20), Ribbon.Full("G", 12, "U"), Ribbon.Slice("other", 12, 40, "U")]);
        var failure = Refused(chains, 15);
        Assert.Equal(FailureKind.ChainBroken, failure.Kind);
        Assert.Contains("pipe", failure.Advice, StringComparison.Ordinal);
        Assert.Equal("G", chains.Find(new BsonTimestamp(15, 1), "U").Base.Id);
        Assert.Equal("F", chains.Find(new BsonTimestamp(11, 1)).Base.Id);
    }

    [Fact]
    public void Same_places_of_another_entry_are_no_link()
    {
        var chains = OplogChains.Of([Ribbon.Full("F", 10), Ribbon.Slice("S", 10, 20, hash: "other")]);
        Assert.Equal(FailureKind.ChainBroken, Refused(chains, 15).Kind);
    }

    [Fact]
    public void Databases_and_snapshots_do_not_mix()
    {
        var chains = OplogChains.Of(
        [
            Ribbon.Full("F", 10), Ribbon.Slice("S", 10, 20, database: "one"), Ribbon.Full("P", 15) with { Type = BackupType.Snapshot },
        ]);
        Assert.Equal(2, chains.Timelines.Count);
        Assert.Throws<BackupException>(() => chains.Find(new BsonTimestamp(15, 1)));
    }

    [Fact]
    public void What_fifty_thousand_increments_are_gone_on_from_is_found_in_a_moment()
    {
        using var mongo = new MongoPlatform(new SandboxOptions());
        var finder = new TipFinder(MongoTarget.Of(SecretUri.WithPassword(mongo.Uri)), mongo.Client, new DumpSelection(null), TimeSpan.Zero, _ => { }, default);
        var chains = OplogChains.Of([Ribbon.Full("F", 1), .. Enumerable.Range(1, 50_000).Select(at => Ribbon.Slice("S" + at.ToString(CultureInfo.InvariantCulture), (uint)at, (uint)at + 1))]);
        mongo.Insert("trades", [new BsonBuilder().Append("_id", 1).ToBson()]);

        OplogHole? hole = null;
        var clock = Stopwatch.StartNew();
        Assert.Equal(FailureKind.OplogGap, Assert.Throws<BackupException>(() => finder.Find(chains, gap => hole = gap)).Failure.Kind);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(4), $"It took {clock.Elapsed}.");
        Assert.Equal(new BsonTimestamp(50_001, 1), hole!.From);
    }

    [Fact]
    public void A_hundred_thousand_backups_are_sorted_out_in_a_moment()
    {
        var backups = new List<BotBackup>();
        for (uint at = 1; at <= 100_000; at++)
        {
            backups.Add(Ribbon.Slice("S" + at.ToString(CultureInfo.InvariantCulture), at, at + 1));
            if (at % 50 == 1)
                backups.Add(Ribbon.Full("F" + at.ToString(CultureInfo.InvariantCulture), at));
        }

        var clock = Stopwatch.StartNew();
        var chain = OplogChains.Of(backups).Find(new BsonTimestamp(99_990, 1));
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(10), $"It took {clock.Elapsed}.");
        Assert.Equal("F99951", chain.Base.Id);
        Assert.Equal(39, chain.Slices.Count);
    }

    private static Failure Refused(OplogChains chains, uint second) => Assert.Throws<BackupException>(() => chains.Find(new BsonTimestamp(second, 1))).Failure;

    private static OplogGapRecord Gap(string timeline, string from, OplogGapReason reason) =>
        new() { Format = 1, Timeline = timeline, From = from, Reason = reason, Noticed = DateTimeOffset.UnixEpoch, RunId = "run" };

    private static void DemandLinked(RestoreChain chain, BsonTimestamp at)
    {
        Assert.Equal(at, chain.UpTo);
        Assert.True(OplogTimeline.EndOf(chain.Base) <= at);
        var end = OplogTimeline.EndOf(chain.Base);
        foreach (var (slice, number) in chain.Slices.Select((slice, number) => (slice, number)))
        {
            Assert.True(number == 0 ? OplogTimeline.StartOf(slice) <= end && end < OplogTimeline.EndOf(slice) : OplogTimeline.StartOf(slice) == end, "The chain has a hole.");
            Assert.True(end < at, "There is more than is needed.");
            end = OplogTimeline.EndOf(slice);
        }

        Assert.True(end >= at, "The chain does not reach its end.");
    }

    // Ribbons with holes, doubles, pieces of any length, and fulls anywhere, within an increment or not.
    private static Arbitrary<BotBackup[]> Ribbons() =>
    (
        from slices in Gen.Choose(0, Ribbon.Length - 1).SelectMany(start => Gen.Choose(0, 4).Select(length => (Start: (uint)start, End: (uint)Math.Min(start + length, Ribbon.Length)))).ListOf()
        from fulls in Gen.Choose(0, Ribbon.Length).ListOf()
        from doubled in Gen.Elements(true, false)
        select Build([.. slices], [.. fulls.Take(3)], doubled)).ToArbitrary();

    private static BotBackup[] Build(IReadOnlyList<(uint Start, uint End)> slices, IReadOnlyList<int> fulls, bool doubled)
    {
        var built = slices.Select((slice, number) => Ribbon.Slice($"S{number}", slice.Start, slice.End)).Concat(fulls.Select((full, number) => Ribbon.Full($"F{number}", (uint)full))).ToList();
        return [.. built, .. doubled ? built.Select(one => one with { Location = "copy of " + one.Location }) : []];
    }

    private static class Ribbon
    {
        public const int Length = 12;

        public static BotBackup Full(string id, uint end, string timeline = "T", string? database = null) =>
            Of(id, BackupType.Full, new OplogSpan(Text(end > 0 ? end - 1 : 0), Text(end), 1, "hash" + end), timeline, database);

        public static BotBackup Slice(string id, uint start, uint end, string timeline = "T", string? hash = null, string? database = null) =>
            Of(id, BackupType.Incremental, new OplogSpan(Text(start), Text(end), 1, "hash" + end, hash ?? "hash" + start, 1), timeline, database);

        // By the definition: from the end of a full, on over increments that hold the place that was reached.
        public static bool CanReach(IReadOnlyList<BotBackup> ribbon, uint second)
        {
            var at = new BsonTimestamp(second, 1);
            foreach (var full in ribbon.Where(one => one.Type == BackupType.Full))
            {
                var end = OplogTimeline.EndOf(full);
                if (end > at)
                    continue;
                var seen = new HashSet<BsonTimestamp> { end };
                var open = new Queue<BsonTimestamp>(seen);
                foreach (var first in ribbon.Where(one => one.Type == BackupType.Incremental && OplogTimeline.StartOf(one) < end && end < OplogTimeline.EndOf(one)))
                {
                    if (seen.Add(OplogTimeline.EndOf(first)))
                        open.Enqueue(OplogTimeline.EndOf(first));
                }

                while (open.TryDequeue(out var place))
                {
                    foreach (var next in ribbon.Where(one => one.Type == BackupType.Incremental && OplogTimeline.StartOf(one) == place))
                    {
                        if (seen.Add(OplogTimeline.EndOf(next)))
                            open.Enqueue(OplogTimeline.EndOf(next));
                    }
                }

                if (seen.Max() >= at)
                    return true;
            }

            return false;
        }

        private static string Text(uint second) => new BsonTimestamp(second, 1).ToString();

        private static BotBackup Of(string id, BackupType type, OplogSpan span, string timeline, string? database) => KeptHistory.Of(
            Component.MongoDb,
            "mongodb",
            type,
            id,
            OplogTime(span.End),
            KeptHistory.Head(id, Component.MongoDb, "mongodb", type) with { MongoDb = new DumpFacts("7.0", Consistent: true, 0, 0, database, span), Chain = new ChainFacts(timeline) },
            Proof.None);

        private static DateTimeOffset OplogTime(string text) => BsonTimestamp.TryParse(text, out var at) ? at.Time : default;
    }
}
