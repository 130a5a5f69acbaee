using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Restoring;

/// <summary>
/// What cannot be renamed into place: time-series collections and system.js are dropped and written anew. It comes last, when all else has worked; the snapshot is the way
/// back for it. One thread.
/// </summary>
internal sealed class PlainRestore(MongoClient client, IDumpSource source, MongoRestoreOptions options, MongoRestorePlan plan, Action<BackupEvent> tell)
{
    public void Run(bool hasOplog, CancellationToken token)
    {
        var items = plan.Items.Where(item => item.Way == RestoreWay.Plain).ToList();
        if (items.Count == 0)
            return;
        var maker = new CollectionMaker(client, token);
        var catalogue = new IndexCatalogue();
        foreach (var item in items)
        {
            maker.Drop(item.To);
            maker.Create(item.To, item.Metadata);
            catalogue.Add(item.Data.ToString(), StagedRestore.IdentityOf(item.Metadata), item.Metadata.Options, item.IsTimeSeries ? [] : item.Metadata.Indexes);
        }

        LoadProof.Run(client, source, items, item => item.DataTarget, options, tell, token);
        var own = items.Select(item => item.From).ToHashSet();
        var map = new NamespaceMap(
            name => own.Contains(StagedRestore.Split(name)), name => options.Mapping.Target(StagedRestore.Split(name)).ToString());
        if (hasOplog)
            Replay(map, catalogue, token);
        IndexBuild.Run(new MongoReplayTarget(client), catalogue, map, convertLegacy: true, token);
        foreach (var item in items.Where(item => item.IsTimeSeries && IsOfTheDump(item, catalogue)))
            BuildIndexes(item, token);
    }

    // Not where the oplog drops it; what it makes under the same name has indexes of its own.
    private static bool IsOfTheDump(RestoreItem item, IndexCatalogue catalogue) =>
        catalogue.Find(item.Data.ToString()) is { } one && (StagedRestore.IdentityOf(item.Metadata) is not { } identity || one.Uuid == identity);

    private void Replay(NamespaceMap map, IndexCatalogue catalogue, CancellationToken token)
    {
        using var replayer = new OplogReplayer(new MongoReplayTarget(client), map, catalogue, new ReplayOptions { Lanes = options.Threads, SpillFolder = options.SpillFolder }, token);
        source.Read(new OplogVisitor(replayer), _ => false, oplog: true, done => options.Moved("replaying", done), token);
        replayer.Complete();
    }

    // Indexes of a time-series collection are made on itself, not on its buckets.
    private void BuildIndexes(RestoreItem item, CancellationToken token)
    {
        var catalogue = new IndexCatalogue();
        var name = item.From.ToString();
        var server = new ServerCatalog(client, token);
        // The server makes one of its own, of the same key or name.
        var there = server.Indexes(item.To);
        catalogue.Add(name, uuid: null, item.Metadata.Options, item.Metadata.Indexes.Where(index => !there.Any(one => IsSame(one, index))));
        IndexBuild.Run(new MongoReplayTarget(client), catalogue, new NamespaceMap(_ => true, _ => item.To.ToString()), convertLegacy: true, token);
        IndexProof.Demand(server, item.To, item.To, catalogue.Specifications(name));
    }

    private static bool IsSame(RawBson one, RawBson other) => string.Equals(one.FindString("name"u8), other.FindString("name"u8), StringComparison.Ordinal);
}
