using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Replay;

/// <summary>Builds what an <see cref="IndexCatalogue"/> asks for, when all documents are there: one createIndexes a collection, and those by which documents expire last of all.</summary>
public static class IndexBuild
{
    /// <summary>Builds all indexes that do not stand yet; gives how many.</summary>
    /// <param name="client">The target's primary.</param>
    /// <param name="catalogue">What must stand; says afterwards that it does.</param>
    /// <param name="map">Names at the target.</param>
    /// <param name="convertLegacy">Whether key values that are no direction become 1, as mongorestore --convertLegacyIndexes has it.</param>
    /// <param name="token">Ends it, between two collections at the latest.</param>
    /// <exception cref="BackupException">RestoreFailed: the server refused; the collection is named.</exception>
    public static int Run(MongoClient client, IndexCatalogue catalogue, NamespaceMap map, bool convertLegacy, CancellationToken token) =>
        Run(new MongoReplayTarget(client), catalogue, map, convertLegacy, token);

    internal static int Run(IReplayTarget target, IndexCatalogue catalogue, NamespaceMap map, bool convertLegacy, CancellationToken token)
    {
        var built = 0;
        foreach (var expires in (bool[])[false, true])
        {
            foreach (var collection in catalogue.Collections.OrderBy(collection => collection.Name, StringComparer.Ordinal))
            {
                var wanted = collection.Indexes.Where(index => !index.IsBuilt && index.Expires == expires).ToList();
                if (wanted.Count == 0)
                    continue;
                var name = map.Target(collection.Name);
                var reply = target.Run(NamespaceMap.DatabaseOf(name), Command(name, wanted, convertLegacy), token);
                if (!ServerReply.IsOk(reply))
                {
                    throw new BackupException(
                        FailureKind.RestoreFailed,
                        $"The indexes {string.Join(", ", wanted.Select(index => index.Name))} of {name} could not be built: {ServerReply.Reason(reply)}",
                        "The documents are there; build the indexes by hand, or restore into a server of the version that was backed up.",
                        name);
                }

                MarkBuilt(collection, wanted);
                built += wanted.Count;
            }
        }

        return built;
    }

    private static BsonBuilder Command(string ns, List<CataloguedIndex> indexes, bool convertLegacy)
    {
        var command = new BsonBuilder().Append("createIndexes", NamespaceMap.CollectionOf(ns)).BeginArray("indexes");
        for (var at = 0; at < indexes.Count; at++)
            command.Append(ReplayBatch.IndexText(at), IndexSpecification.Clean(indexes[at].Specification, convertLegacy));
        return command.End();
    }

    private static void MarkBuilt(CataloguedCollection collection, List<CataloguedIndex> built)
    {
        foreach (var index in built)
            collection.Indexes[collection.Indexes.IndexOf(index)] = index with { IsBuilt = true };
    }
}
