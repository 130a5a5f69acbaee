using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Verification;

/// <summary>What a test of one backup found. Immutable.</summary>
public sealed record BotBackupVerification
{
    /// <summary>The backup; null where what was named could not be taken for one.</summary>
    public BotBackup? Backup { get; init; }

    /// <summary>Path or URI of the archive.</summary>
    public required string Location { get; init; }

    /// <summary>The depth that was asked for.</summary>
    public required Depth Depth { get; init; }

    /// <summary>Succeeded only where everything of that depth was read and compared.</summary>
    public required Outcome Outcome { get; init; }

    /// <summary>What is proven from now on.</summary>
    public required Proof Proof { get; init; }

    /// <summary>Entries that were read and hashed; 0 at Checksum depth.</summary>
    public long Entries { get; init; }

    /// <summary>Bytes that were read from the store.</summary>
    public ByteSize Read { get; init; }

    /// <summary>How long it took.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>Whether it was recorded beside the archive, so that Get-BotBackup shows it.</summary>
    public bool Recorded { get; init; }

    /// <summary>Of a restore: where to. <c>Sandbox</c>, a server, a folder; null for all else.</summary>
    public string? Where { get; init; }

    /// <summary>The least depth that can show that the flaw is mended; Unknown takes the one that was asked for.</summary>
    internal Depth SeenAt { get; init; }

    /// <summary>Whether it is of a restore into the Sandbox.</summary>
    internal bool IsInSandbox => string.Equals(Where, "Sandbox", StringComparison.Ordinal);

    /// <summary>Whether the failure is that of another archive, which this one stands on.</summary>
    internal bool IsOfAnother { get; init; }

    /// <summary>What is wrong; null where nothing is.</summary>
    public Failure? Failure { get; init; }

    /// <summary>What the outcome rests on, or what is wrong, in a sentence.</summary>
    public required string Message { get; init; }
}
