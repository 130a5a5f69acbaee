using System.Security.Cryptography;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Retention.Pins;
using BotCore.Backup.Engine.Stores;
using BotCore.Backup.Engine.Verification;

namespace BotCore.Backup.Engine.Catalog;

/// <summary>One catalogued archive: the object that every cmdlet takes and gives. Immutable.</summary>
public sealed record BotBackup
{
    /// <summary>Its id, the same in every store; for an archive of the old scripts its file name without suffix.</summary>
    public required string Id { get; init; }

    /// <summary>The run that made it; empty where nobody wrote it down.</summary>
    public string RunId { get; init; } = "";

    /// <summary>What is in it.</summary>
    public required Component Component { get; init; }

    /// <summary>Which one of its component.</summary>
    public required string Name { get; init; }

    /// <summary>Full, incremental or snapshot.</summary>
    public required BackupType Type { get; init; }

    /// <summary>The moment it stands for, UTC.</summary>
    public required DateTimeOffset Taken { get; init; }

    /// <summary>Length of the archive.</summary>
    public required ByteSize Size { get; init; }

    /// <summary>Length of its content, as a tar; null where only reading it would tell.</summary>
    public ByteSize? PlainSize { get; init; }

    /// <summary>Entries in it; null where only reading it would tell.</summary>
    public long? Entries { get; init; }

    /// <summary>Entries that changed or vanished while they were read.</summary>
    public long Flaws { get; init; }

    /// <summary>The store's word.</summary>
    public required string Store { get; init; }

    /// <summary>Path or URI of the archive.</summary>
    public required string Location { get; init; }

    /// <summary>How it is encrypted.</summary>
    public required Encryption Encryption { get; init; }

    /// <summary>How well it is known to be good.</summary>
    public required Proof Proof { get; init; }

    /// <summary>Whether the newest proof that was tried found it damaged: it is kept, and is no good backup.</summary>
    public bool IsDamaged { get; init; }

    /// <summary>Why it stays whatever the policy says, and until when; null where nobody pinned it.</summary>
    public BackupPin? Pin { get; init; }

    /// <summary>Its manifest; null for an archive of the old scripts, or of another tool.</summary>
    public Manifest? Manifest { get; init; }

    /// <summary>The span of the oplog in it; null for what is no MongoDB dump with one.</summary>
    public OplogSpan? Oplog => Manifest?.MongoDb?.Oplog;

    /// <summary>The history of a server that it belongs to: backups of one timeline can be restored together. Null for what has no oplog.</summary>
    public string? Timeline => Oplog is null ? null : Manifest!.Chain?.Timeline ?? Id;

    /// <summary>What became of it in each of the stores that its run was to bring it to; none for a backup that was listed, of which only its own store is known.</summary>
    public IReadOnlyList<StoreOutcome> Stores { get; init; } = [];

    /// <summary>Of a model: the hash of its content, which names the version; null for all else.</summary>
    public string? Hash => Manifest?.Content;

    /// <summary>The moment that all archives of its run belong to; null where that was a run of one component.</summary>
    public DateTimeOffset? PlatformTime => Manifest?.PlatformTime;

    /// <summary>What the run that gives it did: Succeeded where it made it and every store has it, Failed where one has it not, Skipped where it stood already. Unknown of a backup that was listed.</summary>
    public Outcome Outcome { get; init; }

    /// <summary>Why it was skipped: <c>Unchanged</c>; empty otherwise.</summary>
    public string Reason { get; init; } = "";

    /// <summary>Its key in the store.</summary>
    public required string Key { get; init; }

    /// <summary>The folder or file of a dump that mongodump wrote; null for every archive.</summary>
    internal string? PlainDump { get; init; }

    /// <summary>SHA-256 of the bytes of its manifest as they were read; null where they were not, or there is none.</summary>
    internal string? ManifestSha256 { get; init; }

    /// <summary>What the ledger says of it.</summary>
    internal ProofHistory History { get; init; } = ProofHistory.Empty;

    /// <summary>The same, as it would be written where it was not read.</summary>
    internal string? KnownManifestSha256 => ManifestSha256 ?? (Manifest is null ? null : Convert.ToHexStringLower(SHA256.HashData(Manifest.ToJson())));

    /// <summary>What binds records of proofs to it.</summary>
    internal string Seal => ProofName.SealOf(KnownManifestSha256, Size);

    /// <summary>Where to read it.</summary>
    internal IStore Source { get; init; } = null!;

    /// <summary>For people.</summary>
    public override string ToString() => Location;

    internal static BotBackup Of(Manifest manifest, IStore store, string key) => new()
    {
        Id = manifest.Id,
        RunId = manifest.RunId,
        Component = manifest.Component,
        Name = manifest.Name,
        Type = manifest.Type,
        Taken = manifest.Started,
        Size = manifest.Size,
        PlainSize = new ByteSize(manifest.PlainSize),
        Entries = manifest.Entries,
        Flaws = manifest.Changed + manifest.Vanished,
        Store = store.Name,
        Location = store.Locate(key),
        Key = key,
        Encryption = manifest.Encryption,
        // A manifest is written only after the archive was read back from the store and its hash compared.
        Proof = new Proof(Depth.Checksum, manifest.Completed, manifest.Hmac is not null || manifest.Signature is not null),
        Manifest = manifest,
        Source = store,
    };

    internal static BotBackup Foreign(ArchiveName name, StoredObject archive, IStore store) => new()
    {
        Id = name.Stem,
        Component = name.Component,
        Name = name.Name,
        Type = name.Type,
        Taken = name.Taken,
        Size = archive.Length,
        Store = store.Name,
        Location = store.Locate(archive.Key),
        Key = archive.Key,
        Encryption = name.IsEncrypted ? Encryption.Unknown : Encryption.None,
        Proof = Proof.None,
        Source = store,
    };
}
