using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Unicode;

namespace BotCore.Backup.Protocols.MongoDb.Bson;

/// <summary>What <see cref="BsonValidator"/> found wrong.</summary>
/// <param name="Offset">Byte in the document, from its first, where the bad element begins, or the bad length stands.</param>
/// <param name="Path">Field names down to it, with dots between; empty for the document itself. Names only, no values.</param>
/// <param name="Problem">What is wrong there: half a sentence.</param>
public readonly record struct BsonFlaw(int Offset, string Path, string Problem)
{
    /// <summary>A sentence of all of it.</summary>
    public override string ToString() => Path.Length == 0 ? $"At byte {Offset}: {Problem}." : $"At byte {Offset}, field '{Path}': {Problem}.";
}

/// <summary>
/// Checks a whole document: every length, type, Boolean and NUL, in every embedded document, array and scope. It walks a stack of its own, not the thread's, and
/// allocates only to describe a flaw. Thread-safe. Source: bsonspec.org 1.1.
/// </summary>
public static class BsonValidator
{
    /// <summary>Levels of documents within documents, the outermost counted: as deep as a server can be set to take them (maxBSONDepth goes to 250; 200 is its default).</summary>
    public const int DeepestNesting = 250;

    /// <summary>Whether the span is exactly one valid document. Names and strings need be UTF-8 only when <paramref name="strictUtf8"/>: servers store others.</summary>
    public static bool IsValid(ReadOnlySpan<byte> document, bool strictUtf8 = false) => Walk(document, strictUtf8, out _) is null;

    /// <summary>Whether the span is exactly one valid document; else the first flaw.</summary>
    public static bool TryValidate(ReadOnlySpan<byte> document, out BsonFlaw flaw, bool strictUtf8 = false)
    {
        var problem = Walk(document, strictUtf8, out var offset);
        flaw = problem is null ? default : new BsonFlaw(offset, PathTo(document, offset), problem);
        return problem is null;
    }

    /// <summary>Throws a <see cref="BsonException"/> that names the first flaw, unless the span is exactly one valid document.</summary>
    public static void Validate(ReadOnlySpan<byte> document, bool strictUtf8 = false)
    {
        if (!TryValidate(document, out var flaw, strictUtf8))
            throw new BsonException($"The document is not valid BSON. {flaw}");
    }

    // Gives the problem, or null. Ends of the open documents are kept as the offset of their closing NUL.
    private static string? Walk(ReadOnlySpan<byte> bson, bool strict, out int offset)
    {
        offset = 0;
        if (bson.Length < BsonReader.ShortestDocument || BinaryPrimitives.ReadInt32LittleEndian(bson) != bson.Length)
            return "its length does not fit";
        if (bson[^1] != 0)
            return "it does not end with a NUL";

        Span<int> ends = stackalloc int[DeepestNesting];
        var depth = 0;
        var end = bson.Length - 1;
        ends[0] = end;
        var at = 4;
        while (true)
        {
            offset = at;
            if (at == end)
            {
                if (depth == 0)
                    return null;
                at++;
                end = ends[--depth];
                continue;
            }

            var type = (BsonType)bson[at];
            var body = bson[(at + 1)..end];
            var name = NameLength(body);
            if (name < 0)
                return "a field's name does not end";
            if (strict && !Utf8.IsValid(body[..name]))
                return "a field's name is not UTF-8";
            body = body[(name + 1)..];
            var problem = Value(type, body, strict, out var length, out var nested);
            if (problem is not null)
                return problem;
            at += name + 2 + length;
            if (nested == 0)
                continue;
            if (++depth == DeepestNesting)
                return "documents are nested too deep";
            // The length covers all up to the nested document's end; its elements begin behind its own length.
            end = at - 1;
            ends[depth] = end;
            at -= nested - 4;
        }
    }

    // Names are short: a plain loop over the first bytes beats the call of a vector search.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int NameLength(ReadOnlySpan<byte> bytes)
    {
        var near = Math.Min(bytes.Length, 16);
        for (var i = 0; i < near; i++)
        {
            if (bytes[i] == 0)
                return i;
        }

        var far = bytes[near..].IndexOf((byte)0);
        return far < 0 ? -1 : near + far;
    }

    // nested: bytes of the document that the value ends with, 0 for none.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static string? Value(BsonType type, ReadOnlySpan<byte> body, bool strict, out int length, out int nested)
    {
        nested = 0;
        switch (type)
        {
            case BsonType.Double or BsonType.DateTime or BsonType.Timestamp or BsonType.Int64:
                length = 8;
                break;
            case BsonType.Int32:
                length = 4;
                break;
            case BsonType.ObjectId:
                length = 12;
                break;
            case BsonType.Decimal128:
                length = 16;
                break;
            case BsonType.Null or BsonType.Undefined or BsonType.MinKey or BsonType.MaxKey:
                length = 0;
                return null;
            case BsonType.Boolean:
                length = 1;
                return body.IsEmpty || body[0] > 1 ? "a Boolean is neither 0 nor 1" : null;
            case BsonType.String or BsonType.JavaScript or BsonType.Symbol:
                return Text(body, strict, out length);
            case BsonType.Document or BsonType.Array:
                return Nested(body, out length, out nested);
            default:
                return Rare(type, body, strict, out length, out nested);
        }

        return body.Length < length ? "a value is longer than the document that it is in" : null;
    }

