namespace BotCore.Backup.Protocols.MongoDb;

/// <summary>Which member of a replica set is read from.</summary>
public enum ReadPreferenceMode
{
    /// <summary>The primary alone.</summary>
    Primary,

    /// <summary>The primary, else a secondary.</summary>
    PrimaryPreferred,

    /// <summary>A secondary alone.</summary>
    Secondary,

    /// <summary>A secondary, else the primary.</summary>
    SecondaryPreferred,

    /// <summary>Any of them, by round-trip.</summary>
    Nearest,
}

/// <summary>The mode, and what narrows it. Source: github.com/mongodb/specifications, server-selection.</summary>
public sealed record ReadPreference(ReadPreferenceMode Mode)
{
    /// <summary>Sets of tags in their order: the first that fits any member decides. Empty: every member fits.</summary>
    public IReadOnlyList<IReadOnlyDictionary<string, string>> Tags { get; init; } = [];

    /// <summary>How far a secondary may lag; null for any.</summary>
    public TimeSpan? MaxStaleness { get; init; }

    /// <summary>The mode as commands have it.</summary>
    public string ModeName => Mode switch
    {
        ReadPreferenceMode.PrimaryPreferred => "primaryPreferred",
        ReadPreferenceMode.Secondary => "secondary",
        ReadPreferenceMode.SecondaryPreferred => "secondaryPreferred",
        ReadPreferenceMode.Nearest => "nearest",
        _ => "primary",
    };
}
