using System.Globalization;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Components.Models;
using BotCore.Backup.Engine.Components.MongoDb;
using BotCore.Backup.Engine.Components.MongoDb.Damage;
using BotCore.Backup.Engine.Components.MongoDb.Replay;
using BotCore.Backup.Engine.Components.MongoDb.Restoring;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Engine.Restores;

/// <summary>Turns backups into restore steps; changes nothing.</summary>
public static class RestorePlanner
{
    /// <summary>The step for one backup. Throws where nothing says where it belongs.</summary>
    /// <param name="session">Keys and settings.</param>
    /// <param name="backup">What to restore.</param>
    /// <param name="request">How.</param>
    /// <param name="token">Stops it.</param>
    /// <param name="failed">Gets what of a store cannot be read, and so is in no chain.</param>
    public static RestoreStep Plan(BackupSession session, BotBackup backup, RestoreRequest request, CancellationToken token, Action<Failure>? failed = null) =>
        PlanBeside([], session, backup, request, token, failed)!;

    /// <summary>
    /// The step for one backup beside <paramref name="planned"/>, which are of the same request; null where one of those brings the same full backup to the same moment, as
    /// where a full backup and its increments are given with one moment.
    /// </summary>
    public static RestoreStep? PlanBeside(
        IReadOnlyCollection<RestoreStep> planned, BackupSession session, BotBackup backup, RestoreRequest request, CancellationToken token, Action<Failure>? failed = null)
    {
        // An archive whose name tells nothing is what the destination says it is.
        if (backup.Component == Component.MongoDb || (backup.Component == Component.Unknown && request.Server is not null))
        {
            var chain = new PointInTimePlanner(session, request, failed).ChainOf(backup, token);
            // Before the oplog is read: it may be long. One request has one server, since chains go back to none but that of the settings.
            return chain is not null && planned.Any(step => IsSame(step.Chain, chain)) ? null : PlanDatabase(session, backup, chain, request, token);
        }

        if (request.PointInTime is not null)
            throw new BackupException(FailureKind.ConfigurationInvalid, $"{backup.Location} holds files, and only a database can be brought to another moment.", "Leave -PointInTime out.", backup);
        if (request.Server is not null || request.Renames.Count > 0)
            throw new BackupException(FailureKind.ConfigurationInvalid, $"{backup.Location} holds files, and a server takes a database.", "Give a folder as -Destination.", backup);
        if (VolumeRestorePlanner.VolumeOf(session, backup, request, token) is { } volume)
            return VolumeRestorePlanner.Plan(session, backup, volume, request, token);
        var destination = Path.TrimEndingDirectorySeparator(request.Destination ?? Home(session, backup, token));
        var filter = new EntryFilter(request.Include, request.Exclude);
        var what = filter.IsEverything
            ? (backup.Manifest?.Increment?.TreeEntries ?? backup.Entries) is { } entries ? string.Create(CultureInfo.InvariantCulture, $"all {entries:N0} entries, {(backup.Manifest?.Increment is { } tree ? new ByteSize(tree.TreeBytes) : backup.PlainSize)}") : "all entries"
            : "the entries asked for, from their members only";
        var snapshot = request.NoSnapshot ? "without a snapshot of what is overwritten" : "after a snapshot of what is overwritten";
        var files = FileChains.IsIncrement(backup) ? FileChains.Load(backup, token) : null;
        var from = files is null ? backup.Key : $"{backup.Key} with the {(files.Parts.Count == 2 ? "backup that it stands" : $"{files.Parts.Count - 1} backups that it stands")} on, {new ByteSize(files.Parts.Sum(part => part.Size.Bytes))} to read,";
        return new RestoreStep(backup, destination, request, $"Restore {from} ({what}) {snapshot}") { Files = files };
    }

    /// <summary>The step for the moment that <paramref name="request"/> names, from the only history in <paramref name="store"/> that holds it.</summary>
    public static RestoreStep PlanMoment(BackupSession session, RestoreRequest request, IStore store, CancellationToken token, Action<Failure>? failed = null)
    {
        var chain = new PointInTimePlanner(session, request, failed).ChainIn(store, timeline: null, token);
        return PlanDatabase(session, chain.Base, chain, request, token);
    }

    /// <summary>The steps for the moments before <paramref name="events"/>, each for the event's namespace alone unless <paramref name="request"/> includes others.</summary>
    /// <exception cref="BackupException">ConfigurationInvalid: two of them would restore the same collections, so that one restore would undo the other. OplogGap: one is of no stored history.</exception>
    public static IReadOnlyList<RestoreStep> PlanBefore(
        BackupSession session, IReadOnlyList<BotOplogEvent> events, RestoreRequest request, IStore store, CancellationToken token, Action<Failure>? failed = null)
    {
        DemandApart(events, request);
        var tell = Once(failed);
        return [.. events.Select(one => PlanBefore(session, one, request, store, tell, token))];
    }

