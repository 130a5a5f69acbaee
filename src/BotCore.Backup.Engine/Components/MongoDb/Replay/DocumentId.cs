using System.Buffers.Binary;
using System.Security.Cryptography;
using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Replay;

/// <summary>Tells documents apart by their _id, without keeping the value. Numbers that servers take for equal are equal here (Decimal128 excepted, which is equal to itself only).</summary>
internal static class DocumentId
{
    private const ulong FnvOffset = 14695981039346656037;
    private const ulong FnvPrime = 1099511628211;

    /// <summary>A quick hash, for choosing a lane.</summary>
    public static ulong Hash(BsonElement id)
    {
        Span<byte> number = stackalloc byte[9];
        var hash = FnvOffset;
        foreach (var part in Normal(id, number))
            hash = (hash ^ part) * FnvPrime;
        // The low bits of FNV are weak for short values that differ in their last byte only.
        return hash ^ (hash >> 32);
    }

    /// <summary>A hash without collisions in practice, for sets of documents.</summary>
    public static UInt128 Key(BsonElement id)
    {
        Span<byte> number = stackalloc byte[9];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        sha.AppendData([id.IsNumber ? (byte)BsonType.Double : (byte)id.Type]);
        sha.AppendData(Normal(id, number));
        sha.GetHashAndReset(hash);
        return BinaryPrimitives.ReadUInt128BigEndian(hash);
    }

    /// <summary>What an error may say of a document: type and hash of its _id, and no data.</summary>
    public static string Describe(BsonElement id) => $"{id.Type} with hash {(ulong)(Key(id) >> 64):x16}";

    private static ReadOnlySpan<byte> Normal(BsonElement id, Span<byte> number)
    {
        if (!id.IsNumber)
            return id.Value;
        var value = id.AsDouble();
        var isWhole = id.Type != BsonType.Double || (double.IsInteger(value) && Math.Abs(value) < 9.2e18);
        number[0] = isWhole ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteInt64LittleEndian(number[1..], isWhole ? id.AsInt64() : BitConverter.DoubleToInt64Bits(value));
        return number;
    }
}
