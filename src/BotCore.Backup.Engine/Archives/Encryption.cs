namespace BotCore.Backup.Engine.Archives;

/// <summary>How an archive is encrypted. All of them are OpenPGP messages that the stock gpg opens.</summary>
public enum Encryption
{
    /// <summary>Not known.</summary>
    Unknown = 0,

    /// <summary>Not encrypted; such an archive cannot be authenticated.</summary>
    None,

    /// <summary>AES-256 under a passphrase.</summary>
    Passphrase,

    /// <summary>To public keys, through the installed gpg.</summary>
    Recipients,
}
