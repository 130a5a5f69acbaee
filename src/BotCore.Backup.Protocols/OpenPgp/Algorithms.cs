namespace BotCore.Backup.Protocols.OpenPgp;

/// <summary>Symmetric ciphers by their number on the wire (RFC 9580 section 9.3). Only AES is known here.</summary>
public enum CipherAlgorithm
{
    /// <summary>None.</summary>
    Unknown = 0,

    /// <summary>AES with a key of 16 bytes.</summary>
    Aes128 = 7,

    /// <summary>AES with a key of 24 bytes.</summary>
    Aes192 = 8,

    /// <summary>AES with a key of 32 bytes: what we write.</summary>
    Aes256 = 9,
}

/// <summary>Compression inside a message by its number on the wire (RFC 9580 section 9.4).</summary>
public enum CompressionAlgorithm
{
    /// <summary>None: what we write.</summary>
    Uncompressed = 0,

    /// <summary>Raw deflate (RFC 1951).</summary>
    Zip = 1,

    /// <summary>zlib (RFC 1950).</summary>
    Zlib = 2,

    /// <summary>bzip2.</summary>
    Bzip2 = 3,
}

/// <summary>Packet types (RFC 9580 section 5).</summary>
internal enum PacketTag
{
    Reserved = 0,
    PublicKeySession = 1,
    Signature = 2,
    SymmetricKeySession = 3,
    OnePassSignature = 4,
    Compressed = 8,
    EncryptedWithoutIntegrity = 9,
    Marker = 10,
    Literal = 11,
    Encrypted = 18,
    ModificationDetection = 19,
    Aead = 20,
}

internal static class CipherAlgorithms
{
    /// <summary>Bytes of a key, or 0 for a cipher that is not known here.</summary>
    public static int KeyLength(this CipherAlgorithm cipher) => cipher switch
    {
        CipherAlgorithm.Aes128 => 16,
        CipherAlgorithm.Aes192 => 24,
        CipherAlgorithm.Aes256 => 32,
        _ => 0,
    };
}
