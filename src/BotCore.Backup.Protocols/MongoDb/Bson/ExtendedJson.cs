using System.Buffers;
using System.Text;

namespace BotCore.Backup.Protocols.MongoDb.Bson;

/// <summary>
/// MongoDB Extended JSON, version 2. Writes the canonical form byte for byte as the tools' Go driver does; reads canonical, relaxed and the older forms that metadata of
/// old dumps holds. Field order and duplicates stay. For metadata only: user data is never sent through it.
/// <para>What cannot make the way there and back: documents whose first field is named as a type's wrapper ("$oid", "$date" ...), text that is not UTF-8, names with NUL,
/// the payload of a NaN, binary of subtype 2 without its inner length, and Decimal128 in a form that is not canonical. Compare when it matters.</para>
/// Thread-safe. Source: github.com/mongodb/specifications, extended-json, version 2.1.
/// </summary>
public static class ExtendedJson
{
    /// <summary>The document as canonical JSON, UTF-8, without white space. Throws <see cref="BsonException"/> when it is not valid BSON.</summary>
    public static byte[] Write(ReadOnlySpan<byte> document)
    {
        var buffer = new ArrayBufferWriter<byte>(Math.Max(256, document.Length * 2));
        Write(document, buffer);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The document as canonical JSON, UTF-8, without white space. Throws <see cref="BsonException"/> when it is not valid BSON.</summary>
    public static void Write(ReadOnlySpan<byte> document, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        BsonValidator.Validate(document);
        new ExtendedJsonWriter(output).Document(document);
    }

    /// <summary>The document as canonical JSON text.</summary>
    public static string ToText(RawBson document) => Encoding.UTF8.GetString(Write(document.Span));

    /// <summary>Reads one document; nothing but white space may follow it. Throws <see cref="BsonException"/>.</summary>
    public static RawBson Read(ReadOnlySpan<byte> utf8) => ExtendedJsonReader.Read(utf8);

    /// <summary>Reads one document; nothing but white space may follow it. Throws <see cref="BsonException"/>.</summary>
    public static RawBson Read(string text) => Read(Encoding.UTF8.GetBytes(text));
}
