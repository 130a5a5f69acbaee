using System.Buffers.Text;
using System.Text;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Sandbox.Values;

/// <summary>A dotted path, and the walk of it through documents and arrays as queries do it.</summary>
internal sealed class BsonPath
{
    private readonly byte[][] _names;

    public BsonPath(string text)
    {
        Text = text;
        _names = [.. text.Split('.').Select(Encoding.UTF8.GetBytes)];
    }

    public string Text { get; }

    public int Depth => _names.Length;

    public ReadOnlySpan<byte> First => _names[0];

    /// <summary>The value that the path leads to without entering arrays by their elements; missing where there is none.</summary>
    public BsonValue Find(ReadOnlyMemory<byte> document)
    {
        var at = new BsonValue(BsonType.Document, document);
        foreach (var name in _names)
        {
            if (!at.IsContainer || !RawBson.TryFind(at.Span, name, out var element))
                return BsonValue.Missing;
            at = BsonValue.Within(at.Bytes, element);
        }

        return at;
    }

    /// <summary>
    /// Every value that the path leads to, entering arrays on the way by index and by element; an array at the end is given whole, and, with <paramref name="spread"/>, its elements too.
    /// Where a branch ends early, a missing value stands for it.
    /// </summary>
    public void Collect(ReadOnlyMemory<byte> document, bool spread, List<BsonValue> found) => Collect(new BsonValue(BsonType.Document, document), 0, spread, found);

    private void Collect(BsonValue at, int depth, bool spread, List<BsonValue> found)
    {
        if (depth == _names.Length)
        {
            found.Add(at);
            if (spread && at.Type == BsonType.Array)
                CollectElements(at, found);
            return;
        }

        if (at.Type == BsonType.Document)
        {
            Collect(RawBson.TryFind(at.Span, _names[depth], out var element) ? BsonValue.Within(at.Bytes, element) : BsonValue.Missing, depth, found, spread);
            return;
        }

        if (at.Type == BsonType.Array)
            CollectInArray(at, depth, spread, found);
        else
            found.Add(BsonValue.Missing);
    }

    private void Collect(BsonValue next, int depth, List<BsonValue> found, bool spread)
    {
        if (next.IsMissing)
            found.Add(next);
        else
            Collect(next, depth + 1, spread, found);
    }

    private void CollectInArray(BsonValue array, int depth, bool spread, List<BsonValue> found)
    {
        var name = _names[depth];
        if (Utf8Parser.TryParse(name, out uint _, out var used) && used == name.Length && RawBson.TryFind(array.Span, name, out var indexed))
            Collect(BsonValue.Within(array.Bytes, indexed), depth + 1, spread, found);
        var reader = new BsonReader(array.Span);
        while (reader.Read())
        {
            if (reader.Current.Type == BsonType.Document)
                Collect(BsonValue.Within(array.Bytes, reader.Current), depth, spread, found);
        }
    }

    private static void CollectElements(BsonValue array, List<BsonValue> found)
    {
        var reader = new BsonReader(array.Span);
        while (reader.Read())
            found.Add(BsonValue.Within(array.Bytes, reader.Current));
    }
}
