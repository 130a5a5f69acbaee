using BotCore.Backup.Protocols.MongoDb.Bson;
using BotCore.Backup.Sandbox.Values;

namespace BotCore.Backup.Sandbox.Updates;

/// <summary>A document or array that is being changed. What no change touches stays the bytes that it was.</summary>
internal sealed class MutableDocument
{
    private readonly List<Field> _fields = [];

    private MutableDocument(bool isArray) => IsArray = isArray;

    public bool IsArray { get; }

    public int Count => _fields.Count;

    public static MutableDocument Of(RawBson document) => Of(BsonValue.Of(document));

    public static MutableDocument Of(BsonValue container)
    {
        var made = new MutableDocument(container.Type == BsonType.Array);
        var reader = container.Document.Read();
        while (reader.Read())
            made._fields.Add(new Field(reader.Current.Name.ToArray()) { Value = BsonValue.Within(container.Bytes, reader.Current) });
        return made;
    }

    public BsonValue Get(ReadOnlySpan<byte> name) => Find(name)?.Current ?? BsonValue.Missing;

    public BsonValue At(int index) => _fields[index].Current;

    /// <summary>The embedded document or array of that name, to be changed in place; null where the value is neither.</summary>
    public MutableDocument? Child(ReadOnlySpan<byte> name)
    {
        if (Find(name) is not { } field)
            return null;
        if (field.Child is null && field.Value.IsContainer)
            field.Child = Of(field.Value);
        return field.Child;
    }

    /// <summary>Sets the value where it stands, or at the end.</summary>
    public void Set(ReadOnlySpan<byte> name, BsonValue value)
    {
        if (Find(name) is not { } field)
        {
            Append(name, value);
            return;
        }

        field.Child = null;
        field.Value = value;
    }

    public void Append(ReadOnlySpan<byte> name, BsonValue value) => _fields.Add(new Field(name.ToArray()) { Value = value });

    /// <summary>Adds elements to an array; the names follow from the places.</summary>
    public void Push(BsonValue value) => _fields.Add(new Field([]) { Value = value });

    public void Insert(int index, BsonValue value) => _fields.Insert(index, new Field([]) { Value = value });

    public bool Remove(ReadOnlySpan<byte> name)
    {
        if (Find(name) is not { } field)
            return false;
        _fields.Remove(field);
        return true;
    }

    public void RemoveAt(int index) => _fields.RemoveAt(index);

    public int RemoveAll(Predicate<BsonValue> which) => _fields.RemoveAll(field => which(field.Current));

    /// <summary>Makes an array that long: cut off, or filled with nulls.</summary>
    public void Resize(int length)
    {
        if (length < _fields.Count)
            _fields.RemoveRange(length, _fields.Count - length);
        while (_fields.Count < length)
            Push(BsonValue.Null);
    }

    public RawBson ToBson()
    {
        var builder = new BsonBuilder(256);
        for (var i = 0; i < _fields.Count; i++)
        {
            var value = _fields[i].Current;
            if (IsArray)
                builder.AppendRaw(value.Type, i.ToString(System.Globalization.CultureInfo.InvariantCulture), value.Span);
            else
                builder.AppendRaw(value.Type, _fields[i].Name, value.Span);
        }

        return builder.ToBson();
    }

    private Field? Find(ReadOnlySpan<byte> name)
    {
        if (IsArray)
            return System.Buffers.Text.Utf8Parser.TryParse(name, out int index, out var used) && used == name.Length && index >= 0 && index < _fields.Count ? _fields[index] : null;
        foreach (var field in _fields)
        {
            if (name.SequenceEqual(field.Name))
                return field;
        }

        return null;
    }

    private sealed class Field(byte[] name)
    {
        public byte[] Name { get; } = name;

        public BsonValue Value { get; set; }

        public MutableDocument? Child { get; set; }

        public BsonValue Current => Child is null ? Value : new BsonValue(Child.IsArray ? BsonType.Array : BsonType.Document, Child.ToBson().Memory);
    }
}
