using System.Globalization;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Outside.Gnupg;

/// <summary>What a failed gpg means, out of its status lines (GnuPG's doc/DETAILS) and not of its words.</summary>
internal static class GpgFailures
{
    // Codes of libgpg-error; the source of an error stands in the upper half.
    private const int CodeMask = 0xFFFF;
    private const int BadPassphrase = 11;
    private const int SystemError = 0x8000;

    // Timeout, no agent, no pinentry, cancelled, no passphrase given, agent out of order, fully cancelled.
    private static readonly int[] NotUnlocked = [62, 77, 85, 86, 99, 177, 178, 198];

    internal static Failure Encrypting(GpgReport report, Func<string, GpgKeyState> stateOf)
    {
        if (report.Find("INV_RECP") is not { Arguments.Count: >= 2 } refused)
            return new Failure(FailureKind.ConfigurationInvalid, $"gpg could not encrypt. {report.Said()}", "Try the same recipients with gpg --encrypt by hand.");
        var recipient = string.Join(' ', refused.Arguments.Skip(1));
        return refused.Arguments[0] switch
        {
            "4" => Refused(recipient, "is revoked", "Name the key that took its place."),
            "5" => Refused(recipient, "has expired", "Extend it and import it again, or name another key."),
            "10" => Refused(
                recipient,
                "is not trusted by this gpg: there is no assurance that it belongs to that name",
                "Name every recipient by its full 40-digit fingerprint (gpg --fingerprint), which needs no trust."),
            "2" => Refused(recipient, "is ambiguous: several keys fit", "Name the key by its full fingerprint."),
            "13" => Refused(recipient, "is disabled", "Enable it with gpg --edit-key, or name another key."),
            _ => Unusable(recipient, stateOf(recipient)),
        };
    }

    internal static Failure Decrypting(GpgReport report)
    {
        if (report.Has("DECRYPTION_KEY") || report.Has("BADMDC") || report.Has("DECRYPTION_OKAY"))
            return Damaged(report);
        if (report.Statuses.LastOrDefault(status => status is { Keyword: "ERROR", Arguments: ["pkdecrypt_failed", _, ..] }) is { } failed)
            return NotDecrypted(report, failed.Arguments[1]);
        if (report.Has("NEED_PASSPHRASE_SYM") && !report.Has("ENC_TO"))
        {
            return new Failure(
                FailureKind.WrongPassphrase, "The archive is encrypted with a passphrase and not to a public key, and gpg got none that opens it.", "Give the passphrase, or set GPG_PASSPHRASE_FILE.");
        }

        if (!report.Has("NO_SECKEY"))
            return Damaged(report);
        var keys = string.Join(", ", report.Statuses.Where(status => status is { Keyword: "NO_SECKEY", Arguments.Count: > 0 }).Select(status => status.Arguments[0]));
        return new Failure(
            FailureKind.CredentialsMissing, $"There is no secret key for this archive: it is encrypted to {keys}.", "Import the secret key into this user's gpg, or read the archive where the key is.");
    }

    internal static Failure Signing(GpgReport report, string key) => report.Has("INV_SGNR") || report.Has("NO_SECKEY")
        ? new Failure(
            FailureKind.CredentialsMissing,
            $"The secret key {key} cannot sign: it is not there, or has {(report.Has("KEYEXPIRED") ? "expired" : "been revoked")}. {report.Said()}",
            "Look at it with gpg --list-secret-keys, and correct GPG_SIGN_KEY.",
            key)
        : new Failure(FailureKind.CredentialsMissing, $"gpg could not sign with {key}. {report.Said()}", "Unlock the key in gpg-agent, and try gpg --detach-sign by hand.", key);

    internal static Failure Unauthenticated(GpgReport report)
    {
        var why = report switch
        {
            _ when report.Has("BADSIG") => "The signature does not fit: somebody changed what it signs.",
            _ when report.Has("REVKEYSIG") => "The key of the signature is revoked.",
            _ when report.Has("EXPSIG") => "The signature has expired.",
            _ when report.Find("NO_PUBKEY") is { Arguments: [var key, ..] } => $"The public key {key} that made the signature is not known here.",
            _ when report.Has("NODATA") => "There is no signature.",
            _ => $"The signature cannot be checked. {report.Said()}",
        };
        return new Failure(FailureKind.ArchiveUnauthenticated, why, "Import the signer's public key if it is missing; otherwise do not trust this backup.");
    }

    private static Failure NotDecrypted(GpgReport report, string code)
    {
        var error = int.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number & CodeMask : 0;
        if (error == BadPassphrase)
            return new Failure(FailureKind.WrongPassphrase, "The passphrase does not unlock the secret key.", "Try again, or unlock the key in gpg-agent first.");
        return (error & SystemError) != 0 || NotUnlocked.Contains(error)
            ? new Failure(FailureKind.CredentialsMissing, $"The secret key is locked, and gpg-agent could not unlock it. {report.Said()}", "Unlock the key in gpg-agent first; an unattended run has nobody to ask.")
            : Damaged(report);
    }

    private static Failure Damaged(GpgReport report) => new(
        FailureKind.ArchiveCorrupt, $"The encrypted archive is damaged, cut off or not an OpenPGP message. {report.Said()}", "Take another copy of it, or another backup.");

    private static Failure Unusable(string recipient, GpgKeyState state) => state switch
    {
        GpgKeyState.Unknown => Refused(recipient, "is not known to this gpg", "Import the public key with gpg --import, or correct the name."),
        GpgKeyState.Expired => Refused(recipient, "has expired", "Extend it and import it again, or name another key."),
        GpgKeyState.Revoked => Refused(recipient, "is revoked", "Name the key that took its place."),
        _ => Refused(recipient, "cannot encrypt", "Name a key that has an encryption subkey."),
    };

    private static Failure Refused(string recipient, string why, string advice) =>
        new(FailureKind.ConfigurationInvalid, $"The public key of the recipient {recipient} {why}.", advice, recipient);
}

/// <summary>How a key stands in the keyring.</summary>
internal enum GpgKeyState
{
    /// <summary>It is not there.</summary>
    Unknown = 0,

    /// <summary>It is there.</summary>
    Known,

    /// <summary>It, or all that could encrypt, has expired.</summary>
    Expired,

    /// <summary>It is revoked.</summary>
    Revoked,
}
