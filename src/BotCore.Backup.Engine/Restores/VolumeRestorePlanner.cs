using System.Globalization;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Components.Volumes;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Restores;

/// <summary>Finds out whether a backup goes into a volume, and plans that; changes nothing.</summary>
internal static class VolumeRestorePlanner
{
    /// <summary>The volume that the backup goes into; null where it is a folder.</summary>
    public static string? VolumeOf(BackupSession session, BotBackup backup, RestoreRequest request, CancellationToken token)
    {
        if (request.Volume is { } named)
            return VolumeName.IsOne(named) ? named : throw new BackupException(FailureKind.ConfigurationInvalid, $"'{named}' is no name of a volume.", "Volumes have names of letters, digits, . _ and -, two at least.", named);
        if (backup.Component != Component.Volume)
            return null;
        // A word that is no folder names a volume, where a volume is what was backed up.
        if (request.Destination is not null)
            return request.DestinationName is { } word && VolumeName.IsOne(word) && !Path.Exists(request.Destination) && Home(session, backup, token) is not null ? word : null;
        return Home(session, backup, token);
    }

    /// <summary>The step. Throws where a container that runs uses the volume.</summary>
    public static RestoreStep Plan(BackupSession session, BotBackup backup, string name, RestoreRequest request, CancellationToken token)
    {
        using var engine = VolumeEngine.Of(session.Configuration);
        if (!request.OnlyPlans)
            engine.DemandUnused(name, token);
        var users = string.Join(", ", engine.Users(name, token).Select(one => one.Name));
        var volume = engine.Find(name, token);
        var whole = new EntryFilter(request.Include, request.Exclude).IsEverything;
        var what = whole
            ? (backup.Manifest?.Increment?.TreeEntries ?? backup.Entries) is { } entries ? string.Create(CultureInfo.InvariantCulture, $"all {entries:N0} entries, {(backup.Manifest?.Increment is { } tree ? new ByteSize(tree.TreeBytes) : backup.PlainSize)}") : "all entries"
            : "the entries asked for, from their members only";
        var way = volume is null ? "which is made" : VolumeWay.ToWrite(engine, volume).Describe(engine.Facts);
        var before = (volume, whole) switch
        {
            (null, _) => "",
            (_, true) => request.NoSnapshot ? ", which is emptied without a snapshot" : ", which is emptied after a snapshot of all that is in it",
            _ => request.NoSnapshot ? ", without a snapshot of what is overwritten" : ", after a snapshot of it",
        };
        var files = FileChains.IsIncrement(backup) ? FileChains.Load(backup, token) : null;
        var from = files is null ? backup.Key : $"{backup.Key} with the {files.Parts.Count - 1} that it stands on";
        var busy = users.Length == 0 ? "" : $"; it is in use by {users}, which must be stopped first";
        return new RestoreStep(backup, VolumeName.Show(name), request, $"Restore {from} ({what}) into volume '{name}' at {engine.Name}, {way}{before}{busy}") { Volume = name, Files = files };
    }

    /// <summary>Whether the backup tells itself that it is of a volume.</summary>
    public static bool IsOfVolume(BackupSession session, BotBackup backup, CancellationToken token)
    {
        try
        {
            return Home(session, backup, token) is not null;
        }
        catch (BackupException unreadable) when (unreadable.Failure.Kind is not (FailureKind.PassphraseMissing or FailureKind.PassphraseTooOpen))
        {
            return false;
        }
    }

    private static string? Home(BackupSession session, BotBackup backup, CancellationToken token)
    {
        var settings = session.Configuration;
        if (backup.Type is BackupType.Full or BackupType.Incremental && settings.Directories.Any(folder => string.Equals(folder.Name, backup.Name, StringComparison.Ordinal)))
            return null;
        if (backup.Manifest is not null)
            return VolumeName.Parse(RestorePlanner.RootOf(session, backup, token));
        // The old scripts' archives say nothing but their name.
        return settings.Volumes.Contains(backup.Name, StringComparer.Ordinal) ? backup.Name : null;
    }
}
