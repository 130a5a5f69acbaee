using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb;

namespace BotCore.Backup.Engine.Components.MongoDb.Restoring;

/// <summary>Writes the documents of collections that stand empty, and then reads all of them back. One refused document fails it, by name.</summary>
internal static class LoadProof
{
    private const int MostNamed = 5;

    public static void Run(
        MongoClient client, IDumpSource source, IReadOnlyList<RestoreItem> items, Func<RestoreItem, DumpNamespace> place, MongoRestoreOptions options, Action<BackupEvent> tell, CancellationToken token)
    {
        var places = items.ToDictionary(item => item.Data, item => (Target: place(item), Ordered: item.IsCapped));
        using (var loader = new DocumentLoader(client, options.Threads, token))
        {
            source.Read(new LoadVisitor(loader, places), places.ContainsKey, oplog: false, done => options.Moved("writing", done), token);
            loader.Complete();
            Demand(loader, tell);
        }

        options.Moved("reading back", 0);
        SetProof.Demand(client, [.. items.Select(item => (place(item), item.Set!))], options.Threads, done => options.Moved("reading back", done), token);
        tell(new Said("All documents were read back from the server and are what the dump holds."));
    }

    private static void Demand(DocumentLoader loader, Action<BackupEvent> tell)
    {
        if (loader.RefusedCount == 0)
            return;
        foreach (var refused in loader.Refused.Skip(1).Take(MostNamed - 1))
            tell(new Warned($"The document {refused.Id} of {refused.Collection} was refused: {refused.Reason}"));
        var first = loader.Refused[0];
        throw new BackupException(
            FailureKind.RestoreFailed,
            $"The server refused {loader.RefusedCount} documents, the first of them {first.Id} of {first.Collection}: {first.Reason.TrimEnd('.')}.",
            "Restore into a server of the version that was backed up.",
            first.Collection.ToString());
    }

    private sealed class LoadVisitor(DocumentLoader loader, Dictionary<DumpNamespace, (DumpNamespace Target, bool Ordered)> places) : IDumpVisitor
    {
        public void Versions(DumpVersions versions)
        {
            // Known from the survey.
        }

        public void Metadata(DumpNamespace collection, CollectionMetadata metadata)
        {
            // Known from the survey.
        }

        public void Document(DumpNamespace collection, ReadOnlySpan<byte> bson)
        {
            var (target, ordered) = places[collection];
            loader.Add(target, ordered, bson);
        }

        public void End(DumpNamespace collection)
        {
            if (places.TryGetValue(collection, out var place))
                loader.End(place.Target);
        }

        public void Oplog(ReadOnlySpan<byte> entry)
        {
            // Comes when all documents are there.
        }

        public void Other(string path)
        {
            // No part of the dump.
        }
    }
}

/// <summary>Hands the oplog to a replayer, and nothing else.</summary>
internal sealed class OplogVisitor(Replay.OplogReplayer replayer) : IDumpVisitor
{
    public void Versions(DumpVersions versions)
    {
        // Known from the survey.
    }

    public void Metadata(DumpNamespace collection, CollectionMetadata metadata)
    {
        // Known from the survey.
    }

    public void Document(DumpNamespace collection, ReadOnlySpan<byte> bson)
    {
        // Written already.
    }

    public void End(DumpNamespace collection)
    {
        // Written already.
    }

    public void Oplog(ReadOnlySpan<byte> entry) => replayer.Apply(entry);

    public void Other(string path)
    {
        // No part of the dump.
    }
}
