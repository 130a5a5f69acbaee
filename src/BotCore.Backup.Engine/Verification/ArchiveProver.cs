using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.OpenPgp;

namespace BotCore.Backup.Engine.Verification;

/// <summary>
/// Reads one backup back from its store and says what is true of it. Test-BotBackup shows the result; a restore demands it before it writes anything. One thread at a time.
/// </summary>
internal sealed class ArchiveProver(ArchiveKeys keys, int threads)
{
    /// <summary>Proves <paramref name="backup"/> to <paramref name="depth"/> (Checksum or Archive). Only cancellation is thrown; every flaw is in the result.</summary>
    public BotBackupVerification Prove(BotBackup backup, Depth depth, IEntryVisitor visitor, Action<long> moved, CancellationToken token)
    {
        var clock = Stopwatch.StartNew();
        try
        {
            var result = backup.Manifest is { } manifest
                ? ProveOurs(backup, manifest, depth, visitor, moved, token)
                : ProveForeign(backup, depth, visitor, moved, token);
            return result with { Duration = clock.Elapsed };
        }
        catch (BackupException wrong)
        {
            return Failed(backup, depth, wrong.Failure) with { Duration = clock.Elapsed };
        }
    }

    /// <summary>
    /// Whether manifest and index are genuine, without reading the archive: what a selective restore stands on. Throws where they are not.
    /// </summary>
    public void DemandGenuineIndex(BotBackup backup, Manifest manifest, CancellationToken token)
    {
        var index = LookAt(backup, BackupFiles.Index(backup.Key), token);
        var facts = Authenticate(backup, manifest, new ArchiveFacts
        {
            Size = manifest.Size,
            Sha256 = manifest.Sha256,
            IndexSize = index.Size,
            IndexSha256 = index.Sha256,
        }, token);
        if (facts.Verdict(backup, manifest) is { } flaw)
            throw new BackupException(flaw);
    }

    private BotBackupVerification ProveOurs(BotBackup backup, Manifest manifest, Depth depth, IEntryVisitor visitor, Action<long> moved, CancellationToken token)
    {
        using var stored = backup.Source.OpenRead(backup.Key, 0, token);
        using var raw = new HashingStream(stored);
        Failure? unsealing = null;
        UnsealResult? unsealed = null;
        if (depth >= Depth.Archive)
        {
            try
            {
                unsealed = new Unsealer(backup, keys, threads).Read(raw, visitor, moved, token);
            }
            catch (BackupException wrong) when (wrong.Failure.Kind is not (FailureKind.PassphraseMissing or FailureKind.PassphraseTooOpen))
            {
                unsealing = wrong.Failure;
            }
        }

        raw.Drain(token);
        var index = LookAt(backup, BackupFiles.Index(backup.Key), token);
        var facts = Authenticate(backup, manifest, new ArchiveFacts
        {
            Size = raw.Count,
            Sha256 = raw.Hash,
            IndexSize = index.Size,
            IndexSha256 = index.Sha256,
            ChecksumFile = ReadChecksumFile(backup, token),
            EmbeddedId = unsealing is null ? unsealed?.EmbeddedId : new Unsealer(backup, keys, threads).PeekId(token),
            Unsealing = unsealing,
            Unsealed = unsealed,
        }, token);
        if (facts.Verdict(backup, manifest) is { } flaw)
            return Failed(backup, depth, flaw) with { Read = raw.Count, SeenAt = SeenAt(flaw, facts.IsIntact(manifest)) };

        var authenticated = facts.AuthenticByArchive == true;
        var proof = new Proof(depth, DateTimeOffset.UtcNow, authenticated);
        var vouched = authenticated ? "" : manifest.Encryption == Encryption.None ? "; nothing authenticates it, since it is not encrypted" : "; its manifest was not authenticated, since the key is not at hand";
        return new BotBackupVerification
        {
            Backup = backup with { Proof = proof },
            Location = backup.Location,
            Depth = depth,
            Outcome = Outcome.Succeeded,
            Proof = proof,
            Entries = unsealed?.Entries ?? 0,
            Read = raw.Count,
            Message = unsealed is null ? $"Archive and index are the bytes that were sealed{vouched}." : $"All {unsealed.Entries} entries were read and are what the index says{vouched}.",
        };
    }

