using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Stores;

/// <summary>The stores behind a network, as the settings name them. Thread-safe.</summary>
internal sealed class ConfiguredStores(BotBackupConfiguration settings)
{
    private readonly BotBackupConfiguration _settings = settings;

    /// <summary>Opens s3, gcs or sftp; connects to nothing yet.</summary>
    public IStore Named(string name) => throw new BackupException(
        FailureKind.AdapterMissing, $"The store '{name}' is configured, and this version writes to folders only.", "Take it out of the STORES_ settings, or switch it off, until a version that has it.", _settings.BackupDirectory);
}
