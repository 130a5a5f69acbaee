using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumping;

/// <summary>
/// A whole dump as the entries of an archive, in mongodump's layout under one root folder that is named as the archive. The oplog is sliced from before the first
/// listing on, and its end is taken after the last document: together they are the state of one moment. See MONGODB.md, "Consistent full".
/// </summary>
/// <remarks>With <see cref="Chains"/> it says which history of the server it belongs to.</remarks>
internal sealed class MongoDumpSource(MongoTarget target, DumpSelection selection, DumpOptions options, ArchiveName name, Action<BackupEvent> tell) : IEntrySource
{
    private readonly string _root = name.Stem;
    private readonly UnixTime _time = new(name.Taken.ToUnixTimeSeconds(), 0);
    private readonly List<DumpedCollection> _done = [];
    private readonly HashSet<string> _folders = new(StringComparer.Ordinal);
    private DumpFacts? _facts;
    private string? _timeline;
    private long _bytes;

    /// <summary>What the store has of that server; null for a snapshot, which is in no chain.</summary>
    public Func<OplogChains>? Chains { get; init; }

    /// <summary>The history that ended before this backup began a new one; null where it goes on with one, or is the first.</summary>
    public OplogHole? Ended { get; private set; }

    /// <summary>A regular file's header, without name and size of its own yet.</summary>
    public static ArchiveEntry File(string path) => new() { Path = new EntryPath(path), Kind = EntryKind.File, Mode = 0x180 };

    public IEnumerable<SourceItem> Read(CancellationToken token)
    {
        // An iterator cannot catch around its yields: what the client throws is put into words at the seams.
        using var steps = ReadAll(token).GetEnumerator();
        while (target.Guard("backing up", steps.MoveNext))
            yield return steps.Current;
    }

    public Manifest Describe(Manifest manifest) => manifest with
    {
        MongoDb = _facts,
        Chain = Chains is null || _facts?.Oplog is null ? null : new ChainFacts(_timeline ?? manifest.Id),
    };

    private IEnumerable<SourceItem> ReadAll(CancellationToken token)
    {
        using var client = target.Connect(requirePrimary: false, token);
        var consistent = !client.Server.IsStandalone;
        if (!consistent)
            tell(new Warned($"{target.Name} is a standalone server without an oplog, so this backup is not of one moment. Make it a replica set of one: replSetName in mongod.conf, then rs.initiate()."));

        var start = consistent ? OplogPoint.Start(client, token) : default;
        using var slicer = consistent ? new OplogSlicer(client, start, new OplogFilter(selection), options.Codec, options.Level, SpillFolder(), token) : null;
        _timeline = consistent && Chains is not null ? new TipFinder(target, client, selection, options.MostLag, tell, token).Join(Chains(), start.Settled, hole => Ended = hole) : null;
        var catalog = new ServerCatalog(client, token);
        var collections = catalog.Databases(selection).SelectMany(catalog.Collections).Where(one => selection.Wants(one.Namespace)).ToList();
        if (collections.Count == 0 && selection is { Database: { } empty, Only: null })
            throw new BackupException(FailureKind.SourceUnreachable, $"The database '{empty}' at {target.Name} holds no collection.", "Check the database's name in DATABASE_URL and DB_NAME, and the user's rights on it.", empty);
        tell(new Said($"{collections.Count} collections and views of {target.Name} (MongoDB {client.Server.Version}) are backed up."));

        yield return Folder(_root);
        using (var crew = new DumpCrew(client, collections, options with { SpillFolder = SpillFolder() }, consistent, tell, token))
        {
            // Without its oplog the dump is worth nothing: why read on?
            slicer?.WhenWrong(crew.Stop);
            foreach (var item in crew.Finished().SelectMany(Items))
                yield return item;
        }

        if (selection is { Database: { } database, Only: null })
        {
            foreach (var item in Users(client, database, token))
                yield return item;
        }

        SliceFacts? slice = null;
        if (slicer is not null)
        {
            slice = slicer.FinishAt(OplogPoint.End(client, token));
            yield return slicer.ToEntry(Named(DumpFileName.Oplog));
        }

        _facts = new DumpFacts(
            client.Server.Version,
            consistent,
            _done.Count,
            _done.Sum(done => done.Set?.Documents ?? 0),
            selection.Databases is [var one] ? one : null,
            slice?.ToSpan());
        _done.Sort(static (a, b) => string.CompareOrdinal(a.Info.Namespace.ToString(), b.Info.Namespace.ToString()));
        yield return new BufferedEntry(Named(DumpFileName.Prelude), BackupMetadata.Prelude(client.Server.Version, ToolName.Value));
        yield return new BufferedEntry(Named(DumpFileName.BackupMetadata), BackupMetadata.Write(name, _facts, _bytes, _done, ToolName.Value));
    }

