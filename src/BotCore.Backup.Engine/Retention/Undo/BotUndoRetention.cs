using System.Globalization;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Retention.Undo;

/// <summary>What becomes of the collections that a restore of a database kept so that it can be undone. Immutable.</summary>
public sealed record BotUndoRetention
{
    /// <summary>The restore's id, which Undo-BotRestore takes.</summary>
    public required string Id { get; init; }

    /// <summary>The server, without its password.</summary>
    public required string Server { get; init; }

    /// <summary>The databases that were restored.</summary>
    public required IReadOnlyList<string> Databases { get; init; }

    /// <summary>Collections that are kept under other names.</summary>
    public required int Collections { get; init; }

    /// <summary>When they were swapped out, UTC; null where nothing says so.</summary>
    public DateTimeOffset? Restored { get; init; }

    /// <summary>Keep or Expire.</summary>
    public required RetentionVerdict Verdict { get; init; }

    /// <summary>Why, in a sentence.</summary>
    public required string Reason { get; init; }

    /// <summary>Unknown for a decision; Succeeded only where all of them are gone.</summary>
    public Outcome Outcome { get; init; }

    /// <summary>Whether they go within a day.</summary>
    internal bool GoesSoon { get; init; }

    /// <summary>For people.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Verdict} the {Collections} collections of restore {Id} in {string.Join(", ", Databases)}: {Reason}");
}

/// <summary>The collections of one restore, to be dropped.</summary>
public sealed record UndoExpiryStep : Step
{
    internal UndoExpiryStep(BotUndoRetention decision)
        : base(decision.Server, string.Create(CultureInfo.InvariantCulture, $"Drop the {decision.Collections} collections that restore {decision.Id} kept in {string.Join(", ", decision.Databases)} for an undo: {decision.Reason}")) => Decision = decision;

    /// <summary>Why.</summary>
    public BotUndoRetention Decision { get; }
}
