using BotCore.Backup.Engine.Components.MongoDb;
using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Components.MongoDb.Restoring;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Restores;

/// <summary>Puts databases back as they were before a restore: the old collections were kept under other names, so it takes renames only.</summary>
public static class UndoRunner
{
    /// <summary>Undoes <paramref name="restores"/>, the last one first; each becomes a <see cref="Made"/> with its restore as it is now, or a <see cref="Failed"/>.</summary>
    public static IAsyncEnumerable<BackupEvent> Run(BackupSession session, IReadOnlyList<BotBackupRestore> restores, CancellationToken token) =>
        EventRun.Start("undo", (tell, stop) =>
        {
            foreach (var restore in restores.Reverse())
            {
                stop.ThrowIfCancellationRequested();
                try
                {
                    Undo(restore, tell);
                    tell(new Made(restore with { Undo = null }));
                }
                catch (BackupException wrong)
                {
                    tell(new Failed(wrong.Failure));
                }
            }
        }, token);

    /// <summary>Undoes by the journal alone, when the restore's object is gone: in every database of <paramref name="server"/> (DATABASE_URL where null) that knows the id. What a restore staged that was killed is dropped.</summary>
    public static IAsyncEnumerable<BackupEvent> Run(BackupSession session, string id, Configuration.SecretUri? server, CancellationToken token) =>
        EventRun.Start("undo", (tell, _) =>
        {
            DemandId(id);
            var target = (server is null ? MongoTarget.Of(session.Configuration) : MongoTarget.Of(server)).WithoutDatabase();
            target.Guard("undoing a restore", () =>
            {
                using var client = target.Connect(requirePrimary: true, CancellationToken.None);
                var catalog = new ServerCatalog(client, CancellationToken.None);
                var databases = catalog.Databases(new DumpSelection(Database: null)).Where(database => catalog.Find(new(database, StagingNames.Undo(id))) is not null).ToList();
                // A restore that was killed may have left both: half a swap, and what it had not swapped in yet.
                RestoreLeftovers.DemandNobody(client, id);
                if (databases.Count > 0)
                    Undo(new RestoreUndo(id, databases) { Server = target }, tell);
                if (!RestoreLeftovers.DropAll(client, id, tell) && databases.Count == 0)
                    throw NoJournal(id, target.Name);
            });
        }, token);

    private static void Undo(BotBackupRestore restore, Action<BackupEvent> tell)
    {
        if (restore.Undo is not { } undo)
        {
            throw new BackupException(
                FailureKind.BackupNotFound,
                $"The restore of {restore.Backup.Location} into {restore.Destination} has nothing to undo it with, or was undone.",
                restore.Snapshot is null ? "There is no snapshot either: nothing was overwritten." : $"Restore its snapshot: {restore.Snapshot.Location}.",
                restore);
        }

        Undo(undo, tell);
        if (restore.Snapshot is { } snapshot)
            tell(new Said($"Time-series collections, if any were restored, come back with {snapshot.Location}."));
    }

    private static void Undo(RestoreUndo undo, Action<BackupEvent> tell)
    {
        var target = undo.Server ?? throw new BackupException(
            FailureKind.ConfigurationMissing, "The restore came from another session, which kept the server to itself.", $"Use Undo-BotRestore -Id {undo.Id}, with -Destination where it is not DATABASE_URL.", undo.Id);
        target.Guard("undoing a restore", () =>
        {
            using var client = target.Connect(requirePrimary: true, CancellationToken.None);
            var journal = new UndoJournal(client, CancellationToken.None);
            // An undo that was interrupted has done some databases already.
            var found = undo.Databases.Select(database => (database, Entries: journal.Read(undo.Id, database))).Where(one => one.Entries.Count > 0).ToList();
            if (found.Count == 0)
                throw NoJournal(undo.Id, target.Name);
            foreach (var (database, entries) in found)
            {
                StagedSwap.Undo(client, entries);
                journal.Remove(undo.Id, database);
                tell(new Said($"{entries.Count} collections of '{database}' are as they were before restore {undo.Id}."));
            }
        });
    }

    // Names are made of it, and what is staged under one is dropped: "undo_1234abcd" would name what a restore keeps.
    private static void DemandId(string id)
    {
        if (id.Length != 8 || !id.All(char.IsAsciiHexDigitLower))
            throw new BackupException(FailureKind.ConfigurationInvalid, $"'{id}' is no id of a restore.", "Give the 8 digits of it, as Restore-BotBackup shows them in Undo.", id);
    }

    private static BackupException NoJournal(string id, string server) => new(
        FailureKind.BackupNotFound, $"Nothing at {server} says how to undo restore {id}: it was undone, or its collections were dropped.", "Restore the snapshot that it took.", id);
}
