using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb;

namespace BotCore.Backup.Engine.Components.MongoDb.Restoring;

/// <summary>Finds what interrupted restores left in a server, and drops it.</summary>
internal static class RestoreLeftovers
{
    /// <summary>Tells of other restores' records in these databases: left, or at work.</summary>
    public static void Tell(MongoClient client, IReadOnlyList<string> databases, string ownId, Action<BackupEvent> tell)
    {
        var now = RestoreClaim.ClockOf(client, CancellationToken.None)();
        foreach (var (_, record) in Find(client, databases, CancellationToken.None))
        {
            if (string.Equals(record.Id, ownId, StringComparison.Ordinal))
                continue;
            if (RestoreClaim.IsOwned(record, now))
                tell(new Said($"Another restore is at work here: {record.Id} of {record.Source}, by process {record.Owner.Process} on {record.Owner.Host}."));
            else
            {
                var way = record.IsResumable ? $"Run it again to finish it, or drop them with Undo-BotRestore -Id {record.Id}." : $"Drop them with Undo-BotRestore -Id {record.Id}.";
                tell(new Warned($"A restore of {record.Source}, which was interrupted, left its collections here ({StagingNames.StagedPrefix(record.Id)}*). {way}"));
            }
        }
    }

    /// <summary>The records of restores in these databases.</summary>
    public static IReadOnlyList<(DumpNamespace Place, RestoreRecord Record)> Find(MongoClient client, IReadOnlyList<string> databases, CancellationToken token)
    {
        var catalog = new ServerCatalog(client, token);
        var found = new List<(DumpNamespace, RestoreRecord)>();
        foreach (var place in databases.SelectMany(database => catalog.All(database).Keys).Where(name => name.Collection.StartsWith(RestoreClaim.Prefix, StringComparison.Ordinal)))
        {
            if (RestoreClaim.Read(client, place, token) is { } record)
                found.Add((place, record));
        }

        return found;
    }

    /// <summary>Drops what restore <paramref name="id"/> has staged in these databases; gives how many collections.</summary>
    public static int Drop(MongoClient client, string id, IEnumerable<string> databases)
    {
        var maker = new CollectionMaker(client, CancellationToken.None);
        var server = new ServerCatalog(client, CancellationToken.None);
        var dropped = 0;
        foreach (var left in databases.SelectMany(database => server.All(database).Keys).Where(name => name.Collection.StartsWith(StagingNames.StagedPrefix(id), StringComparison.Ordinal)).ToList())
        {
            maker.Drop(left);
            dropped++;
        }

        return dropped;
    }

    /// <summary>Whether anything that restore <paramref name="id"/> staged still stands, in whatever database.</summary>
    public static bool HasStaged(MongoClient client, string id)
    {
        var server = new ServerCatalog(client, CancellationToken.None);
        return server.Databases(new DumpSelection(Database: null)).SelectMany(database => server.All(database).Keys).Any(name => name.Collection.StartsWith(StagingNames.StagedPrefix(id), StringComparison.Ordinal));
    }

    /// <summary>Takes a swap back by its journal, in whatever databases that stands; gives them and how many collections each.</summary>
    public static IReadOnlyList<(string Database, int Collections)> TakeBack(MongoClient client, string id)
    {
        var journal = new UndoJournal(client, CancellationToken.None);
        var catalog = new ServerCatalog(client, CancellationToken.None);
        var done = new List<(string, int)>();
        foreach (var database in catalog.Databases(new DumpSelection(Database: null)).Where(database => catalog.Find(new(database, StagingNames.Undo(id))) is not null).ToList())
        {
            var entries = journal.Read(id, database);
            StagedSwap.Undo(client, entries);
            journal.Remove(id, database);
            done.Add((database, entries.Count));
        }

        return done;
    }

    /// <summary>Throws Locked where a process is at restore <paramref name="id"/>.</summary>
    public static void DemandNobody(MongoClient client, string id)
    {
        var databases = new ServerCatalog(client, CancellationToken.None).Databases(new DumpSelection(Database: null));
        var now = RestoreClaim.ClockOf(client, CancellationToken.None)();
        foreach (var (_, record) in Find(client, databases, CancellationToken.None).Where(one => string.Equals(one.Record.Id, id, StringComparison.Ordinal)))
            RestoreClaim.DemandNobody(record, now);
    }

    /// <summary>Drops all that an interrupted restore left, its record too; false where there is nothing of that id. One at work is Locked.</summary>
    public static bool DropAll(MongoClient client, string id, Action<BackupEvent> tell)
    {
        var databases = new ServerCatalog(client, CancellationToken.None).Databases(new DumpSelection(Database: null));
        var owner = RestoreOwner.New();
        try
        {
            return DropAll(client, id, databases, owner, tell);
        }
        finally
        {
            owner.Retire();
        }
    }

    private static bool DropAll(MongoClient client, string id, IReadOnlyList<string> databases, RestoreOwner owner, Action<BackupEvent> tell)
    {
        var records = Find(client, databases, CancellationToken.None).Where(one => string.Equals(one.Record.Id, id, StringComparison.Ordinal)).ToList();
        foreach (var (place, record) in records)
        {
            // Nobody may take it up while it is dropped.
            if (!RestoreClaim.TryTakeOver(client, place, record, owner, CancellationToken.None))
                throw new BackupException(FailureKind.Locked, $"Another process has just taken up restore {id}.", "Wait until it has ended.", id);
        }

        var dropped = Drop(client, id, databases);
        foreach (var (place, _) in records)
            new CollectionMaker(client, CancellationToken.None).Drop(place);
        if (dropped + records.Count > 0)
            tell(new Said($"{dropped} collections that restore {id} had staged were dropped."));
        return dropped + records.Count > 0;
    }
}
