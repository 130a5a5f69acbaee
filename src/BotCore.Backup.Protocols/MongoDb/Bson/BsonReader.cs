using System.Buffers.Binary;

namespace BotCore.Backup.Protocols.MongoDb.Bson;

/// <summary>
/// Walks the elements of one document, in their order, over the bytes themselves. Every length is checked before it is believed, so that no input reads outside
/// of the document; what lies inside embedded documents is not looked at (that is the validator's work). Throws <see cref="BsonException"/>.
/// Source: bsonspec.org 1.1.
/// </summary>
public ref struct BsonReader
{
    /// <summary>The shortest document: its length and a NUL.</summary>
    public const int ShortestDocument = 5;

    private readonly ReadOnlySpan<byte> _document;
    private int _at;

    /// <summary>Begins at the first element. The span must be exactly one document.</summary>
    public BsonReader(ReadOnlySpan<byte> document)
    {
        if (document.Length < ShortestDocument || BinaryPrimitives.ReadInt32LittleEndian(document) != document.Length)
            throw new BsonException("The bytes are not one document: its length does not fit.");
        if (document[^1] != 0)
            throw new BsonException("A document does not end with a NUL.");
        _document = document;
        _at = 4;
        Current = default;
    }

    /// <summary>The element that <see cref="Read"/> came to.</summary>
    public BsonElement Current { get; private set; }

    /// <summary>Goes to the next element; false at the end.</summary>
    public bool Read()
    {
        if (_at == _document.Length - 1)
        {
            Current = default;
            return false;
        }

        var type = (BsonType)_document[_at];
        var rest = _document[(_at + 1)..^1];
        var end = rest.IndexOf((byte)0);
        if (end < 0)
            throw new BsonException("A field's name does not end.");
        var name = rest[..end];
        rest = rest[(end + 1)..];
        var length = LengthOf(type, rest);
        if (length > rest.Length)
            throw new BsonException("A field is longer than the document that it is in.");
        Current = new BsonElement(type, name, rest[..(int)length]);
        _at += 1 + end + 1 + (int)length;
        return true;
    }

    private static long LengthOf(BsonType type, ReadOnlySpan<byte> rest) => type switch
    {
        BsonType.Double or BsonType.DateTime or BsonType.Timestamp or BsonType.Int64 => 8,
        BsonType.String or BsonType.JavaScript or BsonType.Symbol => TextLength(rest),
        BsonType.Document or BsonType.Array => DocumentLength(rest),
        BsonType.Binary => 5L + Prefix(rest, least: 0),
        BsonType.Undefined or BsonType.Null or BsonType.MinKey or BsonType.MaxKey => 0,
        BsonType.ObjectId => 12,
        BsonType.Boolean => 1,
        BsonType.RegularExpression => RegularExpressionLength(rest),
        BsonType.DbPointer => 12 + TextLength(rest),
        BsonType.JavaScriptWithScope => ScopeLength(rest),
        BsonType.Int32 => 4,
        BsonType.Decimal128 => 16,
        _ => throw new BsonException($"There is no type 0x{(byte)type:X2}."),
    };

    private static long TextLength(ReadOnlySpan<byte> rest)
    {
        var length = 4L + Prefix(rest, least: 1);
        if (length > rest.Length || rest[(int)length - 1] != 0)
            throw new BsonException("A string does not end where its length says.");
        return length;
    }

    private static long DocumentLength(ReadOnlySpan<byte> rest)
    {
        var length = Prefix(rest, ShortestDocument);
        if (length > rest.Length || rest[length - 1] != 0)
            throw new BsonException("An embedded document does not end where its length says.");
        return length;
    }

    // Its own length covers itself, a string and a document; both are checked so that neither reads beyond it.
    private static long ScopeLength(ReadOnlySpan<byte> rest)
    {
        const int Least = 4 + 5 + ShortestDocument;
        var length = Prefix(rest, Least);
        if (length > rest.Length)
            throw new BsonException("JavaScript with scope is longer than the document that it is in.");
        var inner = rest[4..length];
        var code = TextLength(inner);
        if (DocumentLength(inner[(int)code..]) != inner.Length - code)
            throw new BsonException("JavaScript with scope does not end where its length says.");
        return length;
    }

    private static long RegularExpressionLength(ReadOnlySpan<byte> rest)
    {
        var pattern = rest.IndexOf((byte)0);
        var options = pattern < 0 ? -1 : rest[(pattern + 1)..].IndexOf((byte)0);
        return options < 0 ? throw new BsonException("A regular expression does not end.") : pattern + 1 + options + 1;
    }

    private static int Prefix(ReadOnlySpan<byte> rest, int least)
    {
        if (rest.Length < 4)
            throw new BsonException("A field ends before its length.");
        var length = BinaryPrimitives.ReadInt32LittleEndian(rest);
        return length >= least ? length : throw new BsonException($"A field has the length {length}.");
    }
}