    private static void DemandApart(IReadOnlyList<BotOplogEvent> events, RestoreRequest request)
    {
        if (events.Count > 1 && request.Include.Count > 0)
        {
            throw new BackupException(
                FailureKind.ConfigurationInvalid,
                $"-Include names what each of {events.Count} events would restore, and the moments before them are not the same: {string.Join("; ", events)}.",
                "Choose one event, such as with Select-Object -First 1, or leave -Include out.",
                nameof(request.Include));
        }

        if (events.GroupBy(one => one.Namespace, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw new BackupException(
                FailureKind.ConfigurationInvalid,
                $"{twice.Count()} events are of {twice.Key}: {string.Join("; ", twice)}. The moments before them are not the same.",
                "Choose one, such as with Select-Object -First 1.",
                twice.Key);
        }

        var databases = events.Where(one => !one.Namespace.Contains('.', StringComparison.Ordinal)).ToDictionary(one => one.Namespace, StringComparer.Ordinal);
        if (events.FirstOrDefault(one => one.Namespace.Contains('.', StringComparison.Ordinal) && databases.ContainsKey(NamespaceMap.DatabaseOf(one.Namespace))) is { } within)
        {
            throw new BackupException(
                FailureKind.ConfigurationInvalid,
                $"The {within} is of a collection of the database that the {databases[NamespaceMap.DatabaseOf(within.Namespace)]} is of. The moments before them are not the same.",
                "Choose one, such as with Select-Object -First 1.",
                within.Namespace);
        }
    }

    private static bool IsSame(RestoreChain? one, RestoreChain other) => one is not null && string.Equals(one.Base.Id, other.Base.Id, StringComparison.Ordinal) && one.UpTo == other.UpTo;

    // Each event looks into the same store.
    private static Action<Failure>? Once(Action<Failure>? failed)
    {
        if (failed is null)
            return null;
        var told = new HashSet<string>(StringComparer.Ordinal);
        return failure =>
        {
            if (told.Add(failure.Message))
                failed(failure);
        };
    }

    private static RestoreStep PlanBefore(BackupSession session, BotOplogEvent damage, RestoreRequest request, IStore store, Action<Failure>? failed, CancellationToken token)
    {
        var before = PointInTimePlanner.Before(damage, request);
        var chain = new PointInTimePlanner(session, before, failed).ChainIn(store, damage.Timeline, token);
        return PlanDatabase(session, chain.Base, chain, before, token);
    }

    private static RestoreStep PlanDatabase(BackupSession session, BotBackup backup, RestoreChain? chain, RestoreRequest request, CancellationToken token)
    {
        if (request.Destination is not null || request.Volume is not null)
        {
            throw new BackupException(
                FailureKind.ConfigurationInvalid, $"{backup.Location} holds a database, and '{request.Destination ?? request.Volume}' is none.", "Give -Destination mongodb://..., or unpack it into a folder with Export-BotBackup.", backup);
        }

        var server = request.Server is { } given ? MongoTarget.Of(given) : HomeServer(session, backup, token);
        // The patterns and names are wrong now or never.
        var filter = new NamespaceFilter(request.Include, request.Exclude);
        _ = new RestoreMapping(request.Renames);
        var content = chain?.Base ?? backup;
        var what = filter.IsEverything
            ? content.Manifest?.MongoDb is { } facts ? string.Create(CultureInfo.InvariantCulture, $"{facts.Collections:N0} collections, {facts.Documents:N0} documents") : "all collections"
            : "the collections asked for";
        var renamed = string.Concat(request.Renames.Select(rename => $", {rename.Key} as {rename.Value}"));
        if (server.Database is { } database && content.Manifest?.MongoDb?.Database is { } only && !string.Equals(database, only, StringComparison.Ordinal) && request.Renames.Count == 0)
            renamed = $", {only} as {database}";
        var snapshot = request.NoSnapshot ? "without a snapshot of what is replaced" : "after a snapshot of what is replaced";
        var moment = chain is null ? null : new PointInTimePlanner(session, request).Plan(chain, server.Database, token);
        var from = moment is null ? backup.Key : $"to {PointText.Of(chain!.UpTo)}: {moment}";
        return new RestoreStep(
            backup, server.Name, request, $"Restore {from} ({what}{renamed}) {snapshot}; collections are swapped in when they are proven, views, time-series collections and users are written plainly after that")
        {
            Server = server,
            Chain = chain,
            PointInTime = moment,
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
        if (backup is { Component: Component.Config, Type: BackupType.Full or BackupType.Incremental })
            return settings.ProjectRoot;
        if (backup is { Component: Component.Model, Type: BackupType.Full } && NamedModel.All(settings.ModelPaths).FirstOrDefault(model => string.Equals(model.Name, backup.Name, StringComparison.Ordinal)) is { } named)
            return named.Root;
        if (backup.Component == Component.Volume && settings.Directories.FirstOrDefault(d => string.Equals(d.Name, backup.Name, StringComparison.Ordinal)) is { } directory)
            return directory.Path;
        // A snapshot goes back to where it was taken, which its index tells.
        if (backup.Type == BackupType.Snapshot && backup.Manifest is not null && RootOf(session, backup, token) is { } root)
            return root;
        throw new BackupException(
            FailureKind.BackupNotFound,
            backup.Component == Component.Volume ? $"No folder of BACKUP_DIRECTORIES and no volume is named '{backup.Name}', so nothing says where {backup.Location} belongs." : $"Nothing says where {backup.Location} belongs.",
            "Give -Destination.",
            backup);
    }

    internal static string? RootOf(BackupSession session, BotBackup backup, CancellationToken token)
    {
        using var index = new Unsealer(backup, session.Keys, session.Threads).OpenIndex(token);
        return index.Read().FirstOrDefault() is IndexHead { Root.IsEmpty: false } head ? head.Root.ToExactString() : null;
    }
}
