using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;

namespace BotCore.Backup.Engine.Health;

/// <summary>How one component stands, over all stores that it goes to. Immutable.</summary>
public sealed record BotBackupStatus
{
    /// <summary>The component.</summary>
    public required Component Component { get; init; }

    /// <summary>What the probes of its age, its proofs and its lag say: the worst of them.</summary>
    public required HealthState State { get; init; }

    /// <summary>When its newest good backup was taken, UTC; null where there is none.</summary>
    public DateTimeOffset? Newest { get; init; }

    /// <summary>The newest good backup; null where there is none.</summary>
    public BotBackup? NewestBackup { get; init; }

    /// <summary>Good backups of the last 24 hours; each counts once, however many stores have it.</summary>
    public int OfLastDay { get; init; }

    /// <summary>Good backups in all.</summary>
    public int Backups { get; init; }

    /// <summary>Bytes in all stores together.</summary>
    public ByteSize Size { get; init; }

    /// <summary>When one was last proven to its end, UTC; null where none ever was.</summary>
    public DateTimeOffset? Proven { get; init; }

    /// <summary>Of the database: the newest moment that can be restored, UTC; null of all else, and where there is none.</summary>
    public DateTimeOffset? WindowEnd { get; init; }

    /// <summary>Stores that have a good backup of it.</summary>
    public IReadOnlyList<string> Stores { get; init; } = [];

    /// <summary>What is not healthy, in full sentences.</summary>
    public IReadOnlyList<string> Issues { get; init; } = [];
}
