using System.Buffers.Binary;
using System.Text;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Dumping;

/// <summary>A small reader of BSON for the tests alone, written from bsonspec.org: what the product has written is not to be judged by the product's own reader.</summary>
internal static class PlainBson
{
    /// <summary>The documents that follow one another in a .bson file, each looked through to its last value.</summary>
    public static List<byte[]> Documents(byte[] file)
    {
        var documents = new List<byte[]>();
        for (var at = 0; at < file.Length;)
        {
            var length = Length(file, at);
            var document = file[at..(at + length)];
            Fields(document);
            documents.Add(document);
            at += length;
        }

        return documents;
    }

    /// <summary>Names, type numbers and value bytes; documents within are looked through too.</summary>
    public static List<(string Name, byte Type, byte[] Value)> Fields(byte[] document)
    {
        if (Length(document, 0) != document.Length || document[^1] != 0)
            throw new InvalidDataException("A document does not end where it says.");
        var fields = new List<(string, byte, byte[])>();
        var at = 4;
        while (at < document.Length - 1)
        {
            var type = document[at++];
            var end = Array.IndexOf(document, (byte)0, at);
            var name = Encoding.UTF8.GetString(document, at, end - at);
            at = end + 1;
            var size = Size(type, document, at);
            if (size < 0 || at + size > document.Length - 1)
                throw new InvalidDataException($"The value of '{name}' ends outside of its document.");
            var value = document[at..(at + size)];
            if (type is 3 or 4)
                Fields(value);
            fields.Add((name, type, value));
            at += size;
        }

        return fields;
    }

    public static byte[] Value(byte[] document, string name) => Fields(document).Single(field => string.Equals(field.Name, name, StringComparison.Ordinal)).Value;

    public static string Text(byte[] document, string name) => Value(document, name) is var value ? Encoding.UTF8.GetString(value, 4, value.Length - 5) : "";

    public static ulong Time(byte[] entry) => BinaryPrimitives.ReadUInt64LittleEndian(Value(entry, "ts"));

    private static int Length(byte[] bytes, int at)
    {
        if (bytes.Length - at < 5)
            throw new InvalidDataException("A document is cut off.");
        var length = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at));
        return length >= 5 && length <= bytes.Length - at ? length : throw new InvalidDataException("A document has a length that cannot be.");
    }

    private static int Size(byte type, byte[] bytes, int at)
    {
        int Prefix() => BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at));
        int Zero(int from) => Array.IndexOf(bytes, (byte)0, from) + 1;
        return type switch
        {
            0x01 or 0x09 or 0x11 or 0x12 => 8,
            0x02 or 0x0D or 0x0E => 4 + Prefix(),
            0x03 or 0x04 or 0x0F => Prefix(),
            0x05 => 5 + Prefix(),
            0x06 or 0x0A or 0xFF or 0x7F => 0,
            0x07 => 12,
            0x08 => 1,
            0x0B => Zero(Zero(at)) - at,
            0x0C => 4 + Prefix() + 12,
            0x10 => 4,
            0x13 => 16,
            _ => throw new InvalidDataException($"There is no type {type}."),
        };
    }
}
