namespace BotCore.Backup.Engine.Events;

/// <summary>
/// What went wrong, as one word. It is the ErrorId of the PowerShell error, so scripts may match on it;
/// the ErrorCategory and whether it ends the command follow from it in one table in the Cmdlets.
/// </summary>
public enum FailureKind
{
    /// <summary>Never reported on purpose: a failure always has a kind of its own.</summary>
    Unknown = 0,

    /// <summary>A setting is there but wrong.</summary>
    ConfigurationInvalid,

    /// <summary>A file of settings, or a setting that is needed, is not there.</summary>
    ConfigurationMissing,

    /// <summary>No such backup, or nothing that says where its content belongs.</summary>
    BackupNotFound,

    /// <summary>The bytes are not those that were written.</summary>
    ChecksumMismatch,

    /// <summary>Manifest, index and archive do not belong together.</summary>
    ManifestMismatch,

    /// <summary>An archive of ours stands without its manifest.</summary>
    ManifestMissing,

    /// <summary>A link of a chain is missing or does not fit.</summary>
    ChainBroken,

    /// <summary>The archive cannot be read to its end, or holds what no honest archive holds.</summary>
    ArchiveCorrupt,

    /// <summary>The manifest's HMAC or signature does not hold: somebody changed it.</summary>
    ArchiveUnauthenticated,

    /// <summary>The content breaks its contract.</summary>
    Suspect,

    /// <summary>The passphrase does not open this archive.</summary>
    WrongPassphrase,

    /// <summary>A server refused the login.</summary>
    LoginFailed,

    /// <summary>A login is needed and none is configured.</summary>
    CredentialsMissing,

    /// <summary>The operating system or a server refused access.</summary>
    AccessDenied,

    /// <summary>Encryption is on and no passphrase is to be had, or it is empty.</summary>
    PassphraseMissing,

    /// <summary>The passphrase file can be read by group or others.</summary>
    PassphraseTooOpen,

    /// <summary>A server's certificate is not trusted.</summary>
    CertificateRejected,

    /// <summary>A server's host key is not the known one.</summary>
    HostKeyChanged,

    /// <summary>A store does not answer.</summary>
    StoreUnreachable,

    /// <summary>What is to be backed up does not answer or is not there.</summary>
    SourceUnreachable,

    /// <summary>A store ran out of space while it was written.</summary>
    StoreFull,

    /// <summary>The estimate, made before the run, says that space will not suffice.</summary>
    TooLittleSpace,

    /// <summary>The bucket does not exist.</summary>
    BucketMissing,

    /// <summary>The volume does not exist.</summary>
    VolumeNotFound,

    /// <summary>The container exists but does not run.</summary>
    ContainerNotRunning,

    /// <summary>The oplog no longer holds the end of the chain.</summary>
    OplogGap,

    /// <summary>A standalone server has no oplog.</summary>
    OplogUnavailable,

    /// <summary>This kind of server is not supported.</summary>
    ServerUnsupported,

    /// <summary>The clock is too far from the server's.</summary>
    ClockSkewed,

    /// <summary>A restore could not write what it should.</summary>
    RestoreFailed,

    /// <summary>What was restored, read back, is not what was archived.</summary>
    RestoreMismatch,

    /// <summary>The destination holds something already.</summary>
    DestinationNotEmpty,

    /// <summary>The last good backup would be removed.</summary>
    LastGoodBackup,

    /// <summary>Somebody pinned the backup that would be removed.</summary>
    Pinned,

    /// <summary>A drill or test was pointed at a live target.</summary>
    LiveTargetRefused,

    /// <summary>A codec's library is not installed.</summary>
    CodecMissing,

    /// <summary>An adapter's assembly is not installed.</summary>
    AdapterMissing,

    /// <summary>A program that is needed is not installed.</summary>
    ToolMissing,

    /// <summary>A notice did not reach whom it was for.</summary>
    NoticeFailed,

    /// <summary>Another run holds the lease.</summary>
    Locked,

    /// <summary>Somebody stopped the run.</summary>
    Cancelled,
}
