using System.Management.Automation;
using BotCore.Backup.Engine.Events;
using Xunit;

namespace BotCore.Backup.Cmdlets.Tests;

/// <summary>The table of DESIGN.md section 7, written out a second time: neither the code nor this may change alone.</summary>
public sealed class FailureRecordTests
{
    private static readonly Dictionary<FailureKind, (ErrorCategory Category, bool Ends)> Table = new()
    {
        [FailureKind.ConfigurationInvalid] = (ErrorCategory.InvalidArgument, true),
        [FailureKind.ConfigurationMissing] = (ErrorCategory.ObjectNotFound, true),
        [FailureKind.BackupNotFound] = (ErrorCategory.ObjectNotFound, false),
        [FailureKind.ChecksumMismatch] = (ErrorCategory.InvalidData, false),
        [FailureKind.ManifestMismatch] = (ErrorCategory.InvalidData, false),
        [FailureKind.ManifestMissing] = (ErrorCategory.InvalidData, false),
        [FailureKind.ChainBroken] = (ErrorCategory.InvalidData, false),
        [FailureKind.ArchiveCorrupt] = (ErrorCategory.InvalidData, false),
        [FailureKind.ArchiveUnauthenticated] = (ErrorCategory.InvalidData, false),
        [FailureKind.Suspect] = (ErrorCategory.InvalidData, false),
        [FailureKind.WrongPassphrase] = (ErrorCategory.AuthenticationError, false),
        [FailureKind.LoginFailed] = (ErrorCategory.AuthenticationError, false),
        [FailureKind.CredentialsMissing] = (ErrorCategory.AuthenticationError, false),
        [FailureKind.AccessDenied] = (ErrorCategory.PermissionDenied, false),
        [FailureKind.PassphraseMissing] = (ErrorCategory.SecurityError, true),
        [FailureKind.PassphraseTooOpen] = (ErrorCategory.SecurityError, true),
        [FailureKind.CertificateRejected] = (ErrorCategory.SecurityError, false),
        [FailureKind.HostKeyChanged] = (ErrorCategory.SecurityError, false),
        [FailureKind.StoreUnreachable] = (ErrorCategory.ConnectionError, false),
        [FailureKind.SourceUnreachable] = (ErrorCategory.ConnectionError, false),
        [FailureKind.StoreFull] = (ErrorCategory.QuotaExceeded, false),
        [FailureKind.TooLittleSpace] = (ErrorCategory.QuotaExceeded, false),
        [FailureKind.BucketMissing] = (ErrorCategory.ObjectNotFound, false),
        [FailureKind.VolumeNotFound] = (ErrorCategory.ObjectNotFound, false),
        [FailureKind.ContainerNotRunning] = (ErrorCategory.ResourceUnavailable, false),
        [FailureKind.OplogGap] = (ErrorCategory.InvalidOperation, false),
        [FailureKind.OplogUnavailable] = (ErrorCategory.InvalidOperation, false),
        [FailureKind.ServerUnsupported] = (ErrorCategory.InvalidOperation, false),
        [FailureKind.ClockSkewed] = (ErrorCategory.InvalidOperation, false),
        [FailureKind.RestoreFailed] = (ErrorCategory.WriteError, false),
        [FailureKind.RestoreMismatch] = (ErrorCategory.InvalidResult, false),
        [FailureKind.DestinationNotEmpty] = (ErrorCategory.ResourceExists, false),
        [FailureKind.LastGoodBackup] = (ErrorCategory.PermissionDenied, false),
        [FailureKind.Pinned] = (ErrorCategory.PermissionDenied, false),
        [FailureKind.LiveTargetRefused] = (ErrorCategory.PermissionDenied, false),
        [FailureKind.CodecMissing] = (ErrorCategory.NotInstalled, false),
        [FailureKind.AdapterMissing] = (ErrorCategory.NotInstalled, false),
        [FailureKind.ToolMissing] = (ErrorCategory.NotInstalled, false),
        [FailureKind.NoticeFailed] = (ErrorCategory.ConnectionError, false),
        [FailureKind.Locked] = (ErrorCategory.ResourceBusy, true),
        [FailureKind.Cancelled] = (ErrorCategory.OperationStopped, true),
    };

    public static TheoryData<FailureKind> Kinds => [.. Enum.GetValues<FailureKind>().Where(kind => kind != FailureKind.Unknown)];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_kind_has_the_category_and_the_weight_of_the_table(FailureKind kind)
    {
        Assert.True(Table.ContainsKey(kind), $"The table of DESIGN.md does not have {kind}.");
        Assert.Equal(Table[kind].Category, FailureRecords.CategoryOf(kind));
        Assert.Equal(Table[kind].Ends, FailureRecords.EndsCommand(kind));
    }

    [Fact]
    public void Even_what_nobody_foresaw_has_a_category() => Assert.NotEqual(ErrorCategory.NotSpecified, FailureRecords.CategoryOf(FailureKind.Unknown));
}
