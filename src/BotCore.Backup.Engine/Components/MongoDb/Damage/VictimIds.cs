using System.Globalization;
using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Damage;

/// <summary>Ids of documents, each once, in the order in which they came. About 80 bytes each. One thread.</summary>
internal sealed class VictimIds
{
    private readonly HashSet<UInt128> _known = [];
    private readonly List<(BsonType Type, int Start)> _ids = [];
    private byte[] _bytes = new byte[4096];
    private int _length;

    public int Count => _ids.Count;

    public bool Contains(UInt128 key) => _known.Contains(key);

    public void Add(UInt128 key, BsonElement id)
    {
        if (!_known.Add(key))
            return;
        if (_bytes.Length - _length < id.Value.Length)
            Array.Resize(ref _bytes, Math.Max(2 * _bytes.Length, _length + id.Value.Length));
        _ids.Add((id.Type, _length));
        id.Value.CopyTo(_bytes.AsSpan(_length));
        _length += id.Value.Length;
    }

    /// <summary>Some of them as the documents <c>{_id: ...}</c>.</summary>
    public IReadOnlyList<RawBson> Page(int from, int count)
    {
        var page = new List<RawBson>(count);
        for (var at = from; at < Math.Min(from + count, _ids.Count); at++)
        {
            var (type, start) = _ids[at];
            var end = at + 1 < _ids.Count ? _ids[at + 1].Start : _length;
            page.Add(new BsonBuilder(end - start + 16).AppendRaw(type, "_id", _bytes.AsSpan(start..end)).ToBson());
        }

        return page;
    }

    /// <summary>The key of a document's <c>_id</c>.</summary>
    public static UInt128 KeyOf(ReadOnlySpan<byte> document) => RawBson.TryFind(document, "_id"u8, out var id) ? DocumentId.Key(id) : UInt128.Zero;

    /// <summary>A <c>find</c> for the documents of these ids.</summary>
    public static BsonBuilder Find(string collection, IEnumerable<RawBson> ids)
    {
        var find = new BsonBuilder().Append("find", collection).BeginDocument("filter").BeginDocument("_id").BeginArray("$in");
        var at = 0;
        foreach (var one in ids)
        {
            if (one.TryFind("_id"u8, out var id))
                find.Append((at++).ToString(CultureInfo.InvariantCulture), id);
        }

        return find.End().End().End();
    }
}
