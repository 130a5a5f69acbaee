using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace BotCore.Backup.Engine.Archives;

/// <summary>
/// A short hash over everything that an entry's headers say, made alike from the entry that was sealed and from the one that was read back. A selective
/// restore cannot check the whole archive, so this is what keeps an owner, a mode or a link target from being changed unseen.
/// </summary>
internal static class EntryDigest
{
    /// <summary>The first 16 bytes of a SHA-256, lower-case hexadecimal.</summary>
    public static string Of(ArchiveEntry entry)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> numbers = stackalloc byte[8 * 9];
        Span<long> values =
        [
            (long)entry.Kind, entry.Mode, entry.UserId, entry.GroupId, entry.Modified.Seconds, entry.Modified.Nanoseconds, entry.Size,
            entry.DeviceMajor, entry.DeviceMinor,
        ];
        for (var i = 0; i < values.Length; i++)
            BinaryPrimitives.WriteInt64LittleEndian(numbers[(8 * i)..], values[i]);
        hash.AppendData(numbers);
        Append(hash, entry.Path.Bytes);
        Append(hash, entry.LinkTarget.Bytes);
        Append(hash, Encoding.UTF8.GetBytes(entry.UserName));
        Append(hash, Encoding.UTF8.GetBytes(entry.GroupName));
        foreach (var attribute in entry.Attributes.OrderBy(a => a.Name, StringComparer.Ordinal))
        {
            Append(hash, Encoding.UTF8.GetBytes(attribute.Name));
            Append(hash, attribute.Value);
        }

        foreach (var run in entry.Sparse ?? [])
        {
            BinaryPrimitives.WriteInt64LittleEndian(numbers, run.Offset);
            BinaryPrimitives.WriteInt64LittleEndian(numbers[8..], run.Length);
            hash.AppendData(numbers[..16]);
        }

        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(digest);
        return Convert.ToHexStringLower(digest[..16]);
    }

    // The length goes first, so that two texts cannot trade bytes.
    private static void Append(IncrementalHash hash, ReadOnlySpan<byte> bytes)
    {
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        hash.AppendData(length);
        hash.AppendData(bytes);
    }
}
