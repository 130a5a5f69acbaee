using System.Globalization;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.PointInTime;

/// <summary>A date of a <see cref="WriterDocument"/>: milliseconds since 1970.</summary>
internal readonly record struct WriterDate(long Milliseconds);

/// <summary>
/// A document as the writer's model knows it: fields in their order. Values are int, long, double, bool, string, null, <see cref="WriterDate"/>, documents and lists.
/// One that stands in a model is never changed: who wants to change it makes a copy.
/// </summary>
internal sealed class WriterDocument
{
    private readonly List<(string Name, object? Value)> _fields;

    public WriterDocument(params IEnumerable<(string Name, object? Value)> fields) => _fields = [.. fields];

    public IReadOnlyList<(string Name, object? Value)> Fields => _fields;

    public object? this[string name] => _fields.Find(field => string.Equals(field.Name, name, StringComparison.Ordinal)).Value;

    public bool Has(string name) => Find(name) >= 0;

    /// <summary>Sets the field where it stands, or at the end.</summary>
    public WriterDocument Set(string name, object? value)
    {
        if (Find(name) is >= 0 and var at)
            _fields[at] = (name, value);
        else
            _fields.Add((name, value));
        return this;
    }

    public bool Remove(string name) => _fields.RemoveAll(field => string.Equals(field.Name, name, StringComparison.Ordinal)) > 0;

    public WriterDocument Copy() => new(_fields.Select(field => (field.Name, CopyOf(field.Value))));

    /// <summary>The same fields in the order of their names.</summary>
    public WriterDocument Sorted() => new(_fields.OrderBy(field => field.Name, StringComparer.Ordinal));

    public RawBson ToBson()
    {
        var builder = new BsonBuilder();
        AppendTo(builder);
        return builder.ToBson();
    }

    /// <summary>Appends the fields.</summary>
    public BsonBuilder AppendTo(BsonBuilder builder)
    {
        foreach (var (name, value) in _fields)
            Append(builder, name, value);
        return builder;
    }

    private static void Append(BsonBuilder builder, string name, object? value)
    {
        _ = value switch
        {
            null => builder.AppendNull(name),
            int number => builder.Append(name, number),
            long number => builder.Append(name, number),
            double number => builder.Append(name, number),
            bool truth => builder.Append(name, truth),
            string text => builder.Append(name, text),
            WriterDate date => builder.AppendDateTime(name, date.Milliseconds),
            Guid uuid => builder.AppendBinary(name, uuid.ToByteArray(bigEndian: true), 4),
            RawBson raw => builder.Append(name, raw),
            WriterDocument document => document.AppendTo(builder.BeginDocument(name)).End(),
            List<object?> list => AppendList(builder.BeginArray(name), list),
            _ => throw new ArgumentException($"The model has no {value.GetType()}.", nameof(value)),
        };
    }

    private static BsonBuilder AppendList(BsonBuilder builder, List<object?> list)
    {
        for (var at = 0; at < list.Count; at++)
            Append(builder, at.ToString(CultureInfo.InvariantCulture), list[at]);
        return builder.End();
    }

    private static object? CopyOf(object? value) => value switch
    {
        WriterDocument document => document.Copy(),
        List<object?> list => list.ConvertAll(CopyOf),
        _ => value,
    };

    private int Find(string name) => _fields.FindIndex(field => string.Equals(field.Name, name, StringComparison.Ordinal));
}
