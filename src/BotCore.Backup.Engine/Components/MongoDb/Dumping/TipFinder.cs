using System.Security.Cryptography;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumping;

/// <summary>Finds on a server what of a store's chains can be gone on from. One thread.</summary>
internal sealed class TipFinder(MongoTarget target, MongoClient client, DumpSelection selection, TimeSpan mostLag, Action<BackupEvent> tell, CancellationToken token)
{
    /// <summary>An entry that was seen on the server, and from which all was copied since: it may have rolled off meanwhile. Null where there is none.</summary>
    public OplogTip? Proven { get; init; }

    private readonly record struct Look(OplogGapReason Reason, BsonTimestamp? Oldest)
    {
        public bool IsThere => Reason == OplogGapReason.Unknown;
    }

    private readonly record struct Finding(OplogTip? Tip, OplogHole? Hole);

    /// <summary>
    /// What the next increment goes on from, and the hole before it where the last increment's end is lost and a later full backup's is not. The newest history comes first.
    /// </summary>
    /// <exception cref="BackupException">BackupNotFound: no full backup. OplogGap, ChainBroken: as <paramref name="gap"/> is told before.</exception>
    public OplogTip Find(OplogChains chains, Action<OplogHole> gap)
    {
        OplogHole? hole = null;
        var mine = Mine(chains).ToList();
        foreach (var (number, timeline) in mine.Index())
        {
            var found = Try(timeline);
            if (found.Tip is { } tip)
            {
                if (mine.Count > number + 1)
                    NoteEndOf(mine[number + 1], timeline, chains, gap);
                if (found.Hole is { } before)
                {
                    gap(before);
                    tell(new Warned($"{Describe(before)} Increments go on from the full backup that ends at {tip.At}; nothing between can be restored to."));
                }

                return tip;
            }

            hole = Worse(hole, found.Hole!);
        }

        // What cannot be read may be the very tip: a full backup would not mend that.
        if (chains.Unreadable is [var unreadable, ..])
            throw new BackupException(unreadable);
        if (hole is null)
            throw NoFull();
        gap(hole);
        throw new BackupException(ToFailure(hole));
    }

    /// <summary>
    /// The history that a full backup belongs to that begins at <paramref name="start"/>: the newest whose end is still in the server's oplog, no restore between; null where it begins a new one.
    /// Where it does so although there is an older one, that is told, and <paramref name="ended"/> is given the hole.
    /// </summary>
    public string? Join(OplogChains chains, BsonTimestamp start, Action<OplogHole> ended)
    {
        OplogHole? hole = null;
        foreach (var timeline in Mine(chains))
        {
            try
            {
                if (EndOf(timeline, start) is not { } end)
                    return timeline.Id;
                hole = Worse(hole, end);
            }
            catch (BackupException behind) when (behind.Failure.Kind == FailureKind.SourceUnreachable)
            {
                tell(new Warned($"{behind.Failure.Message} This full backup begins a new history."));
                return null;
            }
        }

        if (hole is null)
            return null;
        tell(new Warned($"{Describe(hole)} This full backup begins a new history; nothing between can be restored to."));
        ended(hole);
        return null;
    }

    // That a history is another server's says least about why this one's cannot be gone on with; else the newest counts.
    private static OplogHole Worse(OplogHole? before, OplogHole next) =>
        before is null || (before.Reason == OplogGapReason.OtherServer && next.Reason != OplogGapReason.OtherServer) ? next : before;

    // Why a history cannot be gone on with from its end to a place; null where it can.
    private OplogHole? EndOf(OplogTimeline timeline, BsonTimestamp until)
    {
        var last = timeline.Fulls.Concat(timeline.Slices).MaxBy(OplogTimeline.EndOf)!;
        if (See(last) is { IsThere: false } gone)
            return Hole(timeline, last, gone);
        return IsSwappedBetween(OplogTimeline.EndOf(last), until) ? new OplogHole(timeline.Id, OplogTimeline.EndOf(last), null, OplogGapReason.Restored) : null;
    }

