using BotCore.Backup.Engine.Components;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Catalog;

/// <summary>
/// What a store has of one history of one server: full backups, and increments that hang together by the hash of the entry that two of them share. Increments go on across full
/// backups, so one full may be lost and its moments still be reached from the one before. Immutable.
/// </summary>
internal sealed class OplogTimeline
{
    private readonly Link[] _links;
    private readonly Link[] _bases;

    public OplogTimeline(string id, string? database, IEnumerable<BotBackup> backups)
    {
        Id = id;
        Database = database;
        // Copies of one archive in several folders are one link.
        var distinct = backups.DistinctBy(backup => backup.Id, StringComparer.Ordinal).Select(backup => new Link(backup)).ToList();
        _bases = [.. distinct.Where(link => link.Backup.Type == BackupType.Full).OrderBy(link => link.End)];
        var slices = distinct.Where(link => link.Backup.Type == BackupType.Incremental).OrderBy(link => link.Start).ThenBy(link => link.End).ToList();
        Fulls = [.. _bases.Select(link => link.Backup)];
        Slices = [.. slices.Select(link => link.Backup)];
        // An increment without a new entry leads nowhere; it only proves that there was none.
        _links = [.. slices.Where(link => link.Start < link.End)];
        FollowLinks();
        foreach (var full in _bases)
            FollowBase(full);
        MarkAttached();
    }

    /// <summary>The id of the full backup that it began with.</summary>
    public string Id { get; }

    /// <summary>The one database that it is about; null for all.</summary>
    public string? Database { get; }

    /// <summary>The first entry that any of its backups has.</summary>
    public BsonTimestamp Begin => Fulls.Concat(Slices).Min(StartOf);

    /// <summary>Full backups, by the moment that they hold.</summary>
    public IReadOnlyList<BotBackup> Fulls { get; }

    /// <summary>Increments, by their beginning.</summary>
    public IReadOnlyList<BotBackup> Slices { get; }

    /// <summary>What a store alone suggests that the next increment goes on from: the last increment, else the newest full backup. What it does go on from TipFinder finds out on the server.</summary>
    public BotBackup? LikelyTip => Slices.Count > 0 ? Slices.MaxBy(EndOf) : Fulls is [.., var newest] ? newest : null;

    /// <summary>Increments that no full backup leads to, by their beginning: what goes before them is missing.</summary>
    public IEnumerable<BotBackup> Stranded => _links.Where(link => !link.IsAttached).Select(link => link.Backup);

    /// <summary>The spans that can be restored to, apart and in order; a full backup alone is a span of one moment.</summary>
    public IReadOnlyList<OplogReach> Reaches()
    {
        var reaches = new List<OplogReach>();
        foreach (var full in _bases)
        {
            if (reaches.Count > 0 && full.End <= reaches[^1].To)
                reaches[^1] = reaches[^1] with { To = Later(reaches[^1].To, full.Furthest), Bases = reaches[^1].Bases + 1 };
            else
                reaches.Add(new OplogReach(full.End, full.Furthest, 1));
        }

        return reaches;
    }

    /// <summary>Increments within <paramref name="reach"/>, those that only prove that nothing happened left out.</summary>
    public int CountSlices(OplogReach reach) => _links.Count(link => link.IsAttached && link.End > reach.From && link.Start < reach.To);

    public static BsonTimestamp StartOf(BotBackup backup) => Parse(backup.Oplog!.Start);

    public static BsonTimestamp EndOf(BotBackup backup) => Parse(backup.Oplog!.End);

    /// <summary>The chain that brings a database to <paramref name="at"/>, from the newest full backup that leads there; null where none does.</summary>
    public RestoreChain? Find(BsonTimestamp at)
    {
        for (var number = _bases.Length - 1; number >= 0; number--)
        {
            if (Path(_bases[number], at) is { } chain)
                return chain;
        }

        return null;
    }

    /// <summary>The chain to the end of <paramref name="increment"/> from the newest full backup that leads there through it; null where none does.</summary>
    public RestoreChain? Through(BotBackup increment) => _bases.Reverse().Select(full => Path(full, EndOf(increment)))
        .FirstOrDefault(chain => chain is not null && chain.Slices.Any(slice => string.Equals(slice.Id, increment.Id, StringComparison.Ordinal)));

