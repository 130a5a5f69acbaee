using System.Security.Cryptography;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Damage;

/// <summary>Cuts increments from a server's oplog into the store, as an incremental backup lays them out, so that a test decides where they end.</summary>
internal sealed class ChainMaker(MongoPlatform platform, BackupSession session, BotBackup full)
{
    private BotBackup _previous = full;

    /// <summary>What an increment holds in place of what the server wrote.</summary>
    public Func<IReadOnlyList<RawBson>, IReadOnlyList<RawBson>> Change { get; set; } = entries => entries;

    /// <summary>An increment of all that was written since the last one; <paramref name="keep"/> false loses it.</summary>
    public BotBackup Cut(bool keep = true)
    {
        var entries = new List<RawBson>();
        var find = new BsonBuilder().Append("find", "oplog.rs")
            .BeginDocument("filter").BeginDocument("ts").Append("$gte", OplogTimeline.EndOf(_previous)).End().End();
        using (var cursor = platform.Client.Open("local", find, new CursorOptions(), MongoPlatform.None))
        {
            while (cursor.Next() == CursorStep.Document)
                entries.Add(new RawBson(cursor.Current.ToArray()));
        }

        var filter = new OplogFilter(new DumpSelection(_previous.Manifest!.MongoDb!.Database, null));
        using var content = new MemoryStream();
        long kept = 0;
        var all = Change(entries);
        foreach (var entry in all)
        {
            if (!filter.Keep(entry.Span, out var part))
                continue;
            content.Write(part.IsEmpty ? entry.Span : part);
            kept++;
        }

        var (first, last) = (all[0], all[^1]);
        var span = new OplogSpan(TimeOf(first), TimeOf(last), 1, HashOf(last), HashOf(first), kept);
        var facts = _previous.Manifest.MongoDb with { Collections = 0, Documents = 0, Oplog = span };
        var chain = new ChainFacts(_previous.Timeline!, _previous.Id);
        var job = new ArchiveJob(Component.MongoDb, "mongodb", BackupType.Incremental, (name, _) => new Slice(name.Stem, content.ToArray(), facts, chain), new EntryPath("mongodb"), 0);
        var maker = new ArchiveMaker(session.Local, session.Compression, session.NewCipher, TimeProvider.System, _ => { });
        _previous = maker.Make(job, "run", MongoPlatform.None);
        if (!keep)
        {
            foreach (var file in Directory.GetFiles(Path.GetDirectoryName(_previous.Location)!, Path.GetFileName(_previous.Location) + "*"))
                File.Delete(file);
        }

        return _previous;
    }

    private static string TimeOf(RawBson entry) => entry.FindTimestamp("ts"u8).ToString()!;

    private static string HashOf(RawBson entry) => Convert.ToHexStringLower(SHA256.HashData(entry.Span));

    private sealed class Slice(string root, byte[] oplog, DumpFacts facts, ChainFacts chain) : IEntrySource
    {
        public IEnumerable<SourceItem> Read(CancellationToken token)
        {
            yield return StubEntry.Folder(root);
            yield return StubEntry.File(root + "/oplog.bson", oplog);
        }

        public Manifest Describe(Manifest manifest) => manifest with { MongoDb = facts, Chain = chain };
    }
}