    // A full backup that began a new history may not have come to note why the one before ended.
    private void NoteEndOf(OplogTimeline earlier, OplogTimeline current, OplogChains chains, Action<OplogHole> gap)
    {
        if (current.Fulls is not [var full, ..])
            return;
        var end = earlier.Fulls.Concat(earlier.Slices).Max(OplogTimeline.EndOf);
        var first = OplogTimeline.EndOf(full);
        if (end >= first || chains.GapAfter(end, earlier.Id) is not null)
            return;
        // Where the server does not hold the beginning of the new one any more, nobody can tell.
        if (EndOf(earlier, first) is not { } hole || (hole.Reason == OplogGapReason.RolledOver && hole.To > first))
            return;
        gap(hole with { To = first });
        tell(new Warned($"{Describe(hole)} Increments go on from the full backup that ends at {first}, which began a new history; nothing between can be restored to."));
    }

    /// <summary>What <paramref name="hole"/> means for an increment.</summary>
    public Failure ToFailure(OplogHole hole) => new(
        hole.Reason == OplogGapReason.ChainBroken ? FailureKind.ChainBroken : FailureKind.OplogGap,
        Describe(hole),
        hole.Reason == OplogGapReason.RolledOver
            ? "Make a full backup, which begins a new history (Invoke-BotBackup MongoDb, or add -OnGap Full), and make the oplog larger (replSetResizeOplog) or increments more frequent."
            : "Make a full backup, which begins a new history: Invoke-BotBackup MongoDb, or add -OnGap Full.",
        target.Name);

    // The newest first: that which began last.
    private IEnumerable<OplogTimeline> Mine(OplogChains chains) =>
        chains.Timelines.Reverse().Where(one => string.Equals(one.Database, selection.Databases is [var only] ? only : null, StringComparison.Ordinal));

    private Finding Try(OplogTimeline timeline)
    {
        var reaches = timeline.Reaches();
        var slice = timeline.Slices.OrderByDescending(OplogTimeline.EndOf).FirstOrDefault(one => IsReached(reaches, OplogTimeline.EndOf(one)));
        var full = timeline.Fulls is [.., var newest] ? newest : null;
        if (slice is not null && full is not null && OplogTimeline.EndOf(full) <= OplogTimeline.EndOf(slice))
            full = null;
        // An increment that no full backup reaches: one before it was lost.
        var lost = timeline.Slices.MaxBy(OplogTimeline.EndOf);
        if (lost is not null && IsReached(reaches, OplogTimeline.EndOf(lost)))
            lost = null;
        var last = full ?? slice;
        if (last is null)
            return new Finding(null, See(lost!) is { IsThere: false } gone ? Hole(timeline, lost!, gone) : Hole(timeline, lost!, new Look(OplogGapReason.ChainBroken, null)));

        var there = See(last);
        var isCopied = slice is not null && IsProven(slice) && there.Reason == OplogGapReason.RolledOver;
        if (!there.IsThere && !isCopied)
            return new Finding(null, Hole(timeline, last, lost is not null && there.Reason == OplogGapReason.RolledOver && See(lost).IsThere ? there with { Reason = OplogGapReason.ChainBroken } : there));
        if (slice is null || full is null)
            return GoOn(timeline, last, lost);
        // Going on from the increment, across the full backup, leaves no hole.
        if (See(slice) is { IsThere: false } rolled)
            return new Finding(OplogTip.Of(timeline, full), new OplogHole(timeline.Id, OplogTimeline.EndOf(slice), OplogTimeline.EndOf(full), lost is null ? rolled.Reason : OplogGapReason.ChainBroken));
        return GoOn(timeline, slice, lost);
    }

    private Finding GoOn(OplogTimeline timeline, BotBackup tip, BotBackup? lost)
    {
        if (lost is not null && OplogTimeline.EndOf(lost) > OplogTimeline.EndOf(tip))
            tell(new Warned($"An increment between {tip.Key} and {lost.Key} is missing in the store. The server still holds those entries, so this increment goes on from {OplogTimeline.EndOf(tip)} and stands in for it."));
        return new Finding(OplogTip.Of(timeline, tip), null);
    }

    private static OplogHole Hole(OplogTimeline timeline, BotBackup last, Look look) => new(timeline.Id, OplogTimeline.EndOf(last), look.Oldest, look.Reason);

    // They are apart and in order.
    private static bool IsReached(IReadOnlyList<OplogReach> reaches, BsonTimestamp at)
    {
        var (low, high) = (0, reaches.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (reaches[middle].To < at)
                low = middle + 1;
            else
                high = middle;
        }

        return low < reaches.Count && reaches[low].From <= at;
    }

    private bool IsProven(BotBackup backup) =>
        Proven is { } proven && proven.At == OplogTimeline.EndOf(backup) && string.Equals(proven.Sha256, backup.Oplog!.EndSha256, StringComparison.Ordinal);

