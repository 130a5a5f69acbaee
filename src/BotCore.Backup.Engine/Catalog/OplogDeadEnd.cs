using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Catalog;

/// <summary>Says why a moment cannot be reached.</summary>
internal static class OplogDeadEnd
{
    private const string Look = "See what can be reached with Get-BotRecoveryWindow.";
    private const int MostNamed = 3;

    /// <summary>The failure for <paramref name="at"/>, which no chain of <paramref name="asked"/> reaches.</summary>
    public static BackupException Of(OplogChains chains, IReadOnlyList<OplogTimeline> asked, BsonTimestamp at)
    {
        var reaches = asked.SelectMany(one => one.Reaches().Select(reach => (Timeline: one, Reach: reach))).OrderBy(one => one.Reach.From).ToList();
        if (reaches.Count == 0)
        {
            return new BackupException(
                FailureKind.BackupNotFound, $"There is no full backup with an oplog that {PointText.Of(at)} could be reached from.{Unused(chains, asked, at)}", "Make one with Invoke-BotBackup MongoDb.", at.ToString());
        }

        if (at < reaches[0].Reach.From)
        {
            return new BackupException(
                FailureKind.BackupNotFound,
                $"{PointText.Of(at)} is before the first moment that can be restored to, {PointText.Of(reaches[0].Reach.From)}.{Unused(chains, asked, at)}",
                $"Give that moment or a later one. {Look}",
                at.ToString());
        }

        var before = reaches.Where(one => one.Reach.To < at).MaxBy(one => one.Reach.To);
        if (reaches.Find(one => one.Reach.From > at) is not { Reach: not null } after)
            return AfterLast(chains, asked, before, at);
        return new BackupException(
            FailureKind.ChainBroken,
            $"{PointText.Of(at)} lies in a gap: nothing reaches from {PointText.Of(before.Reach.To)} to {PointText.Of(after.Reach.From)}{Because(chains, before, after)}.{Stranded(asked, at)}{Unused(chains, asked, at)}",
            $"Restore to {before.Reach.To} or to {after.Reach.From}. {Look}",
            at.ToString());
    }

    /// <summary>Why there is nothing between two moments; a reason that was noted, or else what the archives show.</summary>
    public static string Reason(OplogChains chains, OplogTimeline before, BsonTimestamp from, OplogTimeline after, BsonTimestamp to)
    {
        if (chains.GapAfter(from, before.Id) is { } noted)
            return PointText.Of(noted.Reason);
        // No increment leads from one history to another.
        return string.Equals(before.Id, after.Id, StringComparison.Ordinal) ? $"an increment is missing between {from} and {to}" : $"another history begins at {to}";
    }

    private static BackupException AfterLast(OplogChains chains, IReadOnlyList<OplogTimeline> asked, (OplogTimeline Timeline, OplogReach Reach) last, BsonTimestamp at)
    {
        var stranded = Stranded(asked, at);
        var within = at.Ordinal == uint.MaxValue && at.Seconds == last.Reach.To.Seconds ? " A time means all of its second, and the store ends within that one." : "";
        return new BackupException(
            stranded.Length > 0 ? FailureKind.ChainBroken : FailureKind.BackupNotFound,
            $"{PointText.Of(at)} is after the last moment that can be restored to, {PointText.Of(last.Reach.To)}.{within}{(chains.GapAfter(last.Reach.To, last.Timeline.Id) is { } gap ? $" The chain ends there: {PointText.Of(gap.Reason)}." : "")}{stranded}{Unused(chains, asked, at)}",
            $"Give -PointInTime {last.Reach.To}, or make an increment first: Invoke-BotBackup MongoDb -Type Incremental.",
            at.ToString());
    }

    // That an increment is missing is said of the one that it leaves behind.
    private static string Because(OplogChains chains, (OplogTimeline Timeline, OplogReach Reach) before, (OplogTimeline Timeline, OplogReach Reach) after) =>
        chains.GapAfter(before.Reach.To, before.Timeline.Id) is null && string.Equals(before.Timeline.Id, after.Timeline.Id, StringComparison.Ordinal)
            ? ""
            : $", since {Reason(chains, before.Timeline, before.Reach.To, after.Timeline, after.Reach.From)}";

    private static string Stranded(IEnumerable<OplogTimeline> asked, BsonTimestamp at)
    {
        // The one that holds the moment, and those before it that would have led there.
        var stranded = asked.SelectMany(one => one.Stranded).Where(slice => OplogTimeline.StartOf(slice) <= at).OrderByDescending(OplogTimeline.EndOf).ToList();
        if (stranded.Count == 0 || OplogTimeline.EndOf(stranded[0]) < at)
            return "";
        // From the one that holds it back to where the chain breaks.
        var first = stranded[0];
        while (stranded.Find(slice => OplogTimeline.Follows(first, slice)) is { } earlier)
            first = earlier;
        return $" {first.Location} cannot be used: the backup before it, which ends with {first.Oplog!.Start}, is missing.";
    }

    private static string Unused(OplogChains chains, IReadOnlyList<OplogTimeline> asked, BsonTimestamp at)
    {
        var others = chains.Timelines.Where(one => !asked.Contains(one)).SelectMany(one => one.Slices)
            .Where(slice => OplogTimeline.StartOf(slice) <= at && OplogTimeline.EndOf(slice) >= at).Select(slice => slice.Location).ToList();
        if (others.Count == 0)
            return "";
        var more = others.Count > MostNamed ? $" and {others.Count - MostNamed} more" : "";
        return $" {string.Join(", ", others.Take(MostNamed))}{more} cover it, and are of another history, so they are not used.";
    }
}