    private BotBackupVerification ProveForeign(BotBackup backup, Depth depth, IEntryVisitor visitor, Action<long> moved, CancellationToken token)
    {
        using var stored = backup.Source.OpenRead(backup.Key, 0, token);
        using var raw = new HashingStream(stored);
        UnsealResult? unsealed = null;
        Failure? unsealing = null;
        if (depth >= Depth.Archive)
        {
            try
            {
                unsealed = new Unsealer(backup, keys, threads).Read(raw, visitor, moved, token);
            }
            catch (BackupException wrong) when (wrong.Failure.Kind == FailureKind.ArchiveCorrupt)
            {
                unsealing = wrong.Failure;
            }
        }

        raw.Drain(token);
        var checksum = ReadChecksumFile(backup, token);
        var matches = checksum is null ? (bool?)null : string.Equals(checksum, raw.Hash, StringComparison.OrdinalIgnoreCase);
        if (matches == false)
            return Failed(backup, depth, new Failure(FailureKind.ChecksumMismatch, $"'{backup.Location}' does not have the SHA-256 that stands beside it.", "Restore from another copy or an older backup.", backup)) with { Read = raw.Count, SeenAt = Depth.Checksum };
        if (unsealing is not null)
            return Failed(backup, depth, unsealing) with { Read = raw.Count };
        if (unsealed?.EmbeddedId is not null)
            return Failed(backup, depth, BackupCatalog.MissingManifest(backup.Source, backup.Key)) with { Read = raw.Count };

        // Without a manifest nothing says what the archive should be: a checksum file, or its own integrity codes read to the end, prove what they prove.
        var proof = matches == true || unsealed is not null ? new Proof(depth, DateTimeOffset.UtcNow, Authenticated: false) : Proof.None;
        return new BotBackupVerification
        {
            Backup = backup with { Proof = proof },
            Location = backup.Location,
            Depth = depth,
            Outcome = proof.Depth == Depth.Unknown ? Outcome.Unknown : Outcome.Succeeded,
            Proof = proof,
            Entries = unsealed?.Entries ?? 0,
            Read = raw.Count,
            Message = unsealed is not null
                ? $"All {unsealed.Entries} entries can be read; the archive has no manifest, so nothing says what it should hold."
                : matches == true ? "The archive has the SHA-256 that stands beside it; it has no manifest." : "There is neither a manifest nor a checksum to compare with; test it at Archive depth.",
        };
    }

    private ArchiveFacts Authenticate(BotBackup backup, Manifest manifest, ArchiveFacts facts, CancellationToken token)
    {
        // By what the archive is, not only by what the manifest says it is: an edited word must not switch the check of its seal off.
        facts = facts with { Encryption = EncryptionOf(backup, token) };
        var passphrase = manifest.Encryption == Encryption.Passphrase || facts.Encryption == Encryption.Passphrase;
        if (!passphrase && manifest.Encryption == Encryption.Recipients)
        {
            // Anybody can encrypt to a public key, so where signatures are the rule a missing one is no better than a bad one.
            if (manifest.Signature is null && !keys.DemandsSignature)
                return facts;
            var signed = keys.IsSigned(manifest);
            return facts with { AuthenticByArchive = signed, AuthenticByIndex = signed };
        }

        if (!passphrase || !keys.HasPassphrase)
            return facts;
        var byArchive = Probe(backup, backup.Key, token);
        var byIndex = Probe(backup, BackupFiles.Index(backup.Key), token);
        return facts with
        {
            OpensArchive = byArchive is not null,
            OpensIndex = byIndex is not null,
            AuthenticByArchive = IsGenuine(manifest, byArchive),
            AuthenticByIndex = IsGenuine(manifest, byIndex),
        };
    }

    private static bool IsGenuine(Manifest manifest, MessageKey? key)
    {
        if (key is null)
            return false;
        var secret = PassphraseCipher.ManifestKey(key);
        var genuine = manifest.HasHmacOf(secret);
        CryptographicOperations.ZeroMemory(secret);
        return genuine;
    }

    private MessageKey? Probe(BotBackup backup, string key, CancellationToken token)
    {
        if (backup.Source.Find(key, token) is null)
            return null;
        using var stream = backup.Source.OpenRead(key, 0, token);
        return keys.Probe(stream);
    }

    private static Encryption EncryptionOf(BotBackup backup, CancellationToken token)
    {
        using var stream = backup.Source.OpenRead(backup.Key, 0, token);
        var (wrapping, _) = WrappingSniffer.Sniff(stream);
        return wrapping switch
        {
            Wrapping.OpenPgpPassphrase => Encryption.Passphrase,
            Wrapping.OpenPgpRecipients => Encryption.Recipients,
            _ => Encryption.None,
        };
    }

    private static (long Size, string Sha256) LookAt(BotBackup backup, string key, CancellationToken token)
    {
        if (backup.Source.Find(key, token) is null)
            return (0, "");
        using var stream = backup.Source.OpenRead(key, 0, token);
        using var hash = new HashingStream(stream);
        hash.Drain(token);
        return (hash.Count, hash.Hash);
    }

    // The old scripts wrote a path after the hash; only the hash counts.
    private static string? ReadChecksumFile(BotBackup backup, CancellationToken token)
    {
        var key = BackupFiles.Checksum(backup.Key);
        if (backup.Source.Find(key, token) is null)
            return null;
        using var stream = backup.Source.OpenRead(key, 0, token);
        Span<byte> head = stackalloc byte[64];
        var read = stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        var text = Encoding.ASCII.GetString(head[..read]);
        return text.Length == 64 && text.All(char.IsAsciiHexDigit) ? text : null;
    }

    // Other bytes can be seen by their hash; what is wrong with the right bytes needs the key, and all of them read.
    private static Depth SeenAt(Failure flaw, bool intact) => flaw.Kind != FailureKind.ArchiveUnauthenticated && (!intact || flaw.Kind == FailureKind.ChecksumMismatch) ? Depth.Checksum : Depth.Archive;

    private static BotBackupVerification Failed(BotBackup backup, Depth depth, Failure failure) => new()
    {
        Backup = backup,
        Location = backup.Location,
        Depth = depth,
        Outcome = Outcome.Failed,
        Proof = Proof.None,
        Failure = failure,
        Message = failure.Message,
    };
}
