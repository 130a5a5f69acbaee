using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Restores;

/// <summary>How to restore.</summary>
public sealed record RestoreRequest
{
    /// <summary>Full path of the folder to restore into; null means where the backup came from, as the settings name it now.</summary>
    public string? Destination { get; init; }

    /// <summary>Patterns of entries to restore; none means all. See <see cref="EntryFilter"/>.</summary>
    public IReadOnlyList<string> Include { get; init; } = [];

    /// <summary>Patterns of entries to leave out; they win over <see cref="Include"/>.</summary>
    public IReadOnlyList<string> Exclude { get; init; } = [];

    /// <summary>Make device nodes.</summary>
    public bool AllowDevices { get; init; }

    /// <summary>Take no snapshot of what is overwritten.</summary>
    public bool NoSnapshot { get; init; }

    /// <summary>Overwrite without a snapshot when asked to.</summary>
    public bool Force { get; init; }
}

/// <summary>One backup into one folder.</summary>
public sealed record RestoreStep : Step
{
    internal RestoreStep(BotBackup backup, string destination, RestoreRequest request, string action)
        : base(destination, action)
    {
        Backup = backup;
        Destination = destination;
        Request = request;
    }

    /// <summary>What is restored.</summary>
    public BotBackup Backup { get; }

    /// <summary>Full path of the folder that it goes to.</summary>
    public string Destination { get; }

    internal RestoreRequest Request { get; }

    internal EntryFilter Filter => new(Request.Include, Request.Exclude);
}

/// <summary>What a restore wrote.</summary>
/// <param name="Entries">Entries.</param>
/// <param name="Files">Regular files among them.</param>
/// <param name="Bytes">Bytes of content written.</param>
/// <param name="Overwritten">Entries that replaced something.</param>
public sealed record RestoreCounts(long Entries, long Files, ByteSize Bytes, long Overwritten)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Entries} entries, {Files} files, {Bytes}, {Overwritten} overwritten";
}

/// <summary>How a restore ended. Immutable.</summary>
public sealed record BotBackupRestore
{
    /// <summary>What was restored.</summary>
    public required BotBackup Backup { get; init; }

    /// <summary>Where to.</summary>
    public required string Destination { get; init; }

    /// <summary>Succeeded only where everything asked for was written, read back and compared.</summary>
    public required Outcome Outcome { get; init; }

    /// <summary>Only some entries were asked for, so only their members of the archive were read: flaws elsewhere stayed unseen.</summary>
    public required bool Partial { get; init; }

    /// <summary>What stood there before, as a backup; piping it back undoes the restore. Null where nothing was overwritten, or with -NoSnapshot.</summary>
    public BotBackup? Snapshot { get; init; }

    /// <summary>What was written.</summary>
    public required RestoreCounts Counts { get; init; }

    /// <summary>How long it took, proof and snapshot included.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>What could not be kept: owners without root, attributes on a file system that has none.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}
