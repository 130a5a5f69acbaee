using System.Globalization;

namespace BotCore.Backup.Engine.Catalog;

/// <summary>What can be done with a span of time.</summary>
public enum RecoveryState
{
    /// <summary>Never given.</summary>
    Unknown = 0,

    /// <summary>Every moment in it can be restored to, its ends included.</summary>
    Restorable,

    /// <summary>No moment between its ends can be restored to.</summary>
    Gap,
}

/// <summary>A span of time of a database that can be restored to from a store, or a gap between two of them. From manifests alone: no archive was read. Immutable.</summary>
public sealed record BotRecoveryWindow
{
    /// <summary>The store's word.</summary>
    public required string Store { get; init; }

    /// <summary>The database that is backed up; <c>*</c> for all of a server.</summary>
    public required string Database { get; init; }

    /// <summary>Restorable, or a gap.</summary>
    public required RecoveryState State { get; init; }

    /// <summary>The time of <see cref="FromEntry"/>, UTC.</summary>
    public DateTimeOffset From => Time(FromEntry);

    /// <summary>
    /// The time of <see cref="ToEntry"/>, UTC. As a moment to restore to it would mean all of that second, and more may have been written in it than is stored: give
    /// <see cref="ToEntry"/> to -PointInTime.
    /// </summary>
    public DateTimeOffset To => Time(ToEntry);

    /// <summary>The first moment, <c>seconds:ordinal</c>; of a gap, the last one before it that can be restored to.</summary>
    public required string FromEntry { get; init; }

    /// <summary>The last moment, inclusive, as -PointInTime takes it; of a gap, the first one after it that can be restored to, or that the server still had when the gap was noticed.</summary>
    public required string ToEntry { get; init; }

    /// <summary>Full backups in it.</summary>
    public int Bases { get; init; }

    /// <summary>Increments in it.</summary>
    public int Slices { get; init; }

    /// <summary>Why there is a gap; null for what can be restored.</summary>
    public string? Reason { get; init; }

    /// <summary>The history of the server that it belongs to; of a gap, the one that ends there.</summary>
    public required string Timeline { get; init; }

    /// <summary>For people.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{State} {Database} {From:u} to {To:u}{(Reason is null ? "" : ": " + Reason)}");

    private static DateTimeOffset Time(string entry) => Protocols.MongoDb.Bson.BsonTimestamp.TryParse(entry, out var at) ? at.Time : default;
}
