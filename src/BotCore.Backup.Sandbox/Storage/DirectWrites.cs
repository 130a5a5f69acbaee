using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Oplog;
using BotCore.Backup.Sandbox.Queries;
using BotCore.Backup.Sandbox.Sessions;

namespace BotCore.Backup.Sandbox.Storage;

/// <summary>Writes that count at once, each with its oplog entry. The caller holds the server's lock for writers.</summary>
internal sealed class DirectWrites(ServerState server, TransactionTag? tag = null) : IDocumentWrites
{
    private readonly BsonBuilder _id = new(64);

    public List<StoredDocument> Find(StoredCollection collection, Filter filter, int most = int.MaxValue) =>
        [.. Scan.Records(collection, filter).Take(most).Select(record => new StoredDocument(record.Number, record.Document))];

    public void Insert(StoredCollection collection, RawBson document, int statement)
    {
        collection.Insert(document.Span);
        Log(collection, "i", document, Id(document.Span), statement);
        while (collection.IsOverfull)
            Delete(collection, new StoredDocument(collection.Records.First, collection.Records[collection.Records.First]), statement);
        AfterWrite(collection);
    }

    public void Update(StoredCollection collection, StoredDocument old, RawBson document, RawBson logged, int statement)
    {
        collection.Replace(old.Number, document.Span);
        Log(collection, "u", logged, Id(document.Span), statement);
        AfterWrite(collection);
    }

    public void Delete(StoredCollection collection, StoredDocument old, int statement)
    {
        collection.Remove(old.Number);
        Log(collection, "d", Id(old.Bytes.Span), null, statement);
        AfterWrite(collection);
    }

    public static RawBson IdOf(ReadOnlySpan<byte> document)
    {
        RawBson.TryFind(document, "_id"u8, out var id);
        return new BsonBuilder(64).Append(id).ToBson();
    }

    // Valid until the next call: the oplog copies it.
    private RawBson Id(ReadOnlySpan<byte> document)
    {
        RawBson.TryFind(document, "_id"u8, out var id);
        _id.Clear();
        _id.Append(id);
        return new RawBson(_id.Finish());
    }

    private void Log(StoredCollection collection, string op, RawBson document, RawBson? second, int statement)
    {
        if (!collection.Namespace.IsReplicated || !server.Oplog.IsOn)
            return;
        server.Oplog.Append(new OplogEntry(op, collection.Namespace.ToString(), document) { Uuid = collection.Uuid, Second = second, Tag = tag, Statement = tag is null ? null : statement });
    }

    private void AfterWrite(StoredCollection collection)
    {
        if (string.Equals(collection.Namespace.Collection, "system.views", StringComparison.Ordinal))
            server.Catalog.RefreshViews(collection.Namespace.Database);
    }
}
