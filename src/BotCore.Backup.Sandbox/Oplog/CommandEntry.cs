using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Commands;
using BotCore.Backup.Sandbox.Storage;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Oplog;

/// <summary>Carries out one entry of type <c>c</c>.</summary>
internal sealed class CommandEntry(ServerState server, string database, Guid? uuid, Action<RawBson> operation)
{
    private const int CommandNotSupported = 115;

    public void Apply(RawBson command)
    {
        var reader = command.Read();
        if (!reader.Read())
            throw new ServerException(ServerException.FailedToParse, "A command entry is empty.");
        var name = reader.Current.NameText;
        switch (name)
        {
            case "create":
                Create(command, Target(reader.Current));
                break;
            case "drop":
                if (Find(Target(reader.Current)) is { } dropped)
                    server.Catalog.Drop(dropped);
                break;
            case "dropDatabase":
                server.Catalog.DropDatabase(database);
                break;
            case "createIndexes":
                server.Catalog.CreateIndexes(Need(Target(reader.Current)), [CollectionCommands.WithoutHead(command)]);
                break;
            case "commitIndexBuild":
                server.Catalog.CreateIndexes(Need(Target(reader.Current)), CommandContext.Elements(command.FindDocument("indexes"u8) ?? throw new ServerException(ServerException.FailedToParse, "indexes are missing")));
                break;
            case "dropIndexes" or "deleteIndexes" or "deleteIndex" or "dropIndex":
                DropIndexes(command, Need(Target(reader.Current)));
                break;
            case "collMod":
                server.Catalog.CollMod(Need(Target(reader.Current)), CollectionCommands.WithoutHead(command));
                break;
            case "renameCollection":
                Rename(command);
                break;
            case "convertToCapped":
                command.TryFind("size"u8, out var size);
                server.Catalog.ConvertToCapped(Need(Target(reader.Current)), size.AsDouble());
                break;
            case "applyOps":
                foreach (var inner in CommandContext.Elements(command.FindDocument("applyOps"u8) ?? RawBson.Empty))
                    operation(inner);
                break;
            default:
                throw new ServerException(CommandNotSupported, $"The {name} operation is not supported in applyOps mode");
        }
    }

    private Namespace Target(BsonElement element) => new(database, element.AsString());

    private StoredCollection? Find(Namespace ns) => uuid is { } id ? server.Store.Find(id) : server.Store.Find(ns);

    private StoredCollection Need(Namespace ns) => Find(ns) ?? throw new ServerException(ServerException.NamespaceNotFound, $"ns does not exist: {ns}");

    private void Create(RawBson command, Namespace ns)
    {
        // The same collection again is fine: an entry may be applied twice.
        if (server.Store.Find(ns) is { } there && (uuid is null || there.Uuid != uuid))
            throw new ServerException(ServerException.NamespaceExists, $"Collection {ns} already exists.");
        if (server.Store.Find(ns) is null)
            server.Catalog.Create(ns, CollectionCommands.WithoutHead(command), uuid);
    }

    private void DropIndexes(RawBson command, StoredCollection collection)
    {
        if (!command.TryFind("index"u8, out var wanted))
            throw new ServerException(ServerException.FailedToParse, "index is missing");
        foreach (var index in Catalog.FindIndexes(collection, BsonValue.CopyOf(wanted)))
            server.Catalog.DropIndex(collection, index);
    }

    private void Rename(RawBson command)
    {
        var to = Namespace.Parse(command.FindString("to"u8) ?? throw new ServerException(ServerException.FailedToParse, "'to' is missing"));
        var from = Namespace.Parse(command.FindString("renameCollection"u8)!);
        var dropTarget = command.TryFind("dropTarget"u8, out var drop) && (drop.Type == BsonType.Binary || drop.IsTruthy);
        server.Catalog.Rename(Need(from), to, dropTarget);
    }
}
