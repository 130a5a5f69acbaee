using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Components.MongoDb.Dumps;
using BotCore.Backup.Engine.Components.MongoDb.Restoring;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Protocols.MongoDb;

namespace BotCore.Backup.Engine.Components.MongoDb.Damage;

/// <summary>
/// A collection as a dump has it, under a working name that is never swapped in; dropped when disposed. It has a record in the server as a restore has, so that what a process that was
/// killed left is told, and dropped by Undo-BotRestore -Id. One thread.
/// </summary>
internal sealed class StagedCopy : IDisposable
{
    private readonly StagedRestore _staging;
    private readonly RestoreClaim _claim;
    private readonly Action<BackupEvent> _tell;

    private StagedCopy(StagedRestore staging, RestoreClaim claim, Action<BackupEvent> tell) => (_staging, _claim, _tell) = (staging, claim, tell);

    /// <summary>Where it stands; null where the dump has no such collection, or one that cannot be staged.</summary>
    public DumpNamespace? Name { get; private set; }

    /// <summary>Is cancelled when somebody else has taken the copy.</summary>
    public CancellationToken Lost => _claim.Lost;

    /// <summary>Restores what <paramref name="options"/> want of a dump beside <paramref name="live"/>, proven and compared as every restore is, without indexes.</summary>
    public static StagedCopy Make(MongoClient client, IDumpSource source, DumpNamespace live, MongoRestoreOptions options, Action<BackupEvent> tell, CancellationToken token)
    {
        var survey = new DumpSurvey(options.Wanted);
        source.Prove(survey, options.Wanted, done => options.Moved("proving", done), token);
        survey.Compare(source);
        if (survey.Scan?.Obstacles is [var first, ..])
        {
            throw new BackupException(
                FailureKind.RestoreFailed,
                $"The oplog of {source.Name} holds '{first.Command}' on {first.Namespace} at {first.Timestamp}, which cannot be replayed.",
                "Restore the collection as it was before that with Restore-BotBackup -PointInTime under another name, and copy its documents from there.",
                source.Name);
        }

        var claim = RestoreClaim.TakeAlone(client, live.Database, $"documents of {live}", token);
        var names = new StagingNames(claim.Id);
        var copy = new StagedCopy(new StagedRestore(client, source, options, names, MongoRestorePlan.Of(survey, options.Wanted, options.Mapping), tell), claim, tell);
        try
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(token, claim.Lost);
            copy._staging.Load(stop.Token);
            copy._staging.Replay(survey.Scan, resume: null, _ => { }, stop.Token);
            var staged = names.Staged(live);
            copy.Name = new ServerCatalog(client, stop.Token).Find(staged) is null ? null : staged;
            return copy;
        }
        catch
        {
            copy.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        // What somebody else has taken is theirs to drop.
        if (!_claim.Lost.IsCancellationRequested && _staging.Discard())
            End();
        _claim.Dispose();
    }

    private void End()
    {
        try
        {
            _claim.End();
        }
        catch (Exception wrong) when (wrong is MongoException or BackupException)
        {
            _tell(new Warned($"The record of the copy could not be dropped ({wrong.Message.TrimEnd('.')}). Undo-BotRestore -Id {_claim.Id} drops it."));
        }
    }
}
