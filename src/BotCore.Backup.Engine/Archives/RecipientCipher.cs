using BotCore.Backup.Engine.Outside.Gnupg;

namespace BotCore.Backup.Engine.Archives;

/// <summary>
/// To public keys, through the installed gpg, so that this host cannot read its own backups. There is no shared secret, so no HMAC: the manifest is signed where a
/// signing key is set, and not authenticated where none is.
/// </summary>
internal sealed class RecipientCipher(GpgProgram gpg, IReadOnlyList<string> recipients, string? signKey) : IArchiveCipher
{
    public Encryption Encryption => Encryption.Recipients;

    public string Suffix => ".gpg";

    public CipherWriter OpenWriter(Stream output)
    {
        var encryptor = gpg.OpenEncryptor(output, recipients);
        return new CipherWriter(encryptor, encryptor.Complete);
    }

    public Manifest Authenticate(Manifest manifest) => signKey is null
        ? manifest
        : manifest with { Signature = Convert.ToBase64String(gpg.Sign(manifest.ToSealedBytes(), signKey)) };

    public void Dispose()
    {
        // Every message ends its own gpg.
    }
}
