using System.Globalization;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Verification.Budgets;

namespace BotCore.Backup.Engine.Drills;

/// <summary>A named disaster.</summary>
public enum DrillScenario
{
    /// <summary>None.</summary>
    Unknown = 0,

    /// <summary>The database is lost or wrong; the machine and its local store are there.</summary>
    DatabaseCorruption,

    /// <summary>The machine is lost, and the local store with it where another store has the backups.</summary>
    CompleteFailure,

    /// <summary>The data of one service is lost: volumes, folders, configuration.</summary>
    ServiceFailure,

    /// <summary>The region is lost: the local store may not be read.</summary>
    RegionalOutage,

    /// <summary>The key on the machine is lost: a copy of it must open the newest and the oldest backup.</summary>
    KeyLoss,
}

/// <summary>How long a recovery may take, and how much of the newest writes it may lose. Immutable.</summary>
/// <param name="Rto">Recovery time objective; null for none.</param>
/// <param name="Rpo">Recovery point objective; null for none.</param>
public sealed record DrillTarget(TimeSpan? Rto, TimeSpan? Rpo);

/// <summary>One step of a drill. Immutable; holds no secret.</summary>
/// <param name="Name">What was done: Find, Fetch, Unseal, Restore, Compare, Check, BreakGlass, Open, CleanUp.</param>
/// <param name="Subject">On what.</param>
/// <param name="Outcome">Succeeded, Failed, or Skipped where a step before it failed.</param>
/// <param name="Duration">How long it took.</param>
/// <param name="Message">What came of it, a sentence.</param>
/// <param name="Failure">What went wrong; null where nothing did.</param>
public sealed record BotDrillStep(string Name, string Subject, Outcome Outcome, TimeSpan Duration, string Message, Failure? Failure = null)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Name} {Subject}: {Outcome}. {Message}";
}

/// <summary>A disaster that was rehearsed, and what was measured. Immutable; holds no secret.</summary>
public sealed record BotBackupDrill
{
    /// <summary>Which disaster.</summary>
    public required DrillScenario Scenario { get; init; }

    /// <summary>Each step, in its order.</summary>
    public required IReadOnlyList<BotDrillStep> Steps { get; init; }

    /// <summary>When it began, UTC.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>From the first step to the last of the recovery and its checks, measured; null where it did not come so far.</summary>
    public TimeSpan? Rto { get; init; }

    /// <summary>From the newest moment that was brought back to the beginning of the drill; null where nothing was, and where nothing can be lost.</summary>
    public TimeSpan? Rpo { get; init; }

    /// <summary>What they should be.</summary>
    public required DrillTarget Target { get; init; }

    /// <summary>Stores that were read.</summary>
    public IReadOnlyList<string> Stores { get; init; } = [];

    /// <summary>Whether the database went into the Sandbox, which is no mongod: a rehearsal of our half.</summary>
    public bool InSandbox { get; init; }

    /// <summary>The machine it was done on.</summary>
    public required string Host { get; init; }

    /// <summary>Whether the recovery was in time; null where there is no target, or it did not come so far.</summary>
    public bool? IsInTime => Target.Rto is { } target && Rto is { } rto ? rto <= target : null;

    /// <summary>Whether little enough was lost; null as above.</summary>
    public bool? IsRecent => Target.Rpo is { } target && Rpo is { } rpo ? rpo <= target : null;

    /// <summary>Succeeded only where every step did and both targets were met.</summary>
    public Outcome Outcome => Steps.Count > 0 && Steps.All(step => step.Outcome == Outcome.Succeeded) && IsInTime != false && IsRecent != false ? Outcome.Succeeded : Outcome.Failed;

    /// <summary>One sentence that says whether this disaster would be survived, and why not.</summary>
    public string Verdict => Outcome == Outcome.Succeeded ? $"READY for {Scenario}{(InSandbox ? ", as far as a Sandbox can tell" : "")}."
        : Steps.FirstOrDefault(step => step.Outcome == Outcome.Failed) is { } broken ? $"NOT READY for {Scenario}: {broken.Name} {broken.Subject} failed. {broken.Message}"
        : IsInTime == false ? string.Create(CultureInfo.InvariantCulture, $"NOT READY for {Scenario}: the recovery took {BudgetText.Of(Rto!.Value)}, and {BudgetText.Of(Target.Rto!.Value)} is allowed.")
        : IsRecent == false ? string.Create(CultureInfo.InvariantCulture, $"NOT READY for {Scenario}: what was written in the last {BudgetText.Of(Rpo!.Value)} would be lost, and {BudgetText.Of(Target.Rpo!.Value)} is allowed.")
        : $"NOT READY for {Scenario}: nothing was rehearsed.";

    /// <summary>For people: the verdict.</summary>
    public override string ToString() => Verdict;
}
