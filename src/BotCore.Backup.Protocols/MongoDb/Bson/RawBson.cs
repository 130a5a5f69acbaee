namespace BotCore.Backup.Protocols.MongoDb.Bson;

/// <summary>
/// One document as its bytes, kept on the heap or in a buffer of somebody else's (then valid as long as that says). Nothing is decoded until it is asked for, and
/// nothing is ever written again from decoded values. Immutable; looking a field up is linear.
/// </summary>
public readonly struct RawBson
{
    private static readonly byte[] EmptyDocument = [5, 0, 0, 0, 0];

    private readonly ReadOnlyMemory<byte> _bytes;

    /// <summary>Takes the bytes as they are; they are checked when they are read.</summary>
    public RawBson(ReadOnlyMemory<byte> bytes) => _bytes = bytes;

    /// <summary>A document without fields.</summary>
    public static RawBson Empty => new(EmptyDocument);

    /// <summary>The bytes; those of the empty document for the default value.</summary>
    public ReadOnlyMemory<byte> Memory => _bytes.IsEmpty ? EmptyDocument : _bytes;

    /// <summary>The bytes; those of the empty document for the default value.</summary>
    public ReadOnlySpan<byte> Span => Memory.Span;

    /// <summary>Bytes in it.</summary>
    public int Length => Memory.Length;

    /// <summary>Whether it has no fields.</summary>
    public bool IsEmpty => Length == BsonReader.ShortestDocument;

    /// <summary>The first element of that name; false where there is none.</summary>
    public static bool TryFind(ReadOnlySpan<byte> document, ReadOnlySpan<byte> name, out BsonElement element)
    {
        var reader = new BsonReader(document);
        while (reader.Read())
        {
            if (!reader.Current.NameIs(name))
                continue;
            element = reader.Current;
            return true;
        }

        element = default;
        return false;
    }

    /// <summary>Begins to walk it.</summary>
    public BsonReader Read() => new(Span);

    /// <summary>A copy that owns its bytes.</summary>
    public RawBson Copy() => new(Memory.ToArray());

    /// <summary>The first element of that name; false where there is none.</summary>
    public bool TryFind(ReadOnlySpan<byte> name, out BsonElement element) => TryFind(Span, name, out element);

    /// <summary>Whether there is an element of that name.</summary>
    public bool Has(ReadOnlySpan<byte> name) => TryFind(name, out _);

    /// <summary>A string field; null where there is none of that name and type.</summary>
    public string? FindString(ReadOnlySpan<byte> name) => TryFind(name, out var element) && element.Type == BsonType.String ? element.AsString() : null;

    /// <summary>A whole number; null where there is none of that name and type.</summary>
    public long? FindInt64(ReadOnlySpan<byte> name) => TryFind(name, out var element) && element.IsNumber ? element.AsInt64() : null;

    /// <summary>A timestamp; null where there is none of that name and type.</summary>
    public BsonTimestamp? FindTimestamp(ReadOnlySpan<byte> name) => TryFind(name, out var element) && element.Type == BsonType.Timestamp ? element.AsTimestamp() : null;

    /// <summary>Whether there is a field of that name that servers take for true.</summary>
    public bool IsTrue(ReadOnlySpan<byte> name) => TryFind(name, out var element) && element.IsTruthy;

    /// <summary>An embedded document or array, sharing these bytes; null where there is none of that name and type.</summary>
    public RawBson? FindDocument(ReadOnlySpan<byte> name)
    {
        var whole = Memory;
        if (!TryFind(whole.Span, name, out var element) || element.Type is not (BsonType.Document or BsonType.Array))
            return null;
        // The element lies in these bytes; where, is told by how far its end is from theirs.
        whole.Span.Overlaps(element.Value, out var offset);
        return new RawBson(whole.Slice(offset, element.Value.Length));
    }
}
