using System.Buffers.Binary;
using System.Text;

namespace BotCore.Backup.Protocols.MongoDb.Bson;

/// <summary>Builds one document into a buffer that grows. Elements stand in the order of the calls. Not thread-safe; may be used again after <see cref="Clear"/>.</summary>
public sealed class BsonBuilder
{
    private readonly Stack<int> _open = new();
    private byte[] _buffer;
    private int _length;

    /// <summary>Begins an empty document.</summary>
    public BsonBuilder(int capacity = 256)
    {
        _buffer = new byte[Math.Max(capacity, 16)];
        Clear();
    }

    /// <summary>Begins anew, keeping the buffer.</summary>
    public void Clear()
    {
        _open.Clear();
        _open.Push(0);
        _length = 4;
    }

    /// <summary>Appends a string; null appends BSON null.</summary>
    public BsonBuilder Append(string name, string? value)
    {
        if (value is null)
            return AppendNull(name);
        var bytes = Encoding.UTF8.GetByteCount(value);
        Begin(BsonType.String, name);
        BinaryPrimitives.WriteInt32LittleEndian(Take(4), bytes + 1);
        Encoding.UTF8.GetBytes(value, Take(bytes));
        Take(1)[0] = 0;
        return this;
    }

    /// <summary>Appends 32 bits.</summary>
    public BsonBuilder Append(string name, int value)
    {
        Begin(BsonType.Int32, name);
        BinaryPrimitives.WriteInt32LittleEndian(Take(4), value);
        return this;
    }

    /// <summary>Appends 64 bits.</summary>
    public BsonBuilder Append(string name, long value)
    {
        Begin(BsonType.Int64, name);
        BinaryPrimitives.WriteInt64LittleEndian(Take(8), value);
        return this;
    }

    /// <summary>Appends a double.</summary>
    public BsonBuilder Append(string name, double value)
    {
        Begin(BsonType.Double, name);
        BinaryPrimitives.WriteDoubleLittleEndian(Take(8), value);
        return this;
    }

    /// <summary>Appends a Boolean.</summary>
    public BsonBuilder Append(string name, bool value)
    {
        Begin(BsonType.Boolean, name);
        Take(1)[0] = value ? (byte)1 : (byte)0;
        return this;
    }

    /// <summary>Appends a timestamp.</summary>
    public BsonBuilder Append(string name, BsonTimestamp value)
    {
        Begin(BsonType.Timestamp, name);
        BinaryPrimitives.WriteUInt64LittleEndian(Take(8), value.Value);
        return this;
    }

    /// <summary>Appends an embedded document.</summary>
    public BsonBuilder Append(string name, RawBson document) => AppendDocument(name, document.Span);

    /// <summary>Appends null.</summary>
    public BsonBuilder AppendNull(string name)
    {
        Begin(BsonType.Null, name);
        return this;
    }

    /// <summary>Appends a date, milliseconds since 1970.</summary>
    public BsonBuilder AppendDateTime(string name, long milliseconds)
    {
        Begin(BsonType.DateTime, name);
        BinaryPrimitives.WriteInt64LittleEndian(Take(8), milliseconds);
        return this;
    }

    /// <summary>Appends bytes under a subtype other than 2.</summary>
    public BsonBuilder AppendBinary(string name, ReadOnlySpan<byte> bytes, byte subtype = 0)
    {
        Begin(BsonType.Binary, name);
        BinaryPrimitives.WriteInt32LittleEndian(Take(4), bytes.Length);
        Take(1)[0] = subtype;
        bytes.CopyTo(Take(bytes.Length));
        return this;
    }

    /// <summary>Appends an embedded document from its bytes.</summary>
    public BsonBuilder AppendDocument(string name, ReadOnlySpan<byte> document) => AppendRaw(BsonType.Document, name, document);

    /// <summary>Appends an array from its bytes.</summary>
    public BsonBuilder AppendArray(string name, ReadOnlySpan<byte> array) => AppendRaw(BsonType.Array, name, array);

    /// <summary>Appends a value of any type from the bytes that stand behind a name.</summary>
    public BsonBuilder AppendRaw(BsonType type, string name, ReadOnlySpan<byte> value)
    {
        Begin(type, name);
        value.CopyTo(Take(value.Length));
        return this;
    }

    /// <summary>Appends a value of any type under a name given as bytes without NUL.</summary>
    public BsonBuilder AppendRaw(BsonType type, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        Begin(type, name);
        value.CopyTo(Take(value.Length));
        return this;
    }

    /// <summary>Appends an element as it is.</summary>
    public BsonBuilder Append(BsonElement element) => AppendRaw(element.Type, element.Name, element.Value);

    /// <summary>Appends an element's value under another name.</summary>
    public BsonBuilder Append(string name, BsonElement element) => AppendRaw(element.Type, name, element.Value);

    /// <summary>Begins an embedded document, up to <see cref="End"/>.</summary>
    public BsonBuilder BeginDocument(string name) => Open(BsonType.Document, name);

    /// <summary>Begins an array, up to <see cref="End"/>. The caller names its elements "0", "1", and so on.</summary>
    public BsonBuilder BeginArray(string name) => Open(BsonType.Array, name);

    /// <summary>Ends the embedded document or array that was begun last.</summary>
    public BsonBuilder End()
    {
        if (_open.Count < 2)
            throw new InvalidOperationException("There is no embedded document to end.");
        Close(_open.Pop());
        return this;
    }

    /// <summary>Ends the document and gives its bytes, as a copy.</summary>
    public RawBson ToBson() => new(Finish().ToArray());

    /// <summary>Ends the document and gives its bytes in the buffer: valid until the next call here.</summary>
    public ReadOnlyMemory<byte> Finish()
    {
        if (_open.Count == 1)
            Close(_open.Pop());
        return _open.Count == 0 ? _buffer.AsMemory(0, _length) : throw new InvalidOperationException("An embedded document was not ended.");
    }

    private BsonBuilder Open(BsonType type, string name)
    {
        Begin(type, name);
        _open.Push(_length);
        Take(4);
        return this;
    }

    private void Close(int start)
    {
        Take(1)[0] = 0;
        BinaryPrimitives.WriteInt32LittleEndian(_buffer.AsSpan(start), _length - start);
    }

    private void Begin(BsonType type, string name)
    {
        if (name.Contains('\0', StringComparison.Ordinal))
            throw new ArgumentException("A field's name cannot hold a NUL.", nameof(name));
        CheckOpen();
        Take(1)[0] = (byte)type;
        var bytes = Encoding.UTF8.GetByteCount(name);
        Encoding.UTF8.GetBytes(name, Take(bytes));
        Take(1)[0] = 0;
    }

    private void Begin(BsonType type, ReadOnlySpan<byte> name)
    {
        if (name.Contains((byte)0))
            throw new ArgumentException("A field's name cannot hold a NUL.", nameof(name));
        CheckOpen();
        Take(1)[0] = (byte)type;
        name.CopyTo(Take(name.Length));
        Take(1)[0] = 0;
    }

    private void CheckOpen()
    {
        if (_open.Count == 0)
            throw new InvalidOperationException("The document was ended.");
    }

    private Span<byte> Take(int count)
    {
        if (_buffer.Length - _length < count)
            Array.Resize(ref _buffer, (int)Math.Min(Math.Max(2L * _buffer.Length, _length + (long)count), Array.MaxLength));
        var span = _buffer.AsSpan(_length, count);
        _length += count;
        return span;
    }
}
