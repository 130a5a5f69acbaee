namespace BotCore.Backup.Engine.Events;

/// <summary>How something ended. Only <see cref="Succeeded"/> is success, and it is said only of what was proven.</summary>
public enum Outcome
{
    /// <summary>Nothing is known; never read as good.</summary>
    Unknown = 0,

    /// <summary>Done, read back and compared.</summary>
    Succeeded,

    /// <summary>Tried, and not achieved.</summary>
    Failed,

    /// <summary>Not tried; never read as good.</summary>
    Skipped,
}
