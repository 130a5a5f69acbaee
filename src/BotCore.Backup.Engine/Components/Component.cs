namespace BotCore.Backup.Engine.Components;

/// <summary>One kind of thing that is protected.</summary>
public enum Component
{
    /// <summary>Not known; never backed up.</summary>
    Unknown = 0,

    /// <summary>The platform's database.</summary>
    MongoDb,

    /// <summary>A Docker volume, or a folder of BACKUP_DIRECTORIES.</summary>
    Volume,

    /// <summary>The platform's configuration files, CONFIG_PATHS below PROJECT_ROOT.</summary>
    Config,

    /// <summary>An AI model.</summary>
    Model,
}

/// <summary>What a backup stands on.</summary>
public enum BackupType
{
    /// <summary>Not known.</summary>
    Unknown = 0,

    /// <summary>Stands alone.</summary>
    Full,

    /// <summary>Stands on a chain.</summary>
    Incremental,

    /// <summary>Taken by a restore of what it was about to overwrite.</summary>
    Snapshot,
}
