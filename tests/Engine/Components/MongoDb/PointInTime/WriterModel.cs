using System.Globalization;
using System.Text;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.PointInTime;

/// <summary>One collection of a <see cref="WriterModel"/>.</summary>
internal sealed class WriterCollection(WriterDocument options)
{
    public WriterDocument Options { get; set; } = options;

    /// <summary>By name, without the one on _id, in the order they were made in.</summary>
    public OrderedDictionary<string, WriterDocument> Indexes { get; } = new(StringComparer.Ordinal);

    /// <summary>By _id, in the order of their inserts.</summary>
    public OrderedDictionary<string, WriterDocument> Documents { get; } = new(StringComparer.Ordinal);

    public bool IsCapped => Options["capped"] is true;
}

/// <summary>
/// What the databases hold by the writer's own account. Nothing in it was ever read from a server. A capped collection loses its oldest documents with the insert
/// that is too much, though the server's oplog tells so by entries of their own.
/// </summary>
internal sealed class WriterModel
{
    /// <summary>By namespace; buckets of time-series collections among them.</summary>
    public SortedDictionary<string, WriterCollection> Collections { get; } = new(StringComparer.Ordinal);

    /// <summary>Views, and time-series collections as what one sees of them: namespace and options.</summary>
    public SortedDictionary<string, WriterDocument> Views { get; } = new(StringComparer.Ordinal);

    /// <summary>Databases that have a system.views.</summary>
    public HashSet<string> ViewDatabases { get; } = new(StringComparer.Ordinal);

    public static string KeyOf(WriterDocument document) => Convert.ToHexString(new WriterDocument([("_id", document["_id"])]).ToBson().Span);

    public WriterCollection this[string ns] => Collections[ns];

    public void Insert(string ns, WriterDocument document)
    {
        var collection = Collections[ns];
        collection.Documents.Add(KeyOf(document), document);
        while (collection.IsCapped && IsOverfull(collection))
            collection.Documents.RemoveAt(0);
    }

    public void Put(string ns, WriterDocument document) => Collections[ns].Documents[KeyOf(document)] = document;

    public void Delete(string ns, string key) => Collections[ns].Documents.Remove(key);

    public void Rename(string from, string to)
    {
        var collection = Collections[from];
        Collections.Remove(from);
        Collections[to] = collection;
    }

    /// <summary>All of it as text: options, indexes, views, and every document with its bytes.</summary>
    public IReadOnlyList<string> Describe()
    {
        var lines = new List<string>();
        foreach (var (ns, collection) in Collections)
        {
            var indexes = collection.Indexes.Values.Select(index => index.ToBson());
            lines.AddRange(WriterPicture.Lines(ns, collection.Options.ToBson(), indexes, collection.Documents.Values.Select(document => document.ToBson()), collection.IsCapped));
        }

        lines.AddRange(Views.Select(view => WriterPicture.ViewLine(view.Key, view.Value.ToBson())));
        lines.Sort(StringComparer.Ordinal);
        return lines;
    }

    private static bool IsOverfull(WriterCollection collection)
    {
        var size = (Convert.ToInt64(collection.Options["size"], CultureInfo.InvariantCulture) + 255) / 256 * 256;
        var most = collection.Options["max"] is int max ? max : int.MaxValue;
        return collection.Documents.Count > 1 && (collection.Documents.Count > most || collection.Documents.Values.Sum(document => (long)document.ToBson().Length) > size);
    }
}

/// <summary>What must be on a server, or is, as lines of text that can be compared.</summary>
internal static class WriterPicture
{
    private const string Buckets = ".system.buckets.";

    public static IEnumerable<string> Lines(string ns, RawBson options, IEnumerable<RawBson> indexes, IEnumerable<RawBson> documents, bool isOrdered)
    {
        // What the options and the own indexes of buckets are is the server's affair; what one sees of them stands with the time-series collection.
        if (!ns.Contains(Buckets, StringComparison.Ordinal))
        {
            yield return $"{ns} collection {Sorted(options)}";
            foreach (var index in indexes.Where(index => index.FindString("name"u8) is not "_id_"))
                yield return $"{ns} index {Sorted(index)}";
        }

        var place = 0;
        foreach (var document in documents)
            yield return $"{ns} document {(isOrdered ? place++.ToString("D5", CultureInfo.InvariantCulture) + " " : "")}{ExtendedJson.ToText(document)} {Convert.ToHexString(document.Span)}";
    }

    public static string ViewLine(string ns, RawBson options) => $"{ns} seen as {Sorted(options)}";

    /// <summary>The server's databases.</summary>
    public static IReadOnlyList<string> Of(Func<string, BsonBuilder, IReadOnlyList<RawBson>> read, IEnumerable<string> databases)
    {
        var lines = new List<string>();
        foreach (var database in databases)
        {
            foreach (var one in read(database, new BsonBuilder().Append("listCollections", 1)))
            {
                var name = one.FindString("name"u8)!;
                // What a restore keeps for its undo stays until that expires; anything else of its own would be a leftover.
                if (name.StartsWith("__bot_undo_", StringComparison.Ordinal) || (name.StartsWith("system.", StringComparison.Ordinal) && !name.StartsWith(Buckets[1..], StringComparison.Ordinal)))
                    continue;
                var options = one.FindDocument("options"u8) ?? RawBson.Empty;
                if (one.FindString("type"u8) is not "collection")
                    lines.Add(ViewLine($"{database}.{name}", options));
                else
                    lines.AddRange(Lines($"{database}.{name}", options, read(database, new BsonBuilder().Append("listIndexes", name)), read(database, new BsonBuilder().Append("find", name)), options.IsTrue("capped"u8)));
            }
        }

        lines.Sort(StringComparer.Ordinal);
        return lines;
    }

    /// <summary>What is missing and what is too much, the first few of each; null where the two are equal.</summary>
    public static string? Difference(IReadOnlyList<string> expected, IReadOnlyList<string> actual)
    {
        if (expected.SequenceEqual(actual, StringComparer.Ordinal))
            return null;
        var text = new StringBuilder();
        foreach (var (title, lines) in ((string, IEnumerable<string>)[])[("missing", expected.Except(actual, StringComparer.Ordinal)), ("too much", actual.Except(expected, StringComparer.Ordinal))])
            text.Append(title).Append(":\n  ").AppendJoin("\n  ", lines.Take(8)).Append('\n');
        return text.ToString();
    }

    private static string Sorted(RawBson document)
    {
        var fields = new SortedDictionary<string, RawBson>(StringComparer.Ordinal);
        var reader = document.Read();
        while (reader.Read())
            fields[reader.Current.NameText] = new BsonBuilder().Append(reader.Current).ToBson();
        return string.Join(' ', fields.Values.Select(ExtendedJson.ToText));
    }
}