    // Whether the last entry of a backup is on the server, byte for byte, and else why not.
    private Look See(BotBackup backup)
    {
        var at = OplogTimeline.EndOf(backup);
        if (IsProven(backup))
            return default;
        OplogPoint.Demand(target, client, at, mostLag, token);
        if (IsThere(at, backup.Oplog!.EndSha256, out var isOther))
            return default;
        if (isOther)
            return new Look(OplogGapReason.RolledBack, null);
        var oldest = First(new BsonBuilder().BeginDocument("filter").End().BeginDocument("sort").Append("$natural", 1).End()) is { } entry ? TimeOf(entry) : default;
        if (oldest > at)
            return new Look(OplogGapReason.RolledOver, oldest);
        var before = First(new BsonBuilder().BeginDocument("filter").BeginDocument("ts").Append("$lte", at).End().End().BeginDocument("sort").Append("$natural", -1).End());
        var isLater = backup.Oplog.Term >= 0 && before?.FindInt64("t"u8) > backup.Oplog.Term;
        // Where the beginning of that backup is there and its end is not, it is this server, and it took the end back.
        var isOurs = isLater || (backup.Oplog.StartSha256 is { } start && IsThere(OplogTimeline.StartOf(backup), start, out _));
        return new Look(isOurs ? OplogGapReason.RolledBack : OplogGapReason.OtherServer, null);
    }

    private bool IsThere(BsonTimestamp at, string sha256, out bool isOther)
    {
        var entry = First(new BsonBuilder().BeginDocument("filter").BeginDocument("ts").Append("$gte", at).End().End());
        var isSame = entry is { } found && string.Equals(Convert.ToHexStringLower(SHA256.HashData(found.Span)), sha256, StringComparison.OrdinalIgnoreCase);
        isOther = !isSame && entry is { } other && TimeOf(other) == at;
        return isSame;
    }

    private bool IsSwappedBetween(BsonTimestamp after, BsonTimestamp last)
    {
        if (after >= last)
            return false;
        var filter = new OplogFilter(selection);
        using var cursor = Open(new BsonBuilder()
            .BeginDocument("filter").BeginDocument("ts").Append("$gt", after).Append("$lte", last).End().Append("op", "c").BeginDocument("o.renameCollection").Append("$exists", value: true).End().End());
        while (cursor.Next() == CursorStep.Document && filter.Swapped is null)
            filter.Keep(cursor.Current, out _);
        return filter.Swapped is not null;
    }

    private RawBson? First(BsonBuilder options)
    {
        using var cursor = Open(options.Append("limit", 1));
        return cursor.Next() == CursorStep.Document ? new RawBson(cursor.Current.ToArray()) : null;
    }

    private MongoCursor Open(BsonBuilder options)
    {
        var find = new BsonBuilder().Append("find", "oplog.rs");
        var reader = options.ToBson().Read();
        while (reader.Read())
            find.Append(reader.Current);
        return client.Open("local", find.BeginDocument("readConcern").Append("level", "majority").End(), new CursorOptions(), token);
    }

    private static BsonTimestamp TimeOf(RawBson entry) => entry.FindTimestamp("ts"u8) ?? default;

    private string Describe(OplogHole hole) => hole.Reason switch
    {
        OplogGapReason.RolledOver => $"The oplog of {target.Name} rolled over: it begins at {hole.To}, and the chain ends at {hole.From} ({hole.From.Time:u}).",
        OplogGapReason.RolledBack => $"{target.Name} rolled back what the chain ends with: the entry {hole.From} ({hole.From.Time:u}) is another one now, or gone, after an election.",
        OplogGapReason.Restored => $"A restore swapped collections in at {target.Name} after {hole.From} ({hole.From.Time:u}): from there on it has another history.",
        OplogGapReason.ChainBroken => $"The chain that ends at {hole.From} ({hole.From.Time:u}) is broken: an increment after it, or the full backup before it, is missing in the store.",
        _ => $"The oplog of {target.Name} does not hold {hole.From} ({hole.From.Time:u}), which the chain ends with, and it did not roll over: it is another server.",
    };

    private BackupException NoFull() => new(
        FailureKind.BackupNotFound,
        $"There is no full backup of {(selection.Databases is [var only] ? $"the database '{only}'" : "all databases")} with an oplog that an increment could stand on.",
        "Make a full backup first: Invoke-BotBackup MongoDb, or add -OnGap Full.",
        target.Name);
}
