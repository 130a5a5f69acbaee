using BotCore.Backup.Engine.Compression;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Outside.Gnupg;
using BotCore.Backup.Protocols.OpenPgp;

namespace BotCore.Backup.Engine.Archives;

/// <summary>
/// What opens archives: the passphrase, asked for only when the first archive needs one, and the installed gpg for those encrypted to public keys.
/// Every derived key is kept until disposal. Thread-safe.
/// </summary>
internal sealed class ArchiveKeys(Func<PassphraseKeyring?> passphrase, Func<GpgProgram> gpg, string? signKey = null) : IDisposable
{
    private readonly Lazy<PassphraseKeyring?> _keyring = new(passphrase);

    /// <summary>Whether a passphrase is at hand. Throws PassphraseTooOpen where it may not be used.</summary>
    public bool HasPassphrase => _keyring.Value is not null;

    /// <summary>The passphrase's keys. Throws PassphraseMissing where there is none.</summary>
    public PassphraseKeyring Keyring => _keyring.Value ?? throw new BackupException(
        FailureKind.PassphraseMissing, "A passphrase is needed and none is configured.", "Set GPG_PASSPHRASE_FILE, or give -Passphrase.");

    /// <summary>
    /// Takes the encryption off <paramref name="stream"/>, whatever it is, and returns what it was and the compressed bytes. Every later error of the
    /// returned stream is a <see cref="BackupException"/> or an <see cref="InvalidDataException"/>.
    /// </summary>
    public (Encryption Encryption, Stream Compressed) Decrypt(Stream stream, string name)
    {
        var (wrapping, whole) = WrappingSniffer.Sniff(stream);
        return wrapping switch
        {
            Wrapping.OpenPgpPassphrase => (Encryption.Passphrase, OpenPgpStream.Open(whole, Keyring.Get, Bzip2, name)),
            Wrapping.OpenPgpRecipients => (Encryption.Recipients, gpg().OpenDecryptor(whole)),
            _ => (Encryption.None, whole),
        };
    }

    /// <summary>
    /// Takes the compression off, whatever it is. A codec that is not to be had is CodecMissing. <paramref name="ratio"/> is how much of it one byte can become.
    /// </summary>
    public static Stream Decompress(Stream compressed, string name, out int ratio)
    {
        var (wrapping, whole) = WrappingSniffer.Sniff(compressed);
        var suffix = wrapping switch
        {
            Wrapping.Gzip => ".gz",
            Wrapping.Bzip2 => ".bz2",
            Wrapping.Xz => ".xz",
            Wrapping.Zstd => ".zst",
            Wrapping.Tar => "",
            _ => throw new BackupException(FailureKind.ArchiveCorrupt, $"'{name}' is not an archive: it is neither a tar nor compressed nor encrypted by any format known here.", "Check that this is the right file, or take another copy.", name),
        };
        var codec = Codecs.BySuffix(suffix);
        ratio = codec?.MaximumRatio ?? 1;
        return codec?.OpenReader(whole, leaveOpen: true) ?? whole;
    }

    /// <summary>
    /// The key of a passphrase message that begins <paramref name="stream"/>: null where the passphrase does not fit, or where it is no such message.
    /// </summary>
    public MessageKey? Probe(Stream stream)
    {
        MessageKey? key = null;
        try
        {
            using var reader = SymmetricMessageReader.Open(stream, (s2k, cipher) => key = Keyring.Get(s2k, cipher), Bzip2, leaveOpen: true);
            _ = reader.Read(new byte[1]);
            return key;
        }
        catch (OpenPgpException wrong)
        {
            // What comes after the key check is not the question here.
            return wrong.Error is OpenPgpError.Corrupt or OpenPgpError.Truncated ? key : null;
        }
    }

    /// <summary>Whether GPG_SIGN_KEY is set: then what bears no signature is not ours.</summary>
    public bool DemandsSignature => signKey is not null;

    /// <summary>
    /// Whether the signature of <paramref name="manifest"/> is good: under GPG_SIGN_KEY where that names a key by its fingerprint or id, otherwise under any public key
    /// that gpg knows.
    /// </summary>
    public bool IsSigned(Manifest manifest)
    {
        try
        {
            var signer = gpg().Verify(manifest.ToSealedBytes(), Convert.FromBase64String(manifest.Signature ?? ""));
            return signKey is null || !signKey.All(char.IsAsciiHexDigit) || signer.EndsWith(signKey, StringComparison.OrdinalIgnoreCase);
        }
        catch (Exception bad) when (bad is FormatException || bad is BackupException { Failure.Kind: FailureKind.ArchiveUnauthenticated })
        {
            return false;
        }
    }

    public void Dispose()
    {
        if (_keyring.IsValueCreated)
            _keyring.Value?.Dispose();
    }

    private static Stream Bzip2(Stream compressed) => Codecs.BySuffix(".bz2")!.OpenReader(compressed, leaveOpen: true);
}
