using System.Security.Cryptography;
using System.Text;

namespace BotCore.Backup.Protocols.OpenPgp;

/// <summary>
/// A key derived from a passphrase, with the specifier that it was derived by. One key serves any number of messages: each message has random
/// octets of its own. Holds the key in pinned memory and zeroes it when disposed. Thread-safe, save for a Dispose while it is in use.
/// </summary>
public sealed class MessageKey : IDisposable
{
    private readonly byte[] _key;
    private bool _disposed;

    private MessageKey(S2K s2k, CipherAlgorithm cipher, byte[] key) => (S2K, Cipher, _key) = (s2k, cipher, key);

    /// <summary>How the key was derived.</summary>
    public S2K S2K { get; }

    /// <summary>The cipher that the key is for.</summary>
    public CipherAlgorithm Cipher { get; }

    internal ReadOnlySpan<byte> Bytes
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _key;
        }
    }

    /// <summary>A new AES-256 key with a fresh salt, for writing. Takes about 40 ms with the highest count.</summary>
    /// <param name="passphrase">The passphrase as bytes; see <see cref="PassphraseLine"/>.</param>
    /// <param name="codedCount">The coded count of <see cref="OpenPgp.S2K"/>; lower ones are for tests.</param>
    public static MessageKey Create(ReadOnlySpan<byte> passphrase, byte codedCount = S2K.HighestCodedCount) =>
        Derive(passphrase, S2K.Create(codedCount), CipherAlgorithm.Aes256);

    /// <summary>Derives the key of a message that exists.</summary>
    public static MessageKey Derive(ReadOnlySpan<byte> passphrase, S2K s2k, CipherAlgorithm cipher)
    {
        if (passphrase.IsEmpty) throw new OpenPgpException(OpenPgpError.PassphraseUnusable, "The passphrase is empty.");
        var length = cipher.KeyLength();
        ArgumentOutOfRangeException.ThrowIfZero(length, nameof(cipher));
        // Pinned, so that the collector leaves no copies behind.
        var key = GC.AllocateArray<byte>(length, pinned: true);
        s2k.Derive(passphrase, key);
        return new MessageKey(s2k, cipher, key);
    }

    /// <summary>A key for another purpose: HKDF-SHA256 (RFC 5869) over the S2K output, without salt. The caller zeroes it.</summary>
    /// <param name="info">What it is for; another text gives an unrelated key.</param>
    /// <param name="length">Bytes wanted, 1 to 8,160.</param>
    public byte[] DeriveSubkey(ReadOnlySpan<byte> info, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        var subkey = new byte[length];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, Bytes, subkey, salt: [], info);
        return subkey;
    }

    /// <summary>The same with <paramref name="info"/> in UTF-8.</summary>
    public byte[] DeriveSubkey(string info, int length) => DeriveSubkey(Encoding.UTF8.GetBytes(info), length);

    /// <summary>Zeroes the key.</summary>
    public void Dispose()
    {
        _disposed = true;
        CryptographicOperations.ZeroMemory(_key);
    }
}
