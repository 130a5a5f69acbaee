using System.Buffers.Binary;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Restoring;

/// <summary>What stood in place of one collection before a restore.</summary>
/// <param name="Name">The collection or view.</param>
/// <param name="Staged">Where the restore wrote it; null for a view.</param>
/// <param name="Kept">Where its old documents are kept; null where there was no collection.</param>
/// <param name="View">The definition of the view that stood there; null where there was none.</param>
internal sealed record UndoEntry(DumpNamespace Name, string? Staged, string? Kept, RawBson? View);

/// <summary>
/// Tells an undo, in the restored database itself and before anything there is changed, what to put back; so an undo works from any machine, and also after a restore that
/// died between two renames. One thread.
/// </summary>
internal sealed class UndoJournal(MongoClient client, CancellationToken token)
{
    public void Write(string id, string database, IReadOnlyList<UndoEntry> entries)
    {
        var documents = new DocumentSequence();
        var now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        foreach (var entry in entries)
        {
            var document = new BsonBuilder().Append("_id", entry.Name.Collection).Append("staged", entry.Staged).Append("kept", entry.Kept).AppendDateTime("at", now);
            if (entry.View is { } view)
                document.Append("view", view);
            else
                document.AppendNull("view");
            if (!documents.TryAdd(document.ToBson().Span, 8 << 20, client.Server.MaxWriteBatch))
                Flush(id, database, documents);
            if (documents.Count == 0)
                documents.TryAdd(document.ToBson().Span, 8 << 20, client.Server.MaxWriteBatch);
        }

        Flush(id, database, documents);
    }

    public IReadOnlyList<UndoEntry> Read(string id, string database)
    {
        var entries = new List<UndoEntry>();
        using var cursor = client.Open(database, new BsonBuilder().Append("find", StagingNames.Undo(id)), new CursorOptions(), token);
        while (cursor.Next() == CursorStep.Document)
        {
            var document = new RawBson(cursor.Current.ToArray());
            entries.Add(new UndoEntry(
                new DumpNamespace(database, document.FindString("_id"u8) ?? ""), document.FindString("staged"u8), document.FindString("kept"u8), document.FindDocument("view"u8)));
        }

        return entries;
    }

    /// <summary>When it was written, UTC; null where it does not say so.</summary>
    public DateTimeOffset? TimeOf(string id, string database)
    {
        DateTimeOffset? newest = null;
        using var cursor = client.Open(database, new BsonBuilder().Append("find", StagingNames.Undo(id)), new CursorOptions(), token);
        while (cursor.Next() == CursorStep.Document)
        {
            if (new RawBson(cursor.Current.ToArray()).TryFind("at"u8, out var at) && at.Type == BsonType.DateTime && DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64LittleEndian(at.Value)) is var time && !(newest > time))
                newest = time;
        }

        return newest;
    }

    public void Remove(string id, string database)
    {
        try
        {
            client.Run(database, new BsonBuilder().Append("drop", StagingNames.Undo(id)), token);
        }
        catch (MongoException gone) when (gone.Code == ServerReply.NamespaceNotFound)
        {
            // That is what was wanted.
        }
    }

    private void Flush(string id, string database, DocumentSequence documents)
    {
        if (documents.Count == 0)
            return;
        var command = new BsonBuilder().Append("insert", StagingNames.Undo(id)).BeginDocument("writeConcern").Append("w", "majority").End();
        var reply = client.Run(database, command, "documents", documents, token);
        if (reply.Has("writeErrors"u8))
            throw new MongoException(MongoError.CommandFailed, "the journal of the restore was refused");
        documents.Clear();
    }
}
