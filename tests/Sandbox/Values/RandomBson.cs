using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Sandbox.Tests.Values;

/// <summary>Documents at random, but the same ones for the same seed; small alphabets, so that they meet often.</summary>
internal sealed class RandomBson(int seed)
{
    private static readonly string[] Names = ["a", "b", "c", "d", "e", "s", "u1", "l", "0", ""];

    private readonly Random _random = new(seed);

    public RawBson Document(int depth = 3)
    {
        var builder = new BsonBuilder();
        foreach (var name in Names.Where(_ => _random.Next(2) == 0).OrderBy(_ => _random.Next()).ToList())
            Doc.Append(builder, name, Value(depth));
        return builder.ToBson();
    }

    /// <summary>The document with a few changes, some of them deep inside.</summary>
    public RawBson Changed(RawBson document, int depth = 3)
    {
        var builder = new BsonBuilder();
        var left = new List<string>();
        var reader = document.Read();
        while (reader.Read())
        {
            left.Add(reader.Current.NameText);
            switch (_random.Next(8))
            {
                case 0:
                    break;
                case 1:
                    Doc.Append(builder, reader.Current.NameText, Value(depth));
                    break;
                case 2 when reader.Current.Type == BsonType.Document:
                    builder.Append(reader.Current.NameText, Changed(new RawBson(reader.Current.Value.ToArray()), depth - 1));
                    break;
                case 3 when reader.Current.Type == BsonType.Array:
                    builder.AppendArray(reader.Current.NameText, ChangedArray(reader.Current.Value.ToArray(), depth - 1).Span);
                    break;
                default:
                    builder.Append(reader.Current);
                    break;
            }
        }

        foreach (var name in Names.Except(left, StringComparer.Ordinal).Where(_ => _random.Next(6) == 0))
            Doc.Append(builder, name, Value(depth));
        return builder.ToBson();
    }

    public object? Value(int depth) => _random.Next(depth > 0 ? 14 : 11) switch
    {
        0 => _random.Next(-3, 4),
        1 => (long)_random.Next(-3, 4),
        2 => _random.Next(-6, 7) / 2.0,
        3 => _random.Next(-6, 7) / 2m,
        4 => new string('x', _random.Next(4)),
        5 => _random.Next(2) == 0,
        6 => null,
        7 => new BsonTimestamp((uint)_random.Next(3), (uint)_random.Next(3)),
        8 => DateTimeOffset.FromUnixTimeSeconds(_random.Next(3)),
        9 => new byte[_random.Next(3)],
        10 => _random.Next(2) == 0 ? BsonType.MinKey : BsonType.MaxKey,
        11 => Enumerable.Range(0, _random.Next(5)).Select(_ => Value(depth - 1)).ToArray(),
        _ => Document(depth - 1),
    };

    private RawBson ChangedArray(byte[] array, int depth)
    {
        var elements = new List<Action<BsonBuilder, string>>();
        var reader = new BsonReader(array);
        while (reader.Read())
        {
            var (type, value) = (reader.Current.Type, reader.Current.Value.ToArray());
            if (_random.Next(4) == 0)
                elements.Add((builder, name) => Doc.Append(builder, name, Value(depth)));
            else if (type == BsonType.Document && _random.Next(2) == 0)
                elements.Add((builder, name) => builder.Append(name, Changed(new RawBson(value), depth)));
            else
                elements.Add((builder, name) => builder.AppendRaw(type, name, value));
        }

        if (elements.Count > 0 && _random.Next(3) == 0)
            elements.RemoveAt(elements.Count - 1);
        if (_random.Next(3) == 0)
            elements.Add((builder, name) => Doc.Append(builder, name, Value(depth)));
        var changed = new BsonBuilder();
        for (var i = 0; i < elements.Count; i++)
            elements[i](changed, i.ToString(System.Globalization.CultureInfo.InvariantCulture));
        return changed.ToBson();
    }
}
