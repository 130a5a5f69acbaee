using System.Security.Cryptography;
using BotCore.Backup.Protocols.OpenPgp;

namespace BotCore.Backup.Engine.Archives;

/// <summary>No encryption. Such an archive cannot be authenticated, and its proof says so.</summary>
internal sealed class PlainCipher : IArchiveCipher
{
    public Encryption Encryption => Encryption.None;

    public string Suffix => "";

    public CipherWriter OpenWriter(Stream output) => new(new PassingStream(output), () => { });

    public Manifest Authenticate(Manifest manifest) => manifest;

    public void Dispose()
    {
        // Holds nothing.
    }
}

/// <summary>
/// AES-256 under a passphrase. Archive and index are two messages under one key, so opening both costs one derivation, and the manifest's HMAC key comes from
/// the same: who cannot open the archive cannot vouch for it.
/// </summary>
internal sealed class PassphraseCipher(PassphraseKeyring keyring) : IArchiveCipher
{
    private readonly MessageKey _key = keyring.Create();

    public Encryption Encryption => Encryption.Passphrase;

    public string Suffix => ".gpg";

    /// <summary>The manifest's HMAC key of an archive encrypted under <paramref name="key"/>.</summary>
    public static byte[] ManifestKey(MessageKey key) => key.DeriveSubkey("botcore-backup manifest 1", 32);

    public CipherWriter OpenWriter(Stream output)
    {
        var writer = new SymmetricMessageWriter(output, _key, leaveOpen: true);
        return new CipherWriter(writer, writer.Complete);
    }

    public Manifest Authenticate(Manifest manifest)
    {
        var key = ManifestKey(_key);
        var sealedManifest = manifest.WithHmac(key);
        CryptographicOperations.ZeroMemory(key);
        return sealedManifest;
    }

    public void Dispose()
    {
        // The key belongs to the keyring, which others may still read with.
    }
}
