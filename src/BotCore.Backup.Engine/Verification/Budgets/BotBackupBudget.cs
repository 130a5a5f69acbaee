using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Verification.Budgets;

/// <summary>What a run with a budget did, and by when every byte will have been read if runs go on like this. Immutable.</summary>
public sealed record BotBackupBudget
{
    /// <summary>Succeeded where all that was tested was proven, Failed where something was not, or could not even be listed; Unknown where nothing was tested.</summary>
    public required Outcome Outcome { get; init; }

    /// <summary>How deep.</summary>
    public required Depth Depth { get; init; }

    /// <summary>The time that was to be spent.</summary>
    public required TimeSpan Budget { get; init; }

    /// <summary>The time that was spent.</summary>
    public required TimeSpan Spent { get; init; }

    /// <summary>Archives that were tested now, of them those that were not proven, and all there are.</summary>
    public required int Tested { get; init; }

    /// <inheritdoc cref="Tested"/>
    public required int Failed { get; init; }

    /// <inheritdoc cref="Tested"/>
    public required int Total { get; init; }

    /// <summary>Bytes that were read now, and those of all archives.</summary>
    public required ByteSize Read { get; init; }

    /// <inheritdoc cref="Read"/>
    public required ByteSize TotalSize { get; init; }

    /// <summary>Bytes a second.</summary>
    public required ByteSize Rate { get; init; }

    /// <summary>Archives that were never read at this depth, and their bytes. Where there are none, those that were not read in this run.</summary>
    public required int Left { get; init; }

    /// <inheritdoc cref="Left"/>
    public required ByteSize LeftSize { get; init; }

    /// <summary>Whether some were never read at this depth.</summary>
    public required bool IsFirstRound { get; init; }

    /// <summary>Runs like this one that are still needed for them.</summary>
    public required int RunsLeft { get; init; }

    /// <summary>The time from one run to the next, as the records of earlier runs show it; a day where they show none.</summary>
    public required TimeSpan Interval { get; init; }

    /// <summary>By when all of them will have been read. Null where nobody can say: nothing was read, or what was could not be recorded.</summary>
    public required DateTimeOffset? By { get; init; }

    /// <summary>All of that in words.</summary>
    public required string Message { get; init; }

    /// <summary>For people: the message.</summary>
    public override string ToString() => Message;
}
