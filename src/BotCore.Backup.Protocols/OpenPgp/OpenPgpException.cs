namespace BotCore.Backup.Protocols.OpenPgp;

/// <summary>The one word for why an OpenPGP message was not opened.</summary>
public enum OpenPgpError
{
    /// <summary>Never set on purpose.</summary>
    Unknown = 0,

    /// <summary>The bytes are no binary OpenPGP message: another kind of file, or ASCII armor.</summary>
    NotOpenPgp,

    /// <summary>It is OpenPGP, and not encrypted.</summary>
    NotEncrypted,

    /// <summary>The passphrase does not fit. Proven wrong; a wrong one passes this check once in 65,536 times and is then <see cref="Corrupt"/>.</summary>
    WrongPassphrase,

    /// <summary>Damaged: the packets or the modification detection code do not agree, or bytes follow the message.</summary>
    Corrupt,

    /// <summary>The message ends before its end.</summary>
    Truncated,

    /// <summary>A cipher, hash or packet that this reader does not know.</summary>
    Unsupported,

    /// <summary>Encrypted to public keys only: gpg with the private key opens it, no passphrase does.</summary>
    PublicKey,

    /// <summary>Encrypted without modification detection (tag 9): refused, since damage would stay unseen.</summary>
    NoIntegrity,

    /// <summary>AEAD encrypted data of GnuPG 2.3 and later (tag 20, OCB).</summary>
    Aead,

    /// <summary>AEAD encrypted data of RFC 9580 (tag 18, version 2).</summary>
    SeipdVersion2,

    /// <summary>The inside is compressed with bzip2 and no bzip2 decompressor was given.</summary>
    Bzip2Missing,

    /// <summary>The passphrase is empty, or holds a NUL at which gpg would cut it.</summary>
    PassphraseUnusable,
}

/// <summary>An OpenPGP message could not be opened. The text never holds a secret. Errors of the stream beneath come through as they are.</summary>
public sealed class OpenPgpException : Exception
{
    /// <summary>Makes one.</summary>
    public OpenPgpException(OpenPgpError error, string message, Exception? cause = null)
        : base(message, cause) => Error = error;

    /// <summary>The one word for it.</summary>
    public OpenPgpError Error { get; }
}
