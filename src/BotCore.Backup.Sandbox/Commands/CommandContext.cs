using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Protocols.MongoDb.Wire;
using BotCore.Backup.Sandbox.Sessions;
using BotCore.Backup.Sandbox.Storage;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Commands;

/// <summary>One command on its way: what was asked, by whom, and the answer that grows.</summary>
internal sealed class CommandContext(ServerState server, ClientState client, OpMsg message, BsonBuilder reply)
{
    public ServerState Server { get; } = server;

    public ClientState Client { get; } = client;

    public OpMsg Message { get; } = message;

    public RawBson Command { get; init; } = message.Body;

    public required string Name { get; init; }

    public required string Database { get; init; }

    public BsonBuilder Reply { get; } = reply;

    public bool MayExhaust => Message.Flags.HasFlag(OpMsgFlags.ExhaustAllowed);

    /// <summary>Set by a command whose next answer follows unasked: the cursor that goes on.</summary>
    public ServerCursor? Streaming { get; set; }

    public string Argument => Command.FindString(System.Text.Encoding.UTF8.GetBytes(Name)) ?? throw new ServerException(ServerException.InvalidNamespace, $"{Name} has invalid type");

    public Namespace Target => new(Database, Argument);

    /// <summary>The session and transaction that the command belongs to; null for none.</summary>
    public TransactionTag? Transaction => TransactionTag.Of(Command);

    public StoredCollection? Find() => Server.Store.Find(Target);

    public StoredCollection Need() => Find() ?? throw new ServerException(ServerException.NamespaceNotFound, $"ns does not exist: {Target}");

    /// <summary>The documents of an argument, whether it came as a section of its own or as an array.</summary>
    public IEnumerable<RawBson> Documents(string name)
    {
        foreach (var sequence in Message.Sequences)
        {
            if (string.Equals(sequence.Name, name, StringComparison.Ordinal))
                return sequence.Documents;
        }

        var array = Command.FindDocument(System.Text.Encoding.UTF8.GetBytes(name)) ?? throw new ServerException(40414, $"BSON field '{Name}.{name}' is missing but a required field");
        return Elements(array);
    }

    public static IEnumerable<RawBson> Elements(RawBson array)
    {
        var documents = new List<RawBson>();
        var reader = array.Read();
        while (reader.Read())
        {
            if (reader.Current.Type != BsonType.Document)
                throw new ServerException(ServerException.TypeMismatch, "An array of documents is needed.");
            documents.Add(new RawBson(BsonValue.Slice(array.Memory, reader.Current.Value)));
        }

        return documents;
    }
}
