using System.Runtime.ExceptionServices;
using System.Security.Cryptography;
using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components.MongoDb.Dumping;
using BotCore.Backup.Engine.Components.Volumes.Quiesce;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Engine.Backups;

/// <summary>Runs backup steps: each becomes a <see cref="Made"/> with its BotBackup, or a <see cref="Failed"/>, and the next goes on.</summary>
public static class BackupRunner
{
    /// <summary>Runs <paramref name="steps"/> one after the other under one run id.</summary>
    public static IAsyncEnumerable<BackupEvent> Run(BackupSession session, IReadOnlyList<BackupStep> steps, CancellationToken token) =>
        EventRun.Start("backup", (tell, stop) => Run(session, steps, tell, stop), token);

    /// <summary>
    /// Makes increments of what <paramref name="steps"/> name, which were planned as such, every interval until <paramref name="token"/> is cancelled or the reader goes away; each slice is a
    /// <see cref="Made"/>. Steps run side by side; one ends early only where nothing is left to go on from.
    /// </summary>
    public static IAsyncEnumerable<BackupEvent> Watch(BackupSession session, IReadOnlyList<BackupStep> steps, WatchOptions options, CancellationToken token)
    {
        if (WatchOptions.WrongInterval(options.Interval) is { } wrong)
            throw new BackupException(wrong);
        if (options.MaximumSize is <= 0 || steps.Any(step => step.Increment is null))
            throw new BackupException(FailureKind.ConfigurationInvalid, "Only increments can be watched for, and cut at a size above zero.", "Add -Type Incremental, and give a -MaximumSize above zero or none.");
        return EventRun.Start("watch", (tell, stop) => Watch(session, steps, options, tell, stop), token);
    }

    internal static string NewRunId() => RandomNumberGenerator.GetHexString(16, lowercase: true);

    internal static ArchiveMaker NewMaker(BackupSession session, IStore store, Action<BackupEvent> tell, RunMoment? moment = null) =>
        new(store, session.Compression, session.NewCipher, session.Clock, tell, moment);

    /// <summary>Makes the archive of a step, brings it into its stores, and notes the history that a full backup of a database ended by beginning a new one.</summary>
    internal static void MakeFull(BackupSession session, BackupStep step, ArchiveSpread spread, RunMoment moment, Action<BackupEvent> tell, CancellationToken token)
    {
        IEntrySource? source = null;
        var backup = spread.Make(store =>
        {
            var job = step.JobFor(store);
            return NewMaker(session, store, tell, moment).Make(job with { Source = (name, said) => source = job.Source(name, said) }, moment.RunId, token);
        }, token);
        if (source is MongoDumpSource { Ended: { } hole })
            GapNote.Leave(session, backup.Source, hole with { To = OplogTimeline.EndOf(backup) }, moment.RunId);
    }

    private static void Watch(BackupSession session, IReadOnlyList<BackupStep> steps, WatchOptions options, Action<BackupEvent> tell, CancellationToken token)
    {
        var runId = session.TakeRunId();
        tell(new Said($"This is run {runId}."));
        using var all = CancellationTokenSource.CreateLinkedTokenSource(token);
        Exception? unforeseen = null;
        var watches = steps.Select(step => Task.Factory.StartNew(() => Watch(step), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)).ToArray();
        Task.WaitAll(watches, CancellationToken.None);
        if (unforeseen is not null)
            ExceptionDispatchInfo.Throw(unforeseen);
        token.ThrowIfCancellationRequested();

        void Watch(BackupStep step)
        {
            try
            {
                tell(new Said($"{step.Action} to {step.Target}, every {options.Interval}."));
                new IncrementWatch(session, step, options, runId, tell).Run(all.Token);
            }
            catch (BackupException wrong)
            {
                tell(new Failed(wrong.Failure) { About = step.Subject });
            }
            catch (OperationCanceledException) when (all.IsCancellationRequested)
            {
                // Told to stop.
            }
            catch (Exception wrong)
            {
                // A watch that died must not go unseen for as long as the others live.
                Interlocked.CompareExchange(ref unforeseen, wrong, null);
                all.Cancel();
            }
        }
    }

    private static void Run(BackupSession session, IReadOnlyList<BackupStep> steps, Action<BackupEvent> tell, CancellationToken token)
    {
        var runId = session.TakeRunId();
        var moment = new RunMoment(runId, steps.Any(step => step.IsOfPlatform), session.Clock);
        tell(new Said($"This is run {runId}."));
        QuiesceJournal.Repair(session.Configuration, tell, token);
        using var quiet = new QuietVolumes(session, steps, tell);
        foreach (var step in steps)
        {
            try
            {
                tell(new Said($"{step.Action} to {step.Target}."));
                quiet.Before(step, token);
                Run(session, step, moment, tell, token);
            }
            catch (BackupException wrong) when (wrong.Failure.Kind is not (FailureKind.PassphraseMissing or FailureKind.PassphraseTooOpen))
            {
                tell(new Failed(wrong.Failure) { About = step.Subject });
            }

            quiet.After(step);
            moment.Pass();
        }
    }

    private static void Run(BackupSession session, BackupStep step, RunMoment moment, Action<BackupEvent> tell, CancellationToken token)
    {
        if (step.Increment is not null)
            new IncrementMaker(session, step, moment, tell).Make(ready: null, cut: null, token);
        else if (step.FileIncrement is not null)
            new FileIncrementMaker(session, step, moment, tell).Make(token);
        else if (step.Model is not null)
            new ModelMaker(session, step, moment, tell).Make(token);
        else
            MakeFull(session, step, new ArchiveSpread(step, moment.RunId, tell), moment, tell, token);
    }
}
