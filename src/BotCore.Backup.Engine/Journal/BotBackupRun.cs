using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Drills;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Retention;
using BotCore.Backup.Engine.Verification;

namespace BotCore.Backup.Engine.Journal;

/// <summary>What a run was for.</summary>
public enum RunKind
{
    /// <summary>Not known.</summary>
    Unknown = 0,

    /// <summary>It made backups.</summary>
    Backup,

    /// <summary>It proved backups.</summary>
    Verification,

    /// <summary>It brought something back.</summary>
    Restore,

    /// <summary>It copied backups from store to store.</summary>
    Copy,

    /// <summary>It removed backups.</summary>
    CleanUp,

    /// <summary>It looked how things are.</summary>
    Health,

    /// <summary>It reported.</summary>
    Report,

    /// <summary>It rehearsed a disaster.</summary>
    Drill,
}

/// <summary>What a run did with one thing in one store. Immutable; holds no secret.</summary>
public sealed record RunResult
{
    /// <summary>Of which component; Unknown where it is of none.</summary>
    public Component Component { get; init; }

    /// <summary>Which one of its component; empty where it is of none.</summary>
    public string Name { get; init; } = "";

    /// <summary>Full, incremental, snapshot; Unknown where that says nothing.</summary>
    public BackupType Type { get; init; }

    /// <summary>The store's word; empty where it is of none.</summary>
    public string Store { get; init; } = "";

    /// <summary>Path or URI of what it is about, without secrets; empty where there is none.</summary>
    public string Location { get; init; } = "";

    /// <summary>Succeeded only where it was proven.</summary>
    public required Outcome Outcome { get; init; }

    /// <summary>Why it was skipped: <c>Unchanged</c> is as good as done, and <c>Locked</c>, of a removal, nobody can help; empty otherwise.</summary>
    public string Reason { get; init; } = "";

    /// <summary>What went wrong; null where nothing did.</summary>
    public Failure? Failure { get; init; }

    /// <summary>Length of the archive.</summary>
    public ByteSize Size { get; init; }

    /// <summary>Of a removal: what it freed.</summary>
    public ByteSize Freed { get; init; }

    /// <summary>Of a proof: how deep it went.</summary>
    public Depth Depth { get; init; }

    /// <summary>The moment that the backup stands for, UTC; null where there is none.</summary>
    public DateTimeOffset? Taken { get; init; }

    /// <summary>Of a database backup: the newest moment that can be restored with it, UTC; null where it has no oplog.</summary>
    public DateTimeOffset? WindowEnd { get; init; }

    /// <summary>How long it took; zero where nobody measured.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>Whether it counts as good: done and proven, or left alone because nothing changed.</summary>
    public bool IsGood => Outcome == Outcome.Succeeded || (Outcome == Outcome.Skipped && Reason is "Unchanged" or RetentionRules.Locked);
}

/// <summary>
/// What one run of one command did, from its first step to its last: the one record that log, metrics, notices and exit codes are made of, so that they cannot differ. Immutable; holds no secret.
/// </summary>
public sealed record BotBackupRun
{
    /// <summary>Sixteen or thirty-two hex digits, the same in manifests, logs, metrics and notices.</summary>
    public required string RunId { get; init; }

    /// <summary>The cmdlet, such as <c>Invoke-BotBackup</c>.</summary>
    public required string Command { get; init; }

    /// <summary>What it was for.</summary>
    public required RunKind Kind { get; init; }

    /// <summary>The machine it ran on.</summary>
    public required string Host { get; init; }

    /// <summary>When it began, UTC.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>When it ended, UTC.</summary>
    public required DateTimeOffset Ended { get; init; }

    /// <summary>One for each thing and store.</summary>
    public IReadOnlyList<RunResult> Results { get; init; } = [];

    /// <summary>Disasters that it rehearsed.</summary>
    public IReadOnlyList<BotBackupDrill> Drills { get; init; } = [];

    /// <summary>What a person should look at, though the run went on.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>All that failed, those of single results included.</summary>
    public IReadOnlyList<Failure> Failures { get; init; } = [];

    /// <summary>Whether it was stopped before its end.</summary>
    public bool Interrupted { get; init; }

    /// <summary>Whether it looked and found nothing that had to be done.</summary>
    public bool FoundNothingToDo { get; init; }

    /// <summary>How long it took.</summary>
    public TimeSpan Duration => Ended - Started;

    /// <summary>Whether all of it is good: something was done and proven, or nothing had to be.</summary>
    public bool IsGood => Outcome is Outcome.Succeeded or Outcome.Skipped;

    /// <summary>
    /// Failed where anything failed, is unproven or was cut off; Succeeded where something was done and all of it is good; Skipped where nothing had to be done; Unknown where nothing was said at all.
    /// </summary>
    public Outcome Outcome => Failures.Count > 0 || Interrupted || Results.Any(result => !result.IsGood) ? Outcome.Failed
        : Results.Any(result => result.Outcome == Outcome.Succeeded) ? Outcome.Succeeded
        : Results.Count > 0 || FoundNothingToDo ? Outcome.Skipped
        : Outcome.Unknown;
}
