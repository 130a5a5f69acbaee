namespace BotCore.Backup.Engine.Metrics;

/// <summary>One measured value under its name and labels. Immutable.</summary>
/// <param name="Name">The name, in Prometheus' letters.</param>
/// <param name="Labels">Labels in the order in which they are written.</param>
/// <param name="Value">The value; times are seconds since 1970.</param>
public sealed record MetricSample(string Name, IReadOnlyList<KeyValuePair<string, string>> Labels, double Value)
{
    /// <summary>What tells it from all other samples: its name and its labels.</summary>
    internal string Key => MetricText.KeyOf(Name, Labels);
}

/// <summary>What a family of samples is. Immutable.</summary>
/// <param name="Name">The name, in Prometheus' letters.</param>
/// <param name="Type"><c>gauge</c> or <c>counter</c>.</param>
/// <param name="Help">What it says, in one line.</param>
internal sealed record MetricFamily(string Name, string Type, string Help);

/// <summary>All families there are, in the order in which they are written.</summary>
internal static class MetricFamilies
{
    public const string GuideSuccessTime = "mongodb_backup_last_success_timestamp";
    public const string GuideSuccess = "mongodb_backup_success";
    public const string GuideSize = "mongodb_backup_size_bytes";
    public const string GuideDuration = "mongodb_backup_duration_seconds";
    public const string Attempt = "botbackup_last_attempt_timestamp_seconds";
    public const string SuccessTime = "botbackup_last_success_timestamp_seconds";
    public const string Success = "botbackup_success";
    public const string Size = "botbackup_size_bytes";
    public const string Duration = "botbackup_duration_seconds";
    public const string ProofTime = "botbackup_last_proof_timestamp_seconds";
    public const string ProofSuccess = "botbackup_proof_success";
    public const string WindowEnd = "botbackup_recovery_window_end_timestamp_seconds";
    public const string ChainLength = "botbackup_chain_length";
    public const string Freed = "botbackup_freed_bytes_total";
    public const string RunTime = "botbackup_run_last_timestamp_seconds";
    public const string RunSuccessTime = "botbackup_run_last_success_timestamp_seconds";
    public const string RunSuccess = "botbackup_run_success";
    public const string RunDuration = "botbackup_run_duration_seconds";
    public const string Runs = "botbackup_runs_total";
    public const string NoticeSuccess = "botbackup_notice_success";
    public const string NoticeFailures = "botbackup_notice_failures_total";
    public const string DrillTime = "botbackup_drill_last_timestamp_seconds";
    public const string DrillSuccess = "botbackup_drill_success";
    public const string DrillRto = "botbackup_drill_rto_seconds";
    public const string DrillRpo = "botbackup_drill_rpo_seconds";
    public const string DrillTarget = "botbackup_drill_target_seconds";
    public const string FreeSpace = "botbackup_store_free_bytes";
    public const string Backups = "botbackup_backups";
    public const string StoredBytes = "botbackup_stored_bytes";
    public const string Probe = "botbackup_probe_healthy";

    private const string Gauge = "gauge";
    private const string Counter = "counter";

    public static IReadOnlyList<MetricFamily> All { get; } =
    [
        new(GuideSuccessTime, Gauge, "Last successful backup timestamp"),
        new(GuideSuccess, Gauge, "Last backup status (1=success, 0=failure)"),
        new(GuideSize, Gauge, "Backup size in bytes"),
        new(GuideDuration, Gauge, "Backup duration in seconds"),
        new(Attempt, Gauge, "When a backup was last tried."),
        new(SuccessTime, Gauge, "When a backup last succeeded: stored, read back and compared."),
        new(Success, Gauge, "Whether the last try succeeded."),
        new(Size, Gauge, "Length of the last good archive."),
        new(Duration, Gauge, "How long the last good backup took."),
        new(ProofTime, Gauge, "When a backup was last proven, by the depth of the proof."),
        new(ProofSuccess, Gauge, "Whether the last proof that was tried found the backup good."),
        new(WindowEnd, Gauge, "The newest moment that the database can be restored to."),
        new(ChainLength, Gauge, "Increments that stand on the newest full backup."),
        new(Freed, Counter, "Bytes given back by clean-ups."),
        new(RunTime, Gauge, "When a run of this kind last ended."),
        new(RunSuccessTime, Gauge, "When a run of this kind last ended well."),
        new(RunSuccess, Gauge, "Whether the last run of this kind ended well."),
        new(RunDuration, Gauge, "How long the last run of this kind took."),
        new(Runs, Counter, "Runs by kind and outcome."),
        new(NoticeSuccess, Gauge, "Whether the last notice through this channel was taken."),
        new(NoticeFailures, Counter, "Notices that a channel did not take."),
        new(DrillTime, Gauge, "When a disaster was last rehearsed."),
        new(DrillSuccess, Gauge, "Whether the last rehearsal succeeded and met its targets."),
        new(DrillRto, Gauge, "How long the last recovery took that was rehearsed to its end."),
        new(DrillRpo, Gauge, "How much of the newest writes it would have lost."),
        new(DrillTarget, Gauge, "What they should be at most."),
        new(FreeSpace, Gauge, "Free bytes of a store."),
        new(Backups, Gauge, "Backups in a store that are not known to be damaged."),
        new(StoredBytes, Gauge, "Bytes of archives in a store."),
        new(Probe, Gauge, "Whether a health probe is healthy; unhealthy and inconclusive are 0."),
    ];
}
