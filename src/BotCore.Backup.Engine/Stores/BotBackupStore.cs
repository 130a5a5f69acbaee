using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Stores;

/// <summary>A store that the settings name, and what a probe found of it. Immutable.</summary>
public sealed record BotBackupStore
{
    /// <summary>Its word: local, s3, gcs, sftp.</summary>
    public required string Name { get; init; }

    /// <summary>Where it is; empty where the settings do not say so much.</summary>
    public required string Location { get; init; }

    /// <summary>What goes there by the settings.</summary>
    public required IReadOnlyList<Component> Components { get; init; }

    /// <summary>What can still be written; null where nobody can know, or it was not asked.</summary>
    public ByteSize? FreeSpace { get; init; }

    /// <summary>Succeeded only where something was written, listed as whole, read back and removed; Unknown where it was not probed.</summary>
    public Outcome Outcome { get; init; }

    /// <summary>How long all of that took; null where it was not probed.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>What the probe says of it beyond that, in full sentences: what could be locked against removal, and what could not.</summary>
    public IReadOnlyList<string> Remarks { get; init; } = [];

    /// <summary>What is wrong; null where nothing is known to be.</summary>
    public Failure? Failure { get; init; }
}
