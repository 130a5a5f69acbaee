using System.Globalization;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Restores;

/// <summary>Turns backups into restore steps; changes nothing.</summary>
public static class RestorePlanner
{
    /// <summary>The step for one backup. Throws where nothing says where it belongs.</summary>
    public static RestoreStep Plan(BackupSession session, BotBackup backup, RestoreRequest request, CancellationToken token)
    {
        var destination = Path.TrimEndingDirectorySeparator(request.Destination ?? Home(session, backup, token));
        var filter = new EntryFilter(request.Include, request.Exclude);
        var what = filter.IsEverything
            ? backup.Entries is { } entries ? string.Create(CultureInfo.InvariantCulture, $"all {entries:N0} entries, {backup.PlainSize}") : "all entries"
            : "the entries asked for, from their members only";
        var snapshot = request.NoSnapshot ? "without a snapshot of what is overwritten" : "after a snapshot of what is overwritten";
        return new RestoreStep(backup, destination, request, $"Restore {backup.Key} ({what}) {snapshot}");
    }

    private static string Home(BackupSession session, BotBackup backup, CancellationToken token)
    {
        var settings = session.Configuration;
        if (backup is { Component: Component.Config, Type: BackupType.Full })
            return settings.ProjectRoot;
        if (backup.Component == Component.Volume && settings.Directories.FirstOrDefault(d => string.Equals(d.Name, backup.Name, StringComparison.Ordinal)) is { } directory)
            return directory.Path;
        // A snapshot goes back to where it was taken, which its index tells.
        if (backup.Type == BackupType.Snapshot && backup.Manifest is not null && RootOf(session, backup, token) is { } root)
            return root;
        throw new BackupException(
            FailureKind.BackupNotFound,
            backup.Component == Component.Volume ? $"No folder of BACKUP_DIRECTORIES is named '{backup.Name}', so nothing says where {backup.Location} belongs." : $"Nothing says where {backup.Location} belongs.",
            "Give -Destination.",
            backup);
    }

    private static string? RootOf(BackupSession session, BotBackup backup, CancellationToken token)
    {
        using var index = new Unsealer(backup, session.Keys, session.Threads).OpenIndex(token);
        return index.Read().FirstOrDefault() is IndexHead { Root.IsEmpty: false } head ? head.Root.ToExactString() : null;
    }
}
