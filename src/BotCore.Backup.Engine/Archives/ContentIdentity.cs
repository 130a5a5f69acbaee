using System.Buffers.Binary;
using System.Security.Cryptography;

namespace BotCore.Backup.Engine.Archives;

/// <summary>
/// What a set of files is by its content: a chain of SHA-256 over path, kind, size, hash and link target of every entry, in the archive's order. Dates, owners, modes and attributes do not change it.
/// See docs/formats.md, "Models". One thread.
/// </summary>
internal sealed class ContentIdentity
{
    private byte[] _sum = [];

    /// <summary>Adds the next entry; the root counts for nothing.</summary>
    public void Add(EntryPath path, EntryKind kind, long size, string sha256, EntryPath link)
    {
        if (path.Bytes.SequenceEqual("."u8))
            return;
        Span<byte> numbers = stackalloc byte[24];
        BinaryPrimitives.WriteInt64LittleEndian(numbers, (long)kind);
        BinaryPrimitives.WriteInt64LittleEndian(numbers[8..], size);
        BinaryPrimitives.WriteInt32LittleEndian(numbers[16..], path.Length);
        BinaryPrimitives.WriteInt32LittleEndian(numbers[20..], link.Length);
        Span<byte> content = stackalloc byte[sha256.Length / 2];
        Convert.FromHexString(sha256, content, out _, out _);
        // One entry after the other: the hash so far stands before the next.
        _sum = SHA256.HashData([.. _sum, .. numbers, .. path.Bytes, .. link.Bytes, .. content]);
    }

    /// <summary>Lower-case hexadecimal; of nothing, the hash of nothing.</summary>
    public string Finish() => Convert.ToHexStringLower(_sum.Length > 0 ? _sum : SHA256.HashData([]));
}
