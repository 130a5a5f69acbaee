using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Replay;

/// <summary>Writes an entry as <c>applyOps</c> takes it: its bytes as they are, without what belongs to the server that wrote it, and under the target's names. One thread.</summary>
/// <param name="map">Names at the target.</param>
internal sealed class OperationWriter(NamespaceMap map)
{
    private readonly BsonBuilder _builder = new(4096);

    /// <summary>A change of one document. Valid until the next call.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="ns">The source's namespace of the collection.</param>
    /// <param name="target">The target's.</param>
    public ReadOnlySpan<byte> Change(in OplogEntry entry, string ns, string target)
    {
        _builder.Clear();
        var isView = ns.EndsWith(".system.views", StringComparison.Ordinal);
        var reader = new BsonReader(entry.Raw);
        while (reader.Read())
        {
            var element = reader.Current;
            if (element.NameIs("ns"u8))
                _builder.Append("ns", target);
            else if (isView && element.Type == BsonType.Document && (element.NameIs("o"u8) || element.NameIs("o2"u8)))
                AppendView(element, NamespaceMap.DatabaseOf(ns));
            else if (!IsOfTheSource(element.Name))
                _builder.Append(element);
        }

        return _builder.Finish().Span;
    }

    /// <summary>An insert of one of several documents of an entry. Valid until the next call.</summary>
    public ReadOnlySpan<byte> Insert(ReadOnlySpan<byte> document, string target)
    {
        _builder.Clear();
        _builder.Append("op", "i").Append("ns", target).AppendDocument("o", document);
        return _builder.Finish().Span;
    }

    /// <summary>A command, whose first field names its collection, under that name at the target, and without the fields in <paramref name="without"/>.</summary>
    public RawBson Command(in OplogEntry entry, string target, params ReadOnlySpan<string> without)
    {
        _builder.Clear();
        _builder.BeginArray("applyOps").BeginDocument("0").Append("op", "c").Append("ns", NamespaceMap.DatabaseOf(target) + ".$cmd").BeginDocument("o");
        var reader = new BsonReader(entry.Object);
        var isFirst = true;
        while (reader.Read())
        {
            var element = reader.Current;
            if (isFirst)
                _builder.Append(element.NameText, NamespaceMap.CollectionOf(target));
            else if (element.NameIs("idIndex"u8) && element.Type == BsonType.Document)
                AppendWithout(element, "ns"u8);
            else if (element.NameIs("viewOn"u8) && element.Type == BsonType.String)
                _builder.Append("viewOn", ViewOn(NamespaceMap.DatabaseOf(entry.NamespaceText), element.AsString()));
            else if (without.IndexOf(element.NameText) < 0)
                _builder.Append(element);
            isFirst = false;
        }

        _builder.End().End().End();
        ReplayBatch.AppendOptions(_builder, atomic: true);
        return _builder.ToBson();
    }

    // What names a place, a session or an identity on the server that wrote the entry, or its clock.
    private static bool IsOfTheSource(ReadOnlySpan<byte> name) => name switch
    {
        [(byte)'u', (byte)'i'] or [(byte)'t', (byte)'s'] or [(byte)'t'] or [(byte)'h'] => true,
        _ => name.SequenceEqual("wall"u8) || name.SequenceEqual("stmtId"u8) || name.SequenceEqual("rid"u8) || name.SequenceEqual("lsid"u8) || name.SequenceEqual("txnNumber"u8)
            || name.SequenceEqual("prevOpTime"u8) || name.SequenceEqual("multiOpType"u8) || name.SequenceEqual("fromMigrate"u8) || name.SequenceEqual("_id"u8)
            || name.SequenceEqual("preImageOpTime"u8) || name.SequenceEqual("postImageOpTime"u8) || name.SequenceEqual("needsRetryImage"u8) || name.SequenceEqual("destinedRecipient"u8),
    };

    private void AppendWithout(BsonElement element, ReadOnlySpan<byte> name)
    {
        _builder.BeginDocument(element.NameText);
        var reader = new BsonReader(element.AsDocument());
        while (reader.Read())
        {
            if (!reader.Current.NameIs(name))
                _builder.Append(reader.Current);
        }

        _builder.End();
    }

    // A view is a document of system.views, named by its namespace and standing on a collection of the same database.
    private void AppendView(BsonElement element, string database)
    {
        _builder.BeginDocument(element.NameText);
        var reader = new BsonReader(element.AsDocument());
        while (reader.Read())
        {
            var field = reader.Current;
            if (field.NameIs("_id"u8) && field.Type == BsonType.String)
                _builder.Append("_id", map.Target(field.AsString()));
            else if (field.NameIs("viewOn"u8) && field.Type == BsonType.String)
                _builder.Append("viewOn", ViewOn(database, field.AsString()));
            else
                _builder.Append(field);
        }

        _builder.End();
    }

    private string ViewOn(string database, string collection) => NamespaceMap.CollectionOf(map.Target(database + "." + collection));
}
