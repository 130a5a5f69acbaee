using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Queries;

namespace BotCore.Backup.Sandbox.Storage;

/// <summary>A document where it is kept; the number is -1 where a transaction made it and nobody else sees it yet.</summary>
internal readonly record struct StoredDocument(int Number, ReadOnlyMemory<byte> Bytes);

/// <summary>Where writes of documents go: to the store and the oplog at once, or into a transaction.</summary>
internal interface IDocumentWrites
{
    /// <summary>Matching documents as this writer sees them. Not lazy: the writer may change what it walks over.</summary>
    List<StoredDocument> Find(StoredCollection collection, Filter filter, int most = int.MaxValue);

    void Insert(StoredCollection collection, RawBson document, int statement);

    /// <summary><paramref name="logged"/> is what the entry says: a diff, or the new document.</summary>
    void Update(StoredCollection collection, StoredDocument old, RawBson document, RawBson logged, int statement);

    void Delete(StoredCollection collection, StoredDocument old, int statement);
}
