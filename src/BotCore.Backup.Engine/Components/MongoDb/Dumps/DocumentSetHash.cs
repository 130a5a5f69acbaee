using System.Buffers.Binary;
using System.Security.Cryptography;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumps;

/// <summary>
/// The hash of a collection's content that does not depend on the order of its documents: the sum, modulo 2^256, of the SHA-256 of every document's bytes, each read as a
/// big-endian number. (A sum, not XOR: two copies of a document must not cancel out.) For one thread at a time.
/// </summary>
internal sealed class DocumentSetHash
{
    private ulong _lowest;
    private ulong _low;
    private ulong _high;
    private ulong _highest;

    /// <summary>Documents in it.</summary>
    public long Count { get; private set; }

    /// <summary>Bytes of all documents.</summary>
    public long Bytes { get; private set; }

    /// <summary>Takes one document in.</summary>
    public void Add(ReadOnlySpan<byte> document)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(document, hash);
        Sum(
            BinaryPrimitives.ReadUInt64BigEndian(hash[24..]),
            BinaryPrimitives.ReadUInt64BigEndian(hash[16..]),
            BinaryPrimitives.ReadUInt64BigEndian(hash[8..]),
            BinaryPrimitives.ReadUInt64BigEndian(hash));
        Count++;
        Bytes += document.Length;
    }

    /// <summary>Takes all documents of another one in.</summary>
    public void Merge(DocumentSetHash other)
    {
        ArgumentNullException.ThrowIfNull(other);
        Sum(other._lowest, other._low, other._high, other._highest);
        Count += other.Count;
        Bytes += other.Bytes;
    }

    /// <summary>Whether both saw the same documents, as often.</summary>
    public bool Matches(DocumentSetHash other) =>
        (Count, Bytes, _lowest, _low, _high, _highest) == (other.Count, other.Bytes, other._lowest, other._low, other._high, other._highest);

    /// <summary>The hash: 64 hex digits, lower case, most significant first.</summary>
    public override string ToString()
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        BinaryPrimitives.WriteUInt64BigEndian(hash, _highest);
        BinaryPrimitives.WriteUInt64BigEndian(hash[8..], _high);
        BinaryPrimitives.WriteUInt64BigEndian(hash[16..], _low);
        BinaryPrimitives.WriteUInt64BigEndian(hash[24..], _lowest);
        return Convert.ToHexStringLower(hash);
    }

    private void Sum(ulong lowest, ulong low, ulong high, ulong highest)
    {
        var sum = (UInt128)_lowest + lowest;
        _lowest = (ulong)sum;
        sum = (UInt128)_low + low + (sum >> 64);
        _low = (ulong)sum;
        sum = (UInt128)_high + high + (sum >> 64);
        _high = (ulong)sum;
        _highest += highest + (ulong)(sum >> 64);
    }
}
