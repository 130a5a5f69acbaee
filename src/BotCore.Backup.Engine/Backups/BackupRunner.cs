using System.Security.Cryptography;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Engine.Backups;

/// <summary>Runs backup steps: each becomes a <see cref="Made"/> with its BotBackup, or a <see cref="Failed"/>, and the next goes on.</summary>
public static class BackupRunner
{
    /// <summary>Runs <paramref name="steps"/> one after the other under one run id.</summary>
    public static IAsyncEnumerable<BackupEvent> Run(BackupSession session, IReadOnlyList<BackupStep> steps, CancellationToken token) =>
        EventRun.Start("backup", (tell, stop) => Run(session, steps, tell, stop), token);

    internal static string NewRunId() => RandomNumberGenerator.GetHexString(16, lowercase: true);

    internal static ArchiveMaker NewMaker(BackupSession session, IStore store, Action<BackupEvent> tell) =>
        new(store, session.Codec, session.Level, session.Threads, session.NewCipher, session.Clock, tell);

    private static void Run(BackupSession session, IReadOnlyList<BackupStep> steps, Action<BackupEvent> tell, CancellationToken token)
    {
        var runId = NewRunId();
        tell(new Said($"This is run {runId}."));
        foreach (var step in steps)
        {
            try
            {
                tell(new Said($"{step.Action} to {step.Target}."));
                var backup = NewMaker(session, step.Store, tell).Make(step.Job, runId, token);
                tell(new Said($"{backup.Location}: {backup.Size} of {backup.PlainSize}, written, read back and compared."));
                tell(new Made(backup));
            }
            catch (BackupException wrong) when (wrong.Failure.Kind is not (FailureKind.PassphraseMissing or FailureKind.PassphraseTooOpen))
            {
                tell(new Failed(wrong.Failure));
            }
        }
    }
}