    private static string? Rare(BsonType type, ReadOnlySpan<byte> body, bool strict, out int length, out int nested)
    {
        nested = 0;
        switch (type)
        {
            case BsonType.Binary:
                return Binary(body, out length);
            case BsonType.RegularExpression:
                return RegularExpression(body, strict, out length);
            case BsonType.DbPointer:
                var problem = Text(body, strict, out length);
                length += 12;
                return problem ?? (body.Length < length ? "a value is longer than the document that it is in" : null);
            case BsonType.JavaScriptWithScope:
                return Scope(body, strict, out length, out nested);
            default:
                length = 0;
                return $"there is no type 0x{(byte)type:X2}";
        }
    }

    private static string? Text(ReadOnlySpan<byte> body, bool strict, out int length)
    {
        length = 0;
        if (body.Length < 5)
            return "a string does not end";
        var text = BinaryPrimitives.ReadInt32LittleEndian(body);
        if (text < 1 || text > body.Length - 4)
            return "a string's length does not fit";
        length = 4 + text;
        if (body[length - 1] != 0)
            return "a string does not end with a NUL";
        return strict && !Utf8.IsValid(body[4..(length - 1)]) ? "a string is not UTF-8" : null;
    }

    private static string? Nested(ReadOnlySpan<byte> body, out int length, out int nested)
    {
        length = nested = 0;
        if (body.Length < BsonReader.ShortestDocument)
            return "an embedded document does not end";
        var claimed = BinaryPrimitives.ReadInt32LittleEndian(body);
        if (claimed < BsonReader.ShortestDocument || claimed > body.Length)
            return "an embedded document's length does not fit";
        if (body[claimed - 1] != 0)
            return "an embedded document does not end with a NUL";
        length = nested = claimed;
        return null;
    }

    private static string? Binary(ReadOnlySpan<byte> body, out int length)
    {
        length = 0;
        if (body.Length < 5)
            return "binary data does not end";
        var bytes = BinaryPrimitives.ReadInt32LittleEndian(body);
        if (bytes < 0 || bytes > body.Length - 5)
            return "the length of binary data does not fit";
        length = 5 + bytes;
        return null;
    }

    private static string? RegularExpression(ReadOnlySpan<byte> body, bool strict, out int length)
    {
        length = 0;
        var pattern = body.IndexOf((byte)0);
        var options = pattern < 0 ? -1 : body[(pattern + 1)..].IndexOf((byte)0);
        if (options < 0)
            return "a regular expression does not end";
        length = pattern + options + 2;
        return strict && !Utf8.IsValid(body[..length]) ? "a regular expression is not UTF-8" : null;
    }

    private static string? Scope(ReadOnlySpan<byte> body, bool strict, out int length, out int nested)
    {
        const int Least = 4 + 5 + BsonReader.ShortestDocument;
        length = nested = 0;
        if (body.Length < Least)
            return "JavaScript with scope does not end";
        var claimed = BinaryPrimitives.ReadInt32LittleEndian(body);
        if (claimed < Least || claimed > body.Length)
            return "the length of JavaScript with scope does not fit";
        var problem = Text(body[4..claimed], strict, out var code);
        if (problem is not null)
            return problem;
        problem = Nested(body[(4 + code)..claimed], out var scope, out _);
        if (problem is not null)
            return problem;
        if (4 + code + scope != claimed)
            return "JavaScript with scope does not end where its length says";
        length = claimed;
        nested = scope;
        return null;
    }

    // Walks again down to the flaw. All before it is known to be sound, so that nothing here needs a check.
    private static string PathTo(ReadOnlySpan<byte> bson, int flaw)
    {
        const int Longest = 512;
        var path = new StringBuilder();
        var at = 4;
        while (flaw >= 4 && at < bson.Length && path.Length < Longest)
        {
            var name = NameLength(bson[(at + 1)..]);
            if (name < 0)
                break;
            var here = Encoding.UTF8.GetString(bson.Slice(at + 1, Math.Min(name, Longest)));
            if (at >= flaw)
                return path.Append(here).ToString();
            var body = bson[(at + 2 + name)..];
            Value((BsonType)bson[at], body, strict: false, out var length, out var nested);
            var next = at + 2 + name + length;
            if (nested != 0 && flaw < next)
            {
                path.Append(here).Append('.');
                next -= nested - 4;
            }

            if (next <= at)
                break;
            at = next;
        }

        return path.ToString().TrimEnd('.');
    }
}
