using System.Security.Cryptography;

namespace BotCore.Backup.Protocols.OpenPgp;

/// <summary>
/// One passphrase and the keys derived from it, so that each specifier is paid for once: an archive and its index share it. Owns its keys and
/// zeroes them and the passphrase when disposed. Thread-safe.
/// </summary>
public sealed class PassphraseKeyring : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(S2K, CipherAlgorithm), MessageKey> _keys = [];
    private readonly byte[] _passphrase;
    private bool _disposed;

    /// <summary>Keeps a copy of <paramref name="passphrase"/>, which must not be empty.</summary>
    public PassphraseKeyring(ReadOnlySpan<byte> passphrase)
    {
        if (passphrase.IsEmpty) throw new OpenPgpException(OpenPgpError.PassphraseUnusable, "The passphrase is empty.");
        _passphrase = GC.AllocateArray<byte>(passphrase.Length, pinned: true);
        passphrase.CopyTo(_passphrase);
    }

    /// <summary>The key of a specifier, derived at the first call. Belongs to the keyring: do not dispose it.</summary>
    public MessageKey Get(S2K s2k, CipherAlgorithm cipher)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (!_keys.TryGetValue((s2k, cipher), out var key))
                _keys.Add((s2k, cipher), key = MessageKey.Derive(_passphrase, s2k, cipher));
            return key;
        }
    }

    /// <summary>A new AES-256 key with a fresh salt, for writing. Belongs to the keyring.</summary>
    public MessageKey Create(byte codedCount = S2K.HighestCodedCount) => Get(S2K.Create(codedCount), CipherAlgorithm.Aes256);

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            foreach (var key in _keys.Values) key.Dispose();
            _keys.Clear();
            CryptographicOperations.ZeroMemory(_passphrase);
        }
    }
}
