using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Verification;

/// <summary>Proves backups, one after the other: each becomes a <see cref="Made"/> with its verification, whatever the outcome.</summary>
public static class VerificationRunner
{
    /// <summary>Proves <paramref name="backups"/> to <paramref name="depth"/>.</summary>
    public static IAsyncEnumerable<BackupEvent> Run(BackupSession session, IReadOnlyList<BotBackup> backups, Depth depth, CancellationToken token) =>
        EventRun.Start("verification", (tell, stop) =>
        {
            var prover = new ArchiveProver(session.Keys, session.Threads);
            foreach (var backup in backups)
            {
                using var progress = new RunProgress($"Testing {backup.Key}", backup.PlainSize?.Bytes ?? 0, tell);
                var result = prover.Prove(backup, depth, NoVisitor.Instance, done => progress.Move(done, () => backup.Key), stop);
                if (result.Failure is { Kind: FailureKind.PassphraseMissing or FailureKind.PassphraseTooOpen } keyless)
                    throw new BackupException(keyless);
                tell(new Made(result));
            }
        }, token);
}
