using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;

namespace BotCore.Backup.Engine.Measurements;

/// <summary>What one codec at one level makes of a sample of the data on this machine, and what that means for the whole.</summary>
public sealed record BotCodecMeasurement
{
    /// <summary>What the sample is of; Unknown for a path.</summary>
    public Component Component { get; init; }

    /// <summary>Which one of its component, or the path.</summary>
    public required string Name { get; init; }

    /// <summary>gzip, bzip2, xz or zstd.</summary>
    public required string Codec { get; init; }

    /// <summary>Its level.</summary>
    public required int Level { get; init; }

    /// <summary>Threads that it may have here: processors, -ThrottleLimit and COMPRESSION_MEMORY say.</summary>
    public required int Threads { get; init; }

    /// <summary>Megabytes (10^6 bytes) of data a second, all threads together; compression alone.</summary>
    public required double MegabytesPerSecond { get; init; }

    /// <summary>How many times smaller the data gets.</summary>
    public required double Ratio { get; init; }

    /// <summary>Seconds of processor time that a gigabyte (10^9 bytes) takes; compression alone.</summary>
    public required double CpuSecondsPerGigabyte { get; init; }

    /// <summary>Bytes that were compressed to measure it.</summary>
    public required ByteSize SampleSize { get; init; }

    /// <summary>Bytes of the whole.</summary>
    public required ByteSize PlainSize { get; init; }

    /// <summary>About how large the archive will be.</summary>
    public required ByteSize PredictedSize { get; init; }

    /// <summary>About how long a backup to a local store will take: compression, hashes and encryption, as long as the disk keeps up.</summary>
    public required TimeSpan PredictedDuration { get; init; }

    /// <summary>Whether COMPRESSION=auto would take it.</summary>
    public bool Chosen { get; init; }

    /// <summary>Of the chosen one, why.</summary>
    public string Reason { get; init; } = "";
}
