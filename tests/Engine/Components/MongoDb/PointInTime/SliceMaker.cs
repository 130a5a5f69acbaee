using System.Security.Cryptography;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.PointInTime;

/// <summary>
/// Makes increments in a way of its own, beside the product's: whatever entries a test wants under whatever span it claims. For chains that no capture would leave behind.
/// </summary>
internal sealed class SliceMaker(MongoPlatform mongo, BackupSession session)
{
    /// <summary>All entries of the server's oplog from one on.</summary>
    public List<RawBson> Oplog(string from, BsonTimestamp? to = null)
    {
        var entries = new List<RawBson>();
        var find = new BsonBuilder().Append("find", "oplog.rs").BeginDocument("filter").BeginDocument("ts").Append("$gte", At(from)).End().End();
        using var cursor = mongo.Client.Open("local", find, new CursorOptions(), CancellationToken.None);
        for (var step = cursor.Next(); step != CursorStep.End; step = cursor.Next())
        {
            if (step == CursorStep.Document && (to is null || TimeOf(new RawBson(cursor.Current.ToArray())) <= to))
                entries.Add(new RawBson(cursor.Current.ToArray()));
        }

        return entries;
    }

    /// <summary>The increment that goes on from <paramref name="previous"/> up to now, or to <paramref name="to"/>.</summary>
    public BotBackup After(BotBackup previous, BsonTimestamp? to = null, BackupSession? into = null) => Make(previous, Oplog(previous.Oplog!.End, to), into: into);

    /// <summary>A full backup that goes on with the history of another, or begins one of its own.</summary>
    public BotBackup Full(BotBackup history, string? timeline = null)
    {
        var step = BackupPlanner.Plan(session, new BackupRequest { Components = [Component.MongoDb] }, _ => { }, CancellationToken.None)[0];
        var job = step.Job with { Source = (name, tell) => new DescribedSource(step.Job.Source(name, tell), manifest => manifest with { Chain = new ChainFacts(timeline ?? history.Timeline!) }) };
        return BackupRunner.NewMaker(session, session.Local, _ => { }).Make(job, BackupRunner.NewRunId(), CancellationToken.None);
    }

    /// <summary>An increment with any entries; the span is theirs. <paramref name="kept"/> is what its oplog.bson holds in truth, where that is something else, and <paramref name="claimed"/> how many entries its manifest tells.</summary>
    public BotBackup Make(BotBackup previous, IReadOnlyList<RawBson> entries, IReadOnlyList<RawBson>? kept = null, string? timeline = null, BackupSession? into = null, long? claimed = null)
    {
        var database = previous.Manifest!.MongoDb!.Database;
        var held = kept ?? Filtered(entries, database);
        var span = new OplogSpan(TimeOf(entries[0]).ToString(), TimeOf(entries[^1]).ToString(), 1, Hash(entries[^1]), Hash(entries[0]), claimed ?? held.Count);
        var job = new ArchiveJob(
            Component.MongoDb, "mongodb", BackupType.Incremental, (name, _) => new SliceSource(name.Stem, held, manifest => manifest with
            {
                MongoDb = new DumpFacts(previous.Manifest.MongoDb.Server, Consistent: true, 0, 0, database, span),
                Chain = new ChainFacts(timeline ?? previous.Timeline!, previous.Id),
            }), new EntryPath("slices"), 0);
        var used = into ?? session;
        return BackupRunner.NewMaker(used, used.Local, _ => { }).Make(job, BackupRunner.NewRunId(), CancellationToken.None);
    }

    public static BsonTimestamp At(string text) => BsonTimestamp.TryParse(text, out var at) ? at : throw new FormatException(text);

    public static BsonTimestamp TimeOf(RawBson entry) => entry.FindTimestamp("ts"u8)!.Value;

    private static string Hash(RawBson entry) => Convert.ToHexStringLower(SHA256.HashData(entry.Span));

    private static List<RawBson> Filtered(IReadOnlyList<RawBson> entries, string? database)
    {
        var filter = new OplogFilter(new DumpSelection(database));
        var kept = new List<RawBson>();
        foreach (var entry in entries)
        {
            if (filter.Keep(entry.Span, out var part))
                kept.Add(part.IsEmpty ? entry : new RawBson(part.ToArray()));
        }

        return kept;
    }

    private sealed class DescribedSource(IEntrySource inner, Func<Manifest, Manifest> describe) : IEntrySource
    {
        public IEnumerable<SourceItem> Read(CancellationToken token) => inner.Read(token);

        public Manifest Describe(Manifest manifest) => describe(inner.Describe(manifest));
    }

    private sealed class SliceSource(string root, IReadOnlyList<RawBson> entries, Func<Manifest, Manifest> describe) : IEntrySource
    {
        public IEnumerable<SourceItem> Read(CancellationToken token) =>
        [
            new BufferedEntry(new ArchiveEntry { Path = new EntryPath(root), Kind = EntryKind.Directory, Mode = 0x1C0 }, ReadOnlyMemory<byte>.Empty),
            new BufferedEntry(MongoDumpSource.File($"{root}/{DumpFileName.Oplog}"), entries.SelectMany(entry => entry.Span.ToArray()).ToArray()),
        ];

        public Manifest Describe(Manifest manifest) => describe(manifest);
    }
}
