using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.OpenPgp;

namespace BotCore.Backup.Engine.Archives;

/// <summary>A decrypting stream whose errors are in the engine's words.</summary>
internal sealed class OpenPgpStream(Stream reader, string name) : ForwardStream
{
    public override bool CanRead => true;

    /// <summary>Opens a message under a passphrase; the stream beneath stays open.</summary>
    public static OpenPgpStream Open(Stream sealedStream, Func<S2K, CipherAlgorithm, MessageKey> keys, Func<Stream, Stream> bzip2, string name)
    {
        try
        {
            return new OpenPgpStream(SymmetricMessageReader.Open(sealedStream, keys, bzip2, leaveOpen: true), name);
        }
        catch (OpenPgpException wrong)
        {
            throw ToFailure(wrong, name);
        }
    }

    public static BackupException ToFailure(OpenPgpException wrong, string name) => wrong.Error switch
    {
        OpenPgpError.WrongPassphrase => new(
            FailureKind.WrongPassphrase, $"The passphrase does not open '{name}'.", "Give the passphrase that was in use when it was made: GPG_PASSPHRASE_FILE or -Passphrase.", name, wrong),
        OpenPgpError.PublicKey => new(
            FailureKind.CredentialsMissing, $"'{name}' is encrypted to public keys.", "Install gnupg and import the secret key of one of them.", name, wrong),
        OpenPgpError.Unsupported or OpenPgpError.Aead or OpenPgpError.SeipdVersion2 or OpenPgpError.NoIntegrity => new(
            FailureKind.ArchiveCorrupt, $"'{name}' cannot be opened here: {wrong.Message}", "Open it with gpg, and seal it anew.", name, wrong),
        _ => new(FailureKind.ArchiveCorrupt, $"'{name}' is damaged: {wrong.Message}", "Restore from another copy or an older backup.", name, wrong),
    };

    public override int Read(Span<byte> buffer)
    {
        try
        {
            return reader.Read(buffer);
        }
        catch (OpenPgpException wrong)
        {
            throw ToFailure(wrong, name);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            reader.Dispose();
        base.Dispose(disposing);
    }
}
