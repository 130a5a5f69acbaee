using System.Globalization;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Components.MongoDb;
using BotCore.Backup.Engine.Components.MongoDb.Restoring;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Restores;

/// <summary>Turns backups into restore steps; changes nothing.</summary>
public static class RestorePlanner
{
    /// <summary>The step for one backup. Throws where nothing says where it belongs.</summary>
    public static RestoreStep Plan(BackupSession session, BotBackup backup, RestoreRequest request, CancellationToken token)
    {
        // An archive whose name tells nothing is what the destination says it is.
        if (backup.Component == Component.MongoDb || (backup.Component == Component.Unknown && request.Server is not null))
            return PlanDatabase(session, backup, request, token);
        if (request.Server is not null || request.Renames.Count > 0)
            throw new BackupException(FailureKind.ConfigurationInvalid, $"{backup.Location} holds files, and a server takes a database.", "Give a folder as -Destination.", backup);
        var destination = Path.TrimEndingDirectorySeparator(request.Destination ?? Home(session, backup, token));
        var filter = new EntryFilter(request.Include, request.Exclude);
        var what = filter.IsEverything
            ? backup.Entries is { } entries ? string.Create(CultureInfo.InvariantCulture, $"all {entries:N0} entries, {backup.PlainSize}") : "all entries"
            : "the entries asked for, from their members only";
        var snapshot = request.NoSnapshot ? "without a snapshot of what is overwritten" : "after a snapshot of what is overwritten";
        return new RestoreStep(backup, destination, request, $"Restore {backup.Key} ({what}) {snapshot}");
    }

    private static RestoreStep PlanDatabase(BackupSession session, BotBackup backup, RestoreRequest request, CancellationToken token)
    {
        if (request.Destination is not null)
        {
            throw new BackupException(
                FailureKind.ConfigurationInvalid, $"{backup.Location} holds a database, and '{request.Destination}' is a folder.", "Give -Destination mongodb://..., or unpack it into a folder with Export-BotBackup.", backup);
        }

        var server = request.Server is { } given ? MongoTarget.Of(given) : HomeServer(session, backup, token);
        // The patterns and names are wrong now or never.
        var filter = new NamespaceFilter(request.Include, request.Exclude);
        _ = new RestoreMapping(request.Renames);
        var what = filter.IsEverything
            ? backup.Manifest?.MongoDb is { } facts ? string.Create(CultureInfo.InvariantCulture, $"{facts.Collections:N0} collections, {facts.Documents:N0} documents") : "all collections"
            : "the collections asked for";
        var renamed = string.Concat(request.Renames.Select(rename => $", {rename.Key} as {rename.Value}"));
        if (server.Database is { } database && backup.Manifest?.MongoDb?.Database is { } only && !string.Equals(database, only, StringComparison.Ordinal) && request.Renames.Count == 0)
            renamed = $", {only} as {database}";
        var snapshot = request.NoSnapshot ? "without a snapshot of what is replaced" : "after a snapshot of what is replaced";
        return new RestoreStep(
            backup, server.Name, request, $"Restore {backup.Key} ({what}{renamed}) {snapshot}; collections are swapped in when they are proven, views, time-series collections and users are written plainly after that")
        {
            Server = server,
        };
    }

    // A snapshot goes back to the server that it was taken of, and its index tells only the name without a password.
    private static MongoTarget HomeServer(BackupSession session, BotBackup backup, CancellationToken token)
    {
        var home = MongoTarget.Of(session.Configuration);
        if (backup.Type == BackupType.Snapshot && backup.Manifest is not null && RootOf(session, backup, token) is { } taken && !string.Equals(taken, home.Name, StringComparison.Ordinal))
        {
            throw new BackupException(
                FailureKind.ConfigurationInvalid, $"{backup.Location} was taken of {taken}, and DATABASE_URL is {home.Name}.", "Give the server to restore it into as -Destination mongodb://....", backup);
        }

        // A snapshot says for itself which databases it holds.
        return backup.Type == BackupType.Snapshot ? home.WithoutDatabase() : home;
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