    /// <summary>The increments that lead from <see cref="Fulls"/>[<paramref name="number"/>] to the end of the full after it, or as far as they go.</summary>
    public IEnumerable<BotBackup> LeadingOn(int number)
    {
        var until = number + 1 < _bases.Length ? _bases[number + 1].End : _bases[number].Furthest;
        for (var slice = _bases[number].End < until ? _bases[number].Next : null; slice is not null; slice = slice.End < until ? slice.Next : null)
            yield return slice.Backup;
    }

    /// <summary>Whether <paramref name="next"/> begins with the very entry that <paramref name="before"/> ends with.</summary>
    public static bool Follows(BotBackup next, BotBackup before) =>
        string.Equals(next.Oplog!.Start, before.Oplog!.End, StringComparison.Ordinal) && string.Equals(next.Oplog.StartSha256, before.Oplog.EndSha256, StringComparison.Ordinal);

    private static BsonTimestamp Parse(string text) => BsonTimestamp.TryParse(text, out var at) ? at : default;

    private static BsonTimestamp Later(BsonTimestamp one, BsonTimestamp other) => one > other ? one : other;

    private static RestoreChain? Path(Link full, BsonTimestamp at)
    {
        if (at < full.End || full.Furthest < at)
            return null;
        var slices = new List<BotBackup>();
        for (var slice = full.End < at ? full.Next : null; slice is not null; slice = slice.End < at ? slice.Next : null)
            slices.Add(slice.Backup);
        return new RestoreChain(full.Backup, slices, at);
    }

    // From the last to the first: where each leads at best.
    private void FollowLinks()
    {
        var furthest = new Dictionary<(string Start, string? Hash), Link>();
        foreach (var link in Enumerable.Reverse(_links))
        {
            var oplog = link.Backup.Oplog!;
            link.LeadTo(furthest.GetValueOrDefault((oplog.End, oplog.EndSha256)));
            var start = (oplog.Start, oplog.StartSha256);
            if (!furthest.TryGetValue(start, out var other) || link.Furthest > other.Furthest)
                furthest[start] = link;
        }

        var latest = default(BsonTimestamp);
        foreach (var link in _links)
            link.LatestEnd = latest = Later(latest, link.End);
    }

    // A base is within an increment where that holds its last entry: at its beginning the hashes say so, behind it the restore compares when it reads it.
    private void FollowBase(Link full)
    {
        Link? best = null;
        for (var number = CountBegunBy(full.End) - 1; number >= 0 && _links[number].LatestEnd > full.End; number--)
        {
            var link = _links[number];
            var holds = link.End > full.End && (link.Start < full.End || Follows(link.Backup, full.Backup));
            if (holds && (best is null || link.Furthest > best.Furthest))
                best = link;
        }

        full.LeadTo(best);
    }

    private int CountBegunBy(BsonTimestamp at)
    {
        var (low, high) = (0, _links.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_links[middle].Start <= at)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }

    private void MarkAttached()
    {
        var ends = _bases.Select(full => (full.Backup.Oplog!.End, (string?)full.Backup.Oplog.EndSha256)).ToHashSet();
        var next = 0;
        foreach (var link in _links)
        {
            var oplog = link.Backup.Oplog!;
            while (next < _bases.Length && _bases[next].End <= link.Start)
                next++;
            link.IsAttached = ends.Contains((oplog.Start, oplog.StartSha256)) || (next < _bases.Length && _bases[next].End <= link.End);
            if (link.IsAttached)
                ends.Add((oplog.End, oplog.EndSha256));
        }
    }

    private sealed class Link(BotBackup backup)
    {
        public BotBackup Backup { get; } = backup;

        public BsonTimestamp Start { get; } = StartOf(backup);

        public BsonTimestamp End { get; } = EndOf(backup);

        /// <summary>The increment that leads furthest from here.</summary>
        public Link? Next { get; private set; }

        /// <summary>The last moment that can be reached from here.</summary>
        public BsonTimestamp Furthest { get; private set; }

        /// <summary>The latest end of this one and all that begin before it.</summary>
        public BsonTimestamp LatestEnd { get; set; }

        /// <summary>Whether a full backup leads here.</summary>
        public bool IsAttached { get; set; }

        public void LeadTo(Link? next) => (Next, Furthest) = (next, next?.Furthest ?? End);
    }
}

/// <summary>A span of moments that can be restored to.</summary>
/// <param name="From">The first; the end of a full backup.</param>
/// <param name="To">The last, inclusive.</param>
/// <param name="Bases">Full backups in it.</param>
internal sealed record OplogReach(BsonTimestamp From, BsonTimestamp To, int Bases);
