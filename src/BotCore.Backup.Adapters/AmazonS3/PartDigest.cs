using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace BotCore.Backup.Adapters.AmazonS3;

/// <summary>What the server is told of a body, and its answer is compared with.</summary>
/// <param name="Md5">16 bytes.</param>
/// <param name="Crc32C">4 bytes, big-endian as S3 writes it; null where it is not sent.</param>
internal sealed record PartDigest(byte[] Md5, byte[]? Crc32C)
{
    private const int BufferSize = 128 * 1024;

    /// <summary>The header Content-MD5.</summary>
    public string Md5Text => Convert.ToBase64String(Md5);

    /// <summary>The header x-amz-checksum-crc32c.</summary>
    public string? Crc32CText => Crc32C is null ? null : Convert.ToBase64String(Crc32C);

    public static PartDigest Of(Part part, bool withCrc, CancellationToken token)
    {
#pragma warning disable CA5351 // S3's own digest of transport: what protects an archive is its SHA-256 and its MAC.
        using var md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
#pragma warning restore CA5351
        var buffer = new byte[BufferSize];
        var crc = uint.MaxValue;
        for (long offset = 0; offset < part.Length;)
        {
            token.ThrowIfCancellationRequested();
            var read = part.Read(offset, buffer);
            md5.AppendData(buffer, 0, read);
            if (withCrc)
                crc = Append(crc, buffer.AsSpan(0, read));
            offset += read;
        }

        return new PartDigest(md5.GetHashAndReset(), withCrc ? BigEndian(~crc) : null);
    }

    /// <summary>
    /// Whether an answer's digests are these, as far as it has any that can be compared: under a key of KMS an ETag is no MD5.
    /// </summary>
    public bool Matches(string? etag, string? crc32C) =>
        (crc32C is null || Crc32C is null || string.Equals(crc32C, Crc32CText, StringComparison.Ordinal)) && (Md5Of(etag) is not { } md5 || md5.AsSpan().SequenceEqual(Md5));

    /// <summary>The ETag of an object of these parts: the MD5 of their MD5s, and their count.</summary>
    public static string EtagOf(IReadOnlyCollection<PartDigest> parts) =>
#pragma warning disable CA5351
        Convert.ToHexStringLower(MD5.HashData([.. parts.SelectMany(part => part.Md5)])) + "-" + parts.Count.ToString(CultureInfo.InvariantCulture);
#pragma warning restore CA5351

    /// <summary>The CRC-32C that S3 answers for an object of these parts; null where none were sent.</summary>
    public static string? CrcOf(IReadOnlyCollection<PartDigest> parts) =>
        parts.Any(part => part.Crc32C is null)
            ? null
            : Convert.ToBase64String(BigEndian(~Append(uint.MaxValue, [.. parts.SelectMany(part => part.Crc32C!)]))) + "-" + parts.Count.ToString(CultureInfo.InvariantCulture);

    // 32 digits and nothing else; null for every other form.
    private static byte[]? Md5Of(string? etag)
    {
        var text = etag?.Trim('"');
        return text is { Length: 32 } && text.All(char.IsAsciiHexDigit) ? Convert.FromHexString(text) : null;
    }

    private static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (var word in words)
            crc = BitOperations.Crc32C(crc, BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word));
        foreach (var one in bytes[(words.Length * sizeof(ulong))..])
            crc = BitOperations.Crc32C(crc, one);
        return crc;
    }

    private static byte[] BigEndian(uint value)
    {
        var bytes = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }
}
