using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Damage;

/// <summary>Reads and writes single documents of a collection that others use meanwhile. One thread.</summary>
internal sealed class LiveCollection(MongoClient client, DumpNamespace name, CancellationToken token)
{
    public const int BatchBytes = 8 << 20;
    public const int BatchDocuments = 1000;

    // A server takes commands of 16 MiB, with a little more for what it adds itself.
    public const int MostStatementBytes = 16 << 20;

    public delegate void Take(ReadOnlySpan<byte> document);

    /// <summary>Reads the documents of these ids that a collection has, in no order.</summary>
    public void Find(DumpNamespace collection, IEnumerable<RawBson> ids, Take take)
    {
        using var cursor = client.Open(collection.Database, VictimIds.Find(collection.Collection, ids), new CursorOptions(), token);
        while (cursor.Next() == CursorStep.Document)
            take(cursor.Current);
    }

    /// <summary>Reads the documents of these ids as they are now.</summary>
    public void Find(IEnumerable<RawBson> ids, Take take) => Find(name, ids, take);

    /// <summary>Reads all documents of a collection.</summary>
    public void FindAll(DumpNamespace collection, Take take)
    {
        using var cursor = client.Open(collection.Database, new BsonBuilder().Append("find", collection.Collection), new CursorOptions(), token);
        while (cursor.Next() == CursorStep.Document)
            take(cursor.Current);
    }

    /// <summary>Sends documents or statements in no order. Gives how many were written, and why those were not that the server refused, by place.</summary>
    public (long Written, Dictionary<int, string> Refused) Write(string command, string field, DocumentSequence items)
    {
        var request = new BsonBuilder().Append(command, name.Collection).Append("ordered", value: false).Append("bypassDocumentValidation", value: true);
        var reply = client.Run(name.Database, request, field, items, token);
        if (reply.FindDocument("writeConcernError"u8) is { } concern)
            throw new MongoException(MongoError.CommandFailed, $"the write was not confirmed: {concern.FindString("errmsg"u8)}");
        var refused = new Dictionary<int, string>();
        if (reply.FindDocument("writeErrors"u8) is { } errors)
        {
            var reader = errors.Read();
            while (reader.Read())
            {
                var error = new RawBson(reader.Current.AsDocument().ToArray());
                refused[(int)(error.FindInt64("index"u8) ?? -1)] = ServerReply.Reason(error);
            }
        }

        return (reply.FindInt64("n"u8) ?? 0, refused);
    }

    /// <summary>Whether a server would put its own time into a document that is inserted or replaced: then it cannot be put back as it was.</summary>
    public static bool HasEmptyTimestamp(ReadOnlySpan<byte> document)
    {
        var reader = new BsonReader(document);
        while (reader.Read())
        {
            if (reader.Current.Type == BsonType.Timestamp && reader.Current.AsTimestamp().Value == 0)
                return true;
        }

        return false;
    }

    /// <summary>The document <c>{_id: ...}</c> of a document.</summary>
    public static RawBson IdOf(ReadOnlySpan<byte> document) =>
        RawBson.TryFind(document, "_id"u8, out var id) ? new BsonBuilder(id.Value.Length + 16).Append(id).ToBson() : RawBson.Empty;
}
