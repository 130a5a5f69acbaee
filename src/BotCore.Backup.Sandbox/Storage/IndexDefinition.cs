using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Queries;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Storage;

/// <summary>An index as it was asked for, all options in their order, and, where it is unique, the keys that it holds.</summary>
internal sealed class IndexDefinition
{
    private readonly BsonPath[] _paths;
    private readonly bool _sparse;
    private readonly Filter? _partial;
    private readonly Dictionary<ValueKey, int>? _keys;

    public IndexDefinition(RawBson spec)
    {
        Spec = spec;
        Name = spec.FindString("name"u8) ?? throw new ServerException(ServerException.FailedToParse, "The 'name' field is a required property of an index specification");
        Key = spec.FindDocument("key"u8) ?? throw new ServerException(ServerException.FailedToParse, "The 'key' field is a required property of an index specification");
        if (Key.IsEmpty)
            throw new ServerException(ServerException.CannotCreateIndex, "Index keys cannot be empty.");
        _sparse = spec.IsTrue("sparse"u8);
        _partial = spec.FindDocument("partialFilterExpression"u8) is { } partial ? Filter.Parse(partial) : null;
        IsUnique = spec.IsTrue("unique"u8);
        _paths = [.. Fields(Key)];
        if (IsUnique && !IsId)
            _keys = [];
    }

    public RawBson Spec { get; }

    public string Name { get; }

    public RawBson Key { get; }

    public bool IsUnique { get; }

    public bool IsId => string.Equals(Name, "_id_", StringComparison.Ordinal);

    /// <summary>Throws DuplicateKey where the document's keys belong to another record.</summary>
    public void Check(Namespace ns, ReadOnlyMemory<byte> document, int self)
    {
        if (_keys is null)
            return;
        foreach (var (key, shown) in KeysOf(document))
        {
            if (_keys.TryGetValue(key, out var owner) && owner != self)
                throw new DuplicateKeyException(ns, Name, Key, shown);
        }
    }

    public void Add(ReadOnlyMemory<byte> document, int number)
    {
        if (_keys is null)
            return;
        foreach (var (key, _) in KeysOf(document))
            _keys[key] = number;
    }

    public void Remove(ReadOnlyMemory<byte> document, int number)
    {
        if (_keys is null)
            return;
        foreach (var (key, _) in KeysOf(document))
        {
            if (_keys.TryGetValue(key, out var owner) && owner == number)
                _keys.Remove(key);
        }
    }

    private static IEnumerable<BsonPath> Fields(RawBson key)
    {
        var names = new List<BsonPath>();
        var reader = key.Read();
        while (reader.Read())
            names.Add(new BsonPath(reader.Current.NameText));
        return names;
    }

    // One key for each element of the one array that a compound key may hold.
    private List<(ValueKey Key, RawBson Shown)> KeysOf(ReadOnlyMemory<byte> document)
    {
        var keys = new List<(ValueKey, RawBson)>();
        if (_partial is not null && !_partial.Matches(document))
            return keys;
        var columns = Array.ConvertAll(_paths, path => Column(path, document));
        if (_sparse && columns.All(column => column.TrueForAll(value => value.IsMissing)))
            return keys;
        var rows = columns.Max(column => column.Count);
        for (var row = 0; row < rows; row++)
        {
            var builder = new BsonBuilder(64);
            foreach (var column in columns)
            {
                var value = column[Math.Min(row, column.Count - 1)];
                builder.AppendRaw(value.IsMissing ? BsonType.Null : value.Type, "", value.Span);
            }

            var shown = builder.ToBson();
            keys.Add((ValueKey.Of(BsonValue.Of(shown)), shown));
        }

        return keys;
    }

    private static List<BsonValue> Column(BsonPath path, ReadOnlyMemory<byte> document)
    {
        var found = new List<BsonValue>();
        path.Collect(document, spread: true, found);
        if (found.Count > 1)
            found.RemoveAll(value => value.Type == BsonType.Array);
        if (found.Count == 0)
            found.Add(BsonValue.Missing);
        return found;
    }
}

/// <summary>E11000, with what the reply tells beside the text.</summary>
internal sealed class DuplicateKeyException(Namespace ns, string index, RawBson pattern, RawBson value)
    : Exception($"E11000 duplicate key error collection: {ns} index: {index} dup key")
{
    public RawBson Pattern { get; } = pattern;

    public RawBson KeyValue { get; } = value;
}
