namespace BotCore.Backup.Engine.Retention;

/// <summary>The words for why a backup stays or goes; scripts compare with them.</summary>
public static class RetentionRules
{
    /// <summary>The newest of its day.</summary>
    public const string Daily = "Daily";

    /// <summary>The newest of its ISO week.</summary>
    public const string Weekly = "Weekly";

    /// <summary>The newest of its month.</summary>
    public const string Monthly = "Monthly";

    /// <summary>The newest before a cut-off: what begins there has a base by it.</summary>
    public const string Base = "Base";

    /// <summary>An increment within the days whose every second stays restorable.</summary>
    public const string Window = "Window";

    /// <summary>Young enough.</summary>
    public const string Age = "Age";

    /// <summary>The newest snapshot of its target.</summary>
    public const string Snapshot = "Snapshot";

    /// <summary>A version of a model.</summary>
    public const string AllVersions = "AllVersions";

    /// <summary>The newest good one, or the newest where none is known to be good.</summary>
    public const string NewestGood = "NewestGood";

    /// <summary>The one that was proven deepest, and last.</summary>
    public const string LastProven = "LastProven";

    /// <summary>Another one that stays stands on it, or it stands on one that stays.</summary>
    public const string Chain = "Chain";

    /// <summary>Its date lies ahead: a clock was wrong, so nothing is decided by it.</summary>
    public const string FutureDated = "FutureDated";

    /// <summary>Somebody pinned it.</summary>
    public const string Pinned = "Pinned";

    /// <summary>It expired, and the store keeps it under an object lock: a later clean-up removes it.</summary>
    public const string Locked = "Locked";

    /// <summary>No rule keeps it.</summary>
    public const string Expired = "Expired";
}
