using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;

namespace BotCore.Backup.Protocols.OpenPgp;

/// <summary>How often and with what salt a passphrase is hashed (RFC 9580 section 3.7.1), by its number on the wire.</summary>
public enum S2KMode
{
    /// <summary>The passphrase hashed once.</summary>
    Simple = 0,

    /// <summary>Salt and passphrase hashed once.</summary>
    Salted = 1,

    /// <summary>Salt and passphrase over and over, up to a count of bytes: what we and gpg write.</summary>
    Iterated = 3,
}

/// <summary>Hash algorithms of S2K that can be read, by their number on the wire (RFC 9580 section 9.5).</summary>
public enum S2KHash
{
    /// <summary>None.</summary>
    Unknown = 0,

    /// <summary>SHA-1: what gpg 2.2 writes by default.</summary>
    Sha1 = 2,

    /// <summary>SHA-256: what we write.</summary>
    Sha256 = 8,

    /// <summary>SHA-384.</summary>
    Sha384 = 9,

    /// <summary>SHA-512.</summary>
    Sha512 = 10,
}

/// <summary>
/// A string-to-key specifier (RFC 9580 section 3.7): everything but the passphrase that decides a key. Equal specifiers and equal passphrases give
/// equal keys, so it serves as the key of a cache.
/// </summary>
/// <param name="Mode">Simple, salted or iterated.</param>
/// <param name="Hash">The hash.</param>
/// <param name="Salt">The salt's 8 octets as a big-endian number; 0 where there is none.</param>
/// <param name="CodedCount">The count of bytes to hash as one coded octet; 0 unless iterated.</param>
public readonly record struct S2K(S2KMode Mode, S2KHash Hash, ulong Salt, byte CodedCount)
{
    /// <summary>The highest coded count: 65,011,712 bytes, as gpg 2.2 writes on a fast machine.</summary>
    public const byte HighestCodedCount = 0xFF;

    internal const int SaltLength = 8;
    private const int BlockLength = 1 << 16;

    /// <summary>Bytes that are hashed, when iterated: between 1,024 and 65,011,712.</summary>
    public long Count => (16L + (CodedCount & 15)) << ((CodedCount >> 4) + 6);

    /// <summary>Bytes of the specifier on the wire.</summary>
    internal int Length => Mode switch { S2KMode.Simple => 2, S2KMode.Salted => 10, _ => 11 };

    /// <summary>An iterated, salted SHA-256 specifier with a fresh random salt.</summary>
    public static S2K Create(byte codedCount = HighestCodedCount)
    {
        Span<byte> salt = stackalloc byte[SaltLength];
        RandomNumberGenerator.Fill(salt);
        return new S2K(S2KMode.Iterated, S2KHash.Sha256, BinaryPrimitives.ReadUInt64BigEndian(salt), codedCount);
    }

    /// <summary>Writes the specifier; <paramref name="target"/> has room for <see cref="Length"/> bytes.</summary>
    internal void Write(Span<byte> target)
    {
        target[0] = (byte)Mode;
        target[1] = (byte)Hash;
        if (Mode != S2KMode.Simple) BinaryPrimitives.WriteUInt64BigEndian(target[2..], Salt);
        if (Mode == S2KMode.Iterated) target[10] = CodedCount;
    }

    /// <summary>Reads the specifier at the start of <paramref name="source"/>.</summary>
    /// <exception cref="OpenPgpException">Unsupported or Corrupt.</exception>
    internal static S2K Read(ReadOnlySpan<byte> source)
    {
        if (source.Length < 2) throw TooShort();
        var mode = (S2KMode)source[0];
        if (mode is not (S2KMode.Simple or S2KMode.Salted or S2KMode.Iterated))
            throw new OpenPgpException(OpenPgpError.Unsupported, Text($"The message uses string-to-key mode {source[0]}, which is not supported."));
        var hash = (S2KHash)source[1];
        if (hash is not (S2KHash.Sha1 or S2KHash.Sha256 or S2KHash.Sha384 or S2KHash.Sha512))
            throw new OpenPgpException(OpenPgpError.Unsupported, Text($"The message hashes its passphrase with algorithm {source[1]}, which is not supported."));
        var s2k = new S2K(mode, hash, 0, 0);
        if (source.Length < s2k.Length) throw TooShort();
        if (mode != S2KMode.Simple) s2k = s2k with { Salt = BinaryPrimitives.ReadUInt64BigEndian(source[2..]) };
        return mode == S2KMode.Iterated ? s2k with { CodedCount = source[10] } : s2k;
    }

    /// <summary>Fills <paramref name="key"/> from the passphrase.</summary>
    internal void Derive(ReadOnlySpan<byte> passphrase, Span<byte> key)
    {
        var unit = new byte[(Mode == S2KMode.Simple ? 0 : SaltLength) + passphrase.Length];
        if (Mode != S2KMode.Simple) BinaryPrimitives.WriteUInt64BigEndian(unit, Salt);
        passphrase.CopyTo(unit.AsSpan(unit.Length - passphrase.Length));
        // Hashing a long run of repeats costs the same as one buffer; hashing one unit at a time would cost a call per 50 bytes.
        var repeats = Mode == S2KMode.Iterated ? Math.Max(1, BlockLength / Math.Max(1, unit.Length)) : 1;
        var block = new byte[unit.Length * repeats];
        for (var i = 0; i < repeats; i++) unit.CopyTo(block, i * unit.Length);
        // The whole of salt and passphrase is hashed at least once, whatever the count says.
        var total = Mode == S2KMode.Iterated ? Math.Max(Count, unit.Length) : unit.Length;
        try
        {
            Derive(block, total, key);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(unit);
            CryptographicOperations.ZeroMemory(block);
        }
    }

    private void Derive(ReadOnlySpan<byte> block, long total, Span<byte> key)
    {
        Span<byte> digest = stackalloc byte[64];
        using var hash = IncrementalHash.CreateHash(Name(Hash));
        // A key longer than a digest goes on with a second hash that is preloaded with one zero octet, and so on.
        for (var context = 0; !key.IsEmpty; context++)
        {
            for (var zeros = 0; zeros < context; zeros++) hash.AppendData([0]);
            for (var left = total; left > 0; left -= Math.Min(left, block.Length)) hash.AppendData(block[..(int)Math.Min(left, block.Length)]);
            var length = Math.Min(hash.GetHashAndReset(digest), key.Length);
            digest[..length].CopyTo(key);
            key = key[length..];
        }

        CryptographicOperations.ZeroMemory(digest);
    }

    private static HashAlgorithmName Name(S2KHash hash) => hash switch
    {
        S2KHash.Sha1 => HashAlgorithmName.SHA1,
        S2KHash.Sha256 => HashAlgorithmName.SHA256,
        S2KHash.Sha384 => HashAlgorithmName.SHA384,
        S2KHash.Sha512 => HashAlgorithmName.SHA512,
        _ => throw new OpenPgpException(OpenPgpError.Unsupported, "The string-to-key specifier names no known hash."),
    };

    private static OpenPgpException TooShort() => new(OpenPgpError.Corrupt, "The string-to-key specifier of the message is cut short.");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
