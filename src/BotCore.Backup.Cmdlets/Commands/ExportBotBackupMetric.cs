using System.Management.Automation;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Metrics;

namespace BotCore.Backup.Cmdlets.Commands;

/// <summary>
/// Writes what the stores say into the metrics file that the node exporter reads: newest backups, sizes, proofs, recovery windows, free space. Each run keeps the file current by itself; this makes it anew where it was lost,
/// and says what only the stores know.
/// </summary>
[Cmdlet(VerbsData.Export, "BotBackupMetric", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Low)]
[OutputType(typeof(FileInfo))]
public sealed class ExportBotBackupMetric : ConfiguredCmdlet
{
    /// <summary>The file, which should end in .prom; METRICS_FILE where none is given.</summary>
    [Parameter(Position = 0)]
    [ValidateNotNullOrEmpty]
    public string? Path { get; set; }

    /// <inheritdoc/>
    protected override void Finish()
    {
        var path = Path is null ? Session.Configuration.MetricsFile : FullPath(Path);
        if (path is null)
            Fail(new Failure(FailureKind.ConfigurationMissing, "METRICS_FILE is not set.", "Set it to a file in the node exporter's textfile folder, or give -Path.", "METRICS_FILE"));
        else if (ShouldProcess(path, "Write the metrics that the stores tell"))
            Relay(StoreMetrics.Run(Session, path, Stopped));
    }
}
