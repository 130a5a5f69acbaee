using System.Buffers.Binary;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumps;

/// <summary>
/// Tells gzip data from a run of documents by its first bytes, since oplog.bson is gzip data under its plain name. Gzip begins 1f 8b 08 and a byte of flags
/// (RFC 1952 2.3.1); as the length of a document, that is more than 16 MiB unless the flags are 0. Then it is 559,903 bytes, which a document may have: so
/// the document must prove itself whole. Its first element's type decides nearly always, since most of gzip's times are none.
/// </summary>
internal static class GzipDetection
{
    /// <summary>Bytes that decide in every case.</summary>
    public const int Ambiguous = 0x0008_8B1F;

    /// <summary>Whether content that begins so is gzip data; null when more of it must be seen. <paramref name="ended"/>: there is no more.</summary>
    public static bool? IsGzip(ReadOnlySpan<byte> head, bool ended)
    {
        if (head.Length < 5)
            return ended ? head.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]) : null;
        if (!head.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B, 0x08]) || (head[3] & 0xE0) != 0)
            return false;
        if (BinaryPrimitives.ReadInt32LittleEndian(head) != Ambiguous || !IsType((BsonType)head[4]))
            return true;
        if (head.Length >= Ambiguous)
            return !BsonValidator.IsValid(head[..Ambiguous]);
        return ended ? true : null;
    }

    private static bool IsType(BsonType type) => type is >= BsonType.Double and <= BsonType.Decimal128 or BsonType.MinKey or BsonType.MaxKey;
}
