namespace BotCore.Backup.Engine.Components.Volumes.Quiesce;

/// <summary>What is done to running containers that mount a volume while it is read. The label <c>botcore.quiesce</c> of a container says it for that one.</summary>
public enum QuiesceMode
{
    /// <summary>Nothing: they go on.</summary>
    None = 0,

    /// <summary>Their processes are halted.</summary>
    Pause,

    /// <summary>They are stopped, and started after it.</summary>
    Stop,
}
