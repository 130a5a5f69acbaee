using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Verification;

/// <summary>
/// All that a pass over an archive of ours found out, and what follows from it. Kept apart from the reading so that the rule "which flaw is it" can be read, and
/// tested, in one place.
/// </summary>
internal sealed record ArchiveFacts
{
    /// <summary>Length and SHA-256 of the archive as the store has it.</summary>
    public required long Size { get; init; }

    public required string Sha256 { get; init; }

    /// <summary>Of the index; empty where there is none.</summary>
    public required string IndexSha256 { get; init; }

    /// <summary>How the archive is encrypted, as its first bytes say.</summary>
    public Encryption Encryption { get; init; }

    /// <summary>Length of the index.</summary>
    public required long IndexSize { get; init; }

    /// <summary>What the <c>.sha256</c> file says; null where it is missing or unreadable.</summary>
    public string? ChecksumFile { get; init; }

    /// <summary>Whether the passphrase opens the index, the archive; null where it was not tried.</summary>
    public bool? OpensIndex { get; init; }

    public bool? OpensArchive { get; init; }

    /// <summary>Whether the manifest's HMAC or signature holds under the archive's key, under the index's; null where there is none or no key to check it.</summary>
    public bool? AuthenticByArchive { get; init; }

    public bool? AuthenticByIndex { get; init; }

    /// <summary>The id that the archive says is its own; null where it says none, or cannot be read so far.</summary>
    public string? EmbeddedId { get; init; }

    /// <summary>What stopped the unsealing; null where it came to its end, or was not tried.</summary>
    public Failure? Unsealing { get; init; }

    /// <summary>What the unsealing found; null where it was stopped or not tried.</summary>
    public UnsealResult? Unsealed { get; init; }

    /// <summary>Whether the archive is, byte for byte, the one that <paramref name="manifest"/> was written for.</summary>
    public bool IsIntact(Manifest manifest) => string.Equals(Sha256, manifest.Sha256, StringComparison.Ordinal) && Size == manifest.Size;

    /// <summary>The first flaw that explains the others; null where there is none.</summary>
    public Failure? Verdict(BotBackup backup, Manifest manifest)
    {
        var intact = IsIntact(manifest);
        var indexIntact = string.Equals(IndexSha256, manifest.IndexSha256, StringComparison.Ordinal) && IndexSize == manifest.IndexSize;

        // A manifest that plays the encryption down would have its own seal go unchecked. Where the key is at hand, it tells better below.
        if (intact && indexIntact && OpensArchive != true && OpensIndex != true && !IsEncryptedAs(manifest.Encryption, backup.Key))
            return new(FailureKind.ManifestMismatch, $"'{backup.Location}' is encrypted otherwise ({Encryption}) than its manifest ({manifest.Encryption}) and its name say.", "Trust nothing of this copy; restore from another store, and find out who could write here.", backup);

        if (OpensIndex == false && OpensArchive == false)
            return new(FailureKind.WrongPassphrase, $"The passphrase does not open '{backup.Location}'.", "Give the passphrase that was in use when it was made: GPG_PASSPHRASE_FILE or -Passphrase.", backup);
        // What says of itself that it is another backup was not damaged: it was put there.
        if (!intact && EmbeddedId is not null && !string.Equals(EmbeddedId, manifest.Id, StringComparison.Ordinal))
            return Exchanged(backup);
        // The index opens with a key of its own salt: where the manifest is not genuine by that either, it is the manifest that was changed.
        if (AuthenticByIndex == false && AuthenticByArchive == false)
            return manifest is { Encryption: Encryption.Recipients, Signature: null }
                ? new(FailureKind.ArchiveUnauthenticated, $"The manifest of '{backup.Location}' bears no signature, and GPG_SIGN_KEY is set.", "Restore a signed backup; where this one is from before signatures were made, unset GPG_SIGN_KEY to open it.", backup)
                : new(FailureKind.ArchiveUnauthenticated, $"The manifest of '{backup.Location}' was changed by somebody who does not have the key.", "Trust nothing of this copy; restore from another store, and find out who could write here.", backup);
        if (!intact)
            return NotIntact(backup, manifest);
        if (!indexIntact)
            return new(FailureKind.ChecksumMismatch, $"The index of '{backup.Location}' is not the one that was written.", "Copy the index back from another store, or restore from another copy.", backup);
        // Both files are what the manifest says, and still its HMAC does not hold: archive and manifest were exchanged together.
        if (AuthenticByArchive == false || AuthenticByIndex == false)
            return new(FailureKind.ArchiveUnauthenticated, $"Archive, index and manifest of '{backup.Location}' were not sealed together.", "Trust nothing of this copy; restore from another store, and find out who could write here.", backup);
        if (Unsealing is not null)
            return Unsealing;
        if (ChecksumFile is not null && !string.Equals(ChecksumFile, manifest.Sha256, StringComparison.OrdinalIgnoreCase))
            return new(FailureKind.ChecksumMismatch, $"The checksum file beside '{backup.Location}' is not that of the archive, though the archive is the one of its manifest.", "Write the checksum file anew with sha256sum.", backup);
        return Unsealed is null ? null : Content(backup, manifest, Unsealed);
    }

    private bool IsEncryptedAs(Encryption said, string key) =>
        Encryption == said && key.EndsWith(".gpg", StringComparison.Ordinal) == (said != Archives.Encryption.None);

    private Failure NotIntact(BotBackup backup, Manifest manifest)
    {
        // It opens, but under another salt than its index and its manifest were made with.
        if (AuthenticByIndex == true && AuthenticByArchive == false && OpensArchive == true)
            return Exchanged(backup);
        if (Size < manifest.Size)
            return new(FailureKind.ArchiveCorrupt, $"'{backup.Location}' is cut short: {new ByteSize(Size)} of {new ByteSize(manifest.Size)} ({Size} of {manifest.Size} bytes).", "Restore from another copy or an older backup.", backup);
        return new(FailureKind.ChecksumMismatch, $"'{backup.Location}' is not what was written: its SHA-256 is {Sha256}, not {manifest.Sha256}.", "Restore from another copy or an older backup.", backup);
    }

    private static Failure Exchanged(BotBackup backup) => new(
        FailureKind.ManifestMismatch, $"'{backup.Location}' is an archive, but not the one that its manifest describes: files were exchanged.", "Put the right archive back, or copy it from another store.", backup);

    private static Failure? Content(BotBackup backup, Manifest manifest, UnsealResult unsealed)
    {
        if (!string.Equals(unsealed.EmbeddedId, manifest.Id, StringComparison.Ordinal))
            return Exchanged(backup);
        if (unsealed.Entries != manifest.Entries || unsealed.PlainSize != manifest.PlainSize)
            return new(FailureKind.ManifestMismatch, $"'{backup.Location}' holds {unsealed.Entries} entries in {unsealed.PlainSize} bytes, and its manifest says {manifest.Entries} in {manifest.PlainSize}.", "Restore from another copy or an older backup.", backup);
        return null;
    }
}
