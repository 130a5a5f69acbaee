using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Backups;

/// <summary>Which components the settings name, in the order in which a run of the whole platform reads them: the database first, since its end is the moment that the rest is to be near to.</summary>
internal static class ConfiguredComponents
{
    /// <summary>Those that are configured. The others are told through <paramref name="said"/>, each with the setting that is missing.</summary>
    public static IReadOnlyList<Component> Of(BotBackupConfiguration settings, Action<string>? said)
    {
        var all = All(settings);
        foreach (var (component, _, missing) in all.Where(one => !one.IsThere))
            said?.Invoke($"{component} is not in this run: {missing}.");
        return all.Any(one => one.IsThere) ? [.. all.Where(one => one.IsThere).Select(one => one.Component)] : throw new BackupException(
            FailureKind.ConfigurationMissing, $"Nothing is configured to be backed up: {string.Join("; ", all.Select(one => one.Missing))}.", "Set what the platform has; New-BotBackupConfiguration writes a template that explains each setting.");
    }

    /// <summary>Those of which there has to be a backup, if any. An engine alone demands none: whether a volume of it has the label nobody knows here.</summary>
    public static IReadOnlyList<Component> Named(BotBackupConfiguration settings) =>
        [.. All(settings).Where(one => one.IsThere && (one.Component != Component.Volume || settings.Volumes.Count > 0 || settings.Directories.Count > 0)).Select(one => one.Component)];

    /// <summary>Whether volumes and folders are all that is configured.</summary>
    public static bool IsNothingElse(BotBackupConfiguration settings) => !All(settings).Any(one => one.IsThere && one.Component != Component.Volume);

    private static (Component Component, bool IsThere, string Missing)[] All(BotBackupConfiguration settings) =>
    [
        (Component.MongoDb, settings.DatabaseUrl is not null, "DATABASE_URL is not set"),
        (Component.Config, !settings.ConfigPathsAreDefault || settings.ConfigPaths.Any(BackupPlanner.IsThere), "CONFIG_PATHS is not set, and none of the usual files are in PROJECT_ROOT"),
        (Component.Volume, settings.Volumes.Count > 0 || settings.Directories.Count > 0 || VolumeSteps.LooksForLabels(settings), $"neither BACKUP_VOLUMES nor BACKUP_DIRECTORIES is set, and there is no engine at {SecretUri.Redact(settings.DockerHost.OriginalString)} whose volumes could have the label {VolumeSteps.Label}=true"),
        (Component.Model, settings.ModelPaths.Count > 0, "MODEL_PATHS is not set"),
    ];
}
