using System.Text;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Components.MongoDb;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Protocols.MongoDb;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Restoring;

/// <summary>Commands as Extended JSON, and what a database holds as text to compare.</summary>
internal static class ServerContent
{
    /// <summary>Runs a command that must succeed.</summary>
    public static RawBson Json(this MongoPlatform mongo, string command, string? database = null)
    {
        var builder = new BsonBuilder();
        var reader = ExtendedJson.Read(command).Read();
        while (reader.Read())
            builder.Append(reader.Current);
        return mongo.Run(builder, database);
    }

    /// <summary>Inserts documents given as Extended JSON.</summary>
    public static void Insert(this MongoPlatform mongo, string collection, params string[] documents) => mongo.Insert(collection, documents.Select(ExtendedJson.Read));

    /// <summary>Everything in a database but what restores keep for an undo: options, indexes in their order of names, count and hash of the documents. Views by definition.</summary>
    public static string Describe(this MongoPlatform mongo, string? database = null)
    {
        var text = new StringBuilder();
        foreach (var one in mongo.Find(new BsonBuilder().Append("listCollections", 1), database).OrderBy(one => one.FindString("name"u8), StringComparer.Ordinal))
        {
            var name = one.FindString("name"u8)!;
            if (name.StartsWith("__bot_", StringComparison.Ordinal) || string.Equals(name, "system.views", StringComparison.Ordinal))
                continue;
            var type = one.FindString("type"u8);
            text.Append(name).Append(' ').Append(type).Append(' ').Append(ExtendedJson.ToText(one.FindDocument("options"u8) ?? RawBson.Empty)).Append('\n');
            if (type is "view")
                continue;
            foreach (var index in mongo.Indexes(name, database))
                text.Append("  ").Append(index).Append('\n');
            if (type is "collection")
            {
                var set = mongo.SetOf(name, database);
                text.Append("  ").Append(set.Count).Append(' ').Append(set).Append('\n');
            }
        }

        return text.ToString();
    }

    /// <summary>The indexes of a collection as text, by name.</summary>
    public static IReadOnlyList<string> Indexes(this MongoPlatform mongo, string collection, string? database = null) =>
        [.. mongo.Find(new BsonBuilder().Append("listIndexes", collection), database).Select(ExtendedJson.ToText).Order(StringComparer.Ordinal)];

    /// <summary>Working and undo collections of restores in a database.</summary>
    public static IReadOnlyList<string> Leftovers(this MongoPlatform mongo, string? database = null) => [.. mongo.Collections(database).Where(name => name.StartsWith("__bot_", StringComparison.Ordinal))];

    /// <summary>All documents, in the server's order.</summary>
    public static IReadOnlyList<string> Texts(this MongoPlatform mongo, string collection, string? database = null) =>
        [.. mongo.Find(new BsonBuilder().Append("find", collection), database).Select(ExtendedJson.ToText)];

    private static List<RawBson> Find(this MongoPlatform mongo, BsonBuilder command, string? database)
    {
        var found = new List<RawBson>();
        using var cursor = mongo.Client.Open(database ?? mongo.Database, command, new CursorOptions(), CancellationToken.None);
        for (var step = cursor.Next(); step != CursorStep.End; step = cursor.Next())
        {
            if (step == CursorStep.Document)
                found.Add(new RawBson(cursor.Current.ToArray()));
        }

        return found;
    }
}

/// <summary>A dump made up by a test, with an oplog as a server might have written it.</summary>
internal sealed class MemoryDump : IDumpSource
{
    private readonly List<(DumpNamespace Name, CollectionMetadata Metadata, List<RawBson> Documents)> _collections = [];

    public List<RawBson> Oplog { get; } = [];

    /// <summary>Called before each document when the dump is read for writing; a test's way to come in between.</summary>
    public Action? Reading { get; set; }

    public string Name => "a made-up dump";

    public string? Identity { get; set; }

    public long Size => 0;

    public MemoryDump Add(string database, string collection, Guid? uuid, string[] documents, string[]? indexes = null, string? options = null)
    {
        var metadata = new CollectionMetadata
        {
            CollectionName = collection,
            Options = options is null ? RawBson.Empty : ExtendedJson.Read(options),
            Indexes = [.. (indexes ?? []).Select(ExtendedJson.Read)],
            Uuid = uuid?.ToString("N"),
        };
        _collections.Add((new DumpNamespace(database, collection), metadata, [.. documents.Select(ExtendedJson.Read)]));
        return this;
    }

    public DocumentSet? Expected(DumpNamespace name) => null;

    public void Prove(IDumpVisitor visitor, NamespaceFilter wanted, Action<long> moved, CancellationToken token) => Read(visitor, wanted.Wants, oplog: true, null);

    public void Read(IDumpVisitor visitor, Func<DumpNamespace, bool> documents, bool oplog, Action<long> moved, CancellationToken token) => Read(visitor, documents, oplog, Reading);

    private void Read(IDumpVisitor visitor, Func<DumpNamespace, bool> documents, bool oplog, Action? reading)
    {
        foreach (var (name, metadata, _) in _collections)
            visitor.Metadata(name, metadata);
        foreach (var (name, metadata, content) in _collections)
        {
            if (metadata.EffectiveType is CollectionMetadata.View || !documents(name))
                continue;
            foreach (var document in content)
            {
                reading?.Invoke();
                visitor.Document(name, document.Span);
            }

            visitor.End(name);
        }

        foreach (var entry in oplog ? Oplog : [])
            visitor.Oplog(entry.Span);
    }
}