    private string SpillFolder()
    {
        Directory.CreateDirectory(options.SpillFolder);
        return options.SpillFolder;
    }

    private IEnumerable<SourceItem> Items(DumpedCollection dumped)
    {
        var database = dumped.Info.Namespace.Database;
        var stem = $"{database}/{DumpFileName.Escape(dumped.Info.Namespace.Collection)}";
        var data = dumped.Info.Data is { } place ? $"{database}/{DumpFileName.Escape(place.Collection)}{DumpFileName.DataSuffix}" : "";
        // Made before the first yield: whoever stops reading here must not leave its spool open.
        using var item = dumped.Content?.Invoke(Named(data));
        if (_folders.Add(database))
            yield return Folder($"{_root}/{database}");
        yield return new BufferedEntry(Named(stem + DumpFileName.MetadataSuffix), dumped.Metadata.ToJson());
        if (dumped.Metadata.NeedsBsonCopy)
            yield return new BufferedEntry(Named(stem + DumpFileName.MetadataCopySuffix), dumped.Metadata.ToBson().Memory);
        if (item is not null)
        {
            _bytes += item is PackedEntry packed ? packed.Entry.Size : ((SourceEntry)item).Entry.Size;
            yield return item;
        }

        _done.Add(dumped with { Content = null });
    }

    // Users and roles of one database live in another one; the stock tools put them beside its collections under these names.
    private IEnumerable<SourceItem> Users(MongoClient client, string database, CancellationToken token)
    {
        var items = new List<SourceItem>();
        try
        {
            foreach (var (collection, field) in new[] { ("system.users", "db"), ("system.roles", "db"), ("system.version", "") })
            {
                var find = new BsonBuilder().Append("find", collection);
                if (field.Length > 0)
                    find.BeginDocument("filter").Append(field, database).End();
                var set = new DocumentSetHash();
                using var content = new MemoryStream();
                using var cursor = client.Open("admin", find, new CursorOptions(), token);
                while (cursor.Next() == CursorStep.Document)
                {
                    content.Write(cursor.Current);
                    set.Add(cursor.Current);
                }

                items.Add(new BufferedEntry(Named($"{database}/$admin.{collection}{DumpFileName.DataSuffix}"), content.ToArray(), new DocumentSet(set.Count, set.ToString())));
            }
        }
        catch (MongoException refused) when (refused.Error is MongoError.AccessDenied or MongoError.CommandFailed)
        {
            tell(new Warned($"The users and roles of '{database}' are not in this backup: {refused.Message.TrimEnd('.')}. Give the user the role 'backup' in the database 'admin' to have them."));
            return [];
        }

        return items;
    }

    private ArchiveEntry Named(string path) => File($"{_root}/{path}") with { Modified = _time };

    private BufferedEntry Folder(string path) =>
        new(new ArchiveEntry { Path = new EntryPath(path), Kind = EntryKind.Directory, Mode = 0x1C0, Modified = _time }, ReadOnlyMemory<byte>.Empty);
}
