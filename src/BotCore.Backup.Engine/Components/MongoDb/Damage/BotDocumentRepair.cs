using System.Globalization;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Components.MongoDb.Damage;

/// <summary>A document that was left as it is, since putting it back would have undone something else. Immutable.</summary>
/// <param name="Id">Its <c>_id</c>, canonical Extended JSON.</param>
/// <param name="Reason">Why it was left, a sentence.</param>
public sealed record DocumentConflict(string Id, string Reason)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Id}: {Reason}";
}

/// <summary>What Restore-BotDocument did about one event. Immutable.</summary>
public sealed record BotDocumentRepair
{
    /// <summary>Documents named one by one in <see cref="Conflicts"/> and in <see cref="Lost"/>; the counts count all.</summary>
    public const int MostNamed = 100_000;

    /// <summary>The event.</summary>
    public required BotOplogEvent Event { get; init; }

    /// <summary>The collection that documents were put back into, <c>database.collection</c>.</summary>
    public required string Namespace { get; init; }

    /// <summary>The server, without its password.</summary>
    public required string Destination { get; init; }

    /// <summary>Documents that the event destroyed.</summary>
    public required long Victims { get; init; }

    /// <summary>Documents that were put back, read back, and are what they were.</summary>
    public required long Repaired { get; init; }

    /// <summary>Documents that stood there already as they were, byte for byte.</summary>
    public required long Same { get; init; }

    /// <summary>Documents that were left as they are, and why.</summary>
    public required IReadOnlyList<DocumentConflict> Conflicts { get; init; }

    /// <summary>How many there are, named or not.</summary>
    public required long ConflictCount { get; init; }

    /// <summary>Ids of documents that neither the full backup nor its increments hold, canonical Extended JSON: they cannot be put back from here.</summary>
    public required IReadOnlyList<string> Lost { get; init; }

    /// <summary>How many there are, named or not.</summary>
    public required long LostCount { get; init; }

    /// <summary>Documents that were put back, and were something else when they were read back a moment later.</summary>
    public required long Unproven { get; init; }

    /// <summary>How long it took.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>Succeeded only where no victim is lost and everything that was put back was read back equal. Conflicts are decisions for people, and fail nothing.</summary>
    public required Outcome Outcome { get; init; }

    /// <summary>For people.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Outcome}: {Repaired:N0} of {Victims:N0} documents of {Namespace} were put back, {Same:N0} stood there already, {ConflictCount:N0} conflicts, {LostCount:N0} lost");
}
