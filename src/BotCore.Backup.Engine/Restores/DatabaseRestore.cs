using System.Diagnostics;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Backups;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Components.MongoDb;
using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Components.MongoDb.Restoring;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Restores;

/// <summary>One restore of a database under way: its snapshot, and the job itself. One thread.</summary>
internal sealed class DatabaseRestore(BackupSession session, RestoreStep step, Action<BackupEvent> tell)
{
    private readonly BotBackup _backup = step.Backup;
    private readonly MongoTarget _server = step.Server!;
    private BotBackup? _snapshot;

    public BotBackupRestore Run(CancellationToken token)
    {
        var clock = Stopwatch.StartNew();
        var source = SourceOf(session, step);
        using var progress = new RunProgress($"Restoring {_backup.Key}", 0, tell);
        var options = new MongoRestoreOptions
        {
            Wanted = new NamespaceFilter(step.Request.Include, step.Request.Exclude),
            Mapping = new RestoreMapping(step.Request.Renames),
            Database = _server.Database,
            Threads = session.DumpThreads,
            SpillFolder = session.SpillFolder,
            Users = step.Request is { Renames.Count: 0 },
            Overwriting = names => TakeSnapshot(names, token),
            Moved = (doing, bytes) => progress.Move(bytes, () => doing),
        };
        Directory.CreateDirectory(session.SpillFolder);
        var result = Restore(source, options, token);
        return new BotBackupRestore
        {
            Backup = _backup,
            Destination = step.Destination,
            Outcome = Outcome.Succeeded,
            Partial = !options.Wanted.IsEverything && _backup.Manifest is { Encryption: not Encryption.Recipients },
            Snapshot = _snapshot,
            Undo = new RestoreUndo(result.Id, result.Databases) { Server = _server },
            Moment = MomentOf(result),
            Counts = new RestoreCounts(result.Collections.Count, 0, result.Bytes, result.Overwritten) { Documents = result.Documents },
            Duration = clock.Elapsed,
            Warnings = result.Warnings,
        };
    }

    /// <summary>What a step restores: a dump, or one with the increments that stand on it.</summary>
    internal static IDumpSource SourceOf(BackupSession session, RestoreStep step) => step.Chain is { } chain ? new ChainDump(chain, backup => SourceOf(session, backup)) : SourceOf(session, step.Backup);

    /// <summary>The dump in a backup, whatever form it has.</summary>
    internal static IDumpSource SourceOf(BackupSession session, BotBackup backup) => backup.PlainDump switch
    {
        null => new SealedDump(backup, session.Keys, session.Threads),
        var path when Directory.Exists(path) => new FolderDump(path),
        var path => new StreamDump(path),
    };

    private string? MomentOf(MongoRestoreResult result) => step.Chain is { } chain
        ? chain.MomentOf(result.Replay?.Last).ToString()
        : _backup.Manifest?.MongoDb?.Oplog?.End ?? result.Replay?.Last?.ToString();

    private MongoRestoreResult Restore(IDumpSource source, MongoRestoreOptions options, CancellationToken token)
    {
        try
        {
            return new MongoRestoreJob(_server, source, options, tell).Run(token);
        }
        catch (BackupException wrong) when (_snapshot is not null)
        {
            // The way back must not be hidden behind what went wrong.
            throw new BackupException(wrong.Failure with { Advice = $"{wrong.Failure.Advice} What stood there before is in {_snapshot.Location}." });
        }
    }

    private void TakeSnapshot(IReadOnlyList<DumpNamespace> names, CancellationToken token)
    {
        if (step.Request is { NoSnapshot: true, Force: false })
        {
            throw new BackupException(
                FailureKind.DestinationNotEmpty,
                $"{names.Count} collections at {step.Destination} would be replaced, {names[0]} among them, and -NoSnapshot keeps no copy of them.",
                "Leave -NoSnapshot out, or add -Force.",
                step.Destination);
        }

        if (step.Request.NoSnapshot)
            return;
        var options = new DumpOptions(session.Compression.Codec, session.Compression.Level, session.DumpThreads, session.SpillFolder);
        var selection = new DumpSelection(Database: null, names.ToHashSet());
        var job = new ArchiveJob(Component.MongoDb, "pre_restore", BackupType.Snapshot, (name, said) => new MongoDumpSource(_server, selection, options, name, said), new EntryPath(_server.Name), 0);
        _snapshot = BackupRunner.NewMaker(session, session.Local, tell).Make(job, session.RunId, token);
        tell(new Said($"What is replaced is safe in {_snapshot.Location}."));
    }
}
