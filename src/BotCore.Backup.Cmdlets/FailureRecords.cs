using System.Management.Automation;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Cmdlets;

/// <summary>The one table from what went wrong to what PowerShell calls it (DESIGN.md section 7): ErrorId is the kind's own name.</summary>
public static class FailureRecords
{
    /// <summary>The category of <paramref name="kind"/>. Every kind has one; NotSpecified is never used.</summary>
    public static ErrorCategory CategoryOf(FailureKind kind) => kind switch
    {
        FailureKind.ConfigurationInvalid => ErrorCategory.InvalidArgument,
        FailureKind.ConfigurationMissing or FailureKind.BackupNotFound or FailureKind.BucketMissing or FailureKind.VolumeNotFound => ErrorCategory.ObjectNotFound,
        FailureKind.ChecksumMismatch or FailureKind.ManifestMismatch or FailureKind.ManifestMissing or FailureKind.ChainBroken
            or FailureKind.ArchiveCorrupt or FailureKind.ArchiveUnauthenticated or FailureKind.Suspect => ErrorCategory.InvalidData,
        FailureKind.WrongPassphrase or FailureKind.LoginFailed or FailureKind.CredentialsMissing => ErrorCategory.AuthenticationError,
        FailureKind.AccessDenied or FailureKind.LastGoodBackup or FailureKind.Pinned or FailureKind.LiveTargetRefused => ErrorCategory.PermissionDenied,
        FailureKind.PassphraseMissing or FailureKind.PassphraseTooOpen or FailureKind.CertificateRejected or FailureKind.HostKeyChanged => ErrorCategory.SecurityError,
        FailureKind.StoreUnreachable or FailureKind.SourceUnreachable or FailureKind.NoticeFailed => ErrorCategory.ConnectionError,
        FailureKind.StoreFull or FailureKind.TooLittleSpace => ErrorCategory.QuotaExceeded,
        FailureKind.ContainerNotRunning => ErrorCategory.ResourceUnavailable,
        FailureKind.OplogGap or FailureKind.OplogUnavailable or FailureKind.ServerUnsupported or FailureKind.ClockSkewed => ErrorCategory.InvalidOperation,
        FailureKind.RestoreFailed => ErrorCategory.WriteError,
        FailureKind.RestoreMismatch => ErrorCategory.InvalidResult,
        FailureKind.DestinationNotEmpty => ErrorCategory.ResourceExists,
        FailureKind.CodecMissing or FailureKind.AdapterMissing or FailureKind.ToolMissing => ErrorCategory.NotInstalled,
        FailureKind.Locked => ErrorCategory.ResourceBusy,
        FailureKind.Cancelled => ErrorCategory.OperationStopped,
        _ => ErrorCategory.InvalidOperation,
    };

    /// <summary>Whether no item can go on after it.</summary>
    public static bool EndsCommand(FailureKind kind) => kind is
        FailureKind.ConfigurationInvalid or FailureKind.ConfigurationMissing or FailureKind.PassphraseMissing or FailureKind.PassphraseTooOpen
        or FailureKind.Locked or FailureKind.Cancelled;

    /// <summary>The error record: the raw exception, and the advice beside it.</summary>
    public static ErrorRecord ToErrorRecord(Failure failure) =>
        new(new BackupException(failure), failure.Kind.ToString(), CategoryOf(failure.Kind), failure.Target)
        {
            // The advice has a place of its own: PowerShell 7.6 prints it below the message, so it must not stand in there too.
            ErrorDetails = new ErrorDetails(failure.Message) { RecommendedAction = failure.Advice },
        };
}
