using System.Buffers.Binary;
using System.Security.Cryptography;

namespace BotCore.Backup.Engine.Archives;

/// <summary>
/// What a set of files is by its content: a SHA-256 over path, kind, size, hash and link target of every entry, in the archive's order. Dates, owners, modes and attributes do not change it.
/// See docs/formats.md, "Models". One thread.
/// </summary>
internal sealed class ContentIdentity : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

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
        _hash.AppendData(numbers);
        _hash.AppendData(path.Bytes);
        _hash.AppendData(link.Bytes);
        if (sha256.Length > 0)
            _hash.AppendData(Convert.FromHexString(sha256));
    }

    /// <summary>Lower-case hexadecimal.</summary>
    public string Finish() => Convert.ToHexStringLower(_hash.GetCurrentHash());

    public void Dispose() => _hash.Dispose();
}
