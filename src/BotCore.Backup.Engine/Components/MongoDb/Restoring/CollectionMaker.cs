using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Restoring;

/// <summary>Makes, drops and renames collections at the target. One thread.</summary>
internal sealed class CollectionMaker(MongoClient client, CancellationToken token)
{
    /// <summary>Makes an empty collection or a view with the options of the dump.</summary>
    public void Create(DumpNamespace name, CollectionMetadata metadata)
    {
        var command = new BsonBuilder().Append("create", name.Collection);
        var options = metadata.Options.Read();
        while (options.Read())
        {
            // Old servers listed these, and no server takes them back.
            if (!options.Current.NameIs("uuid"u8) && !options.Current.NameIs("autoIndexId"u8) && !options.Current.NameIs("create"u8))
                command.Append(options.Current);
        }

        if (IdIndex(metadata) is { } idIndex)
            command.Append("idIndex", idIndex);
        Run(name, command, "create");
    }

    /// <summary>Drops a collection or view; none is fine.</summary>
    public void Drop(DumpNamespace name)
    {
        try
        {
            client.Run(name.Database, new BsonBuilder().Append("drop", name.Collection), token);
        }
        catch (MongoException gone) when (gone.Code == ServerReply.NamespaceNotFound)
        {
            // That is what was wanted.
        }
    }

    /// <summary>Renames within a database; a majority has it when this returns.</summary>
    public void Rename(DumpNamespace from, DumpNamespace to, bool dropTarget) => Run(
        from,
        new BsonBuilder().Append("renameCollection", from.ToString()).Append("to", to.ToString()).Append("dropTarget", dropTarget)
            .BeginDocument("writeConcern").Append("w", "majority").End(),
        "rename",
        database: "admin");

    // Its collation is the collection's; other than that, every collection has the same one.
    private static RawBson? IdIndex(CollectionMetadata metadata)
    {
        if (metadata.EffectiveType is not CollectionMetadata.Collection)
            return null;
        foreach (var index in metadata.Indexes)
        {
            if (!string.Equals(index.FindString("name"u8), "_id_", StringComparison.Ordinal) || index.IsTrue("clustered"u8))
                continue;
            var clean = new BsonBuilder();
            var fields = index.Read();
            while (fields.Read())
            {
                if (fields.Current.Name is var name && (name.SequenceEqual("v"u8) || name.SequenceEqual("key"u8) || name.SequenceEqual("name"u8) || name.SequenceEqual("collation"u8)))
                    clean.Append(fields.Current);
            }

            return clean.ToBson();
        }

        return null;
    }

    private void Run(DumpNamespace name, BsonBuilder command, string doing, string? database = null)
    {
        try
        {
            client.Run(database ?? name.Database, command, token);
        }
        catch (MongoException refused) when (refused.Error == MongoError.CommandFailed)
        {
            throw new BackupException(
                FailureKind.RestoreFailed, $"The server did not {doing} {name}: {refused.Message.TrimEnd('.')}.", "Restore into a server of the version that was backed up, or leave that collection out with -Exclude.", name.ToString(), refused);
        }
    }
}
