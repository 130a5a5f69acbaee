using BotCore.Backup.Engine.Archives;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Verification;

/// <summary>Proves backups, one after the other: each becomes a <see cref="Made"/> with its verification, whatever the outcome.</summary>
public static class VerificationRunner
{
    /// <summary>Proves <paramref name="backups"/> to <paramref name="depth"/>.</summary>
    public static IAsyncEnumerable<BackupEvent> Run(BackupSession session, IReadOnlyList<BotBackup> backups, Depth depth, CancellationToken token) =>
        Run(session, backups, new VerificationOptions { Depth = depth }, token);

    /// <summary>Proves <paramref name="backups"/> as <paramref name="options"/> ask.</summary>
    public static IAsyncEnumerable<BackupEvent> Run(BackupSession session, IReadOnlyList<BotBackup> backups, VerificationOptions options, CancellationToken token) =>
        EventRun.Start("verification", (tell, stop) =>
        {
            foreach (var backup in backups)
            {
                using var progress = new RunProgress($"Testing {backup.Key}", backup.PlainSize?.Bytes ?? 0, tell);
                var result = Prove(session, backup, options, tell, done => progress.Move(done, () => backup.Key), stop);
                if (result.Failure is { Kind: FailureKind.PassphraseMissing or FailureKind.PassphraseTooOpen } keyless)
                    throw new BackupException(keyless);
                tell(new Made(session.Ledger.Record(result, options.Depth, tell)));
            }
        }, token);

    /// <summary>What is done once after all tests of a command: the links to proven database archives become what the ledger says.</summary>
    public static IAsyncEnumerable<BackupEvent> Conclude(BackupSession session, CancellationToken token) =>
        EventRun.Start("links", (tell, stop) => VerifiedLinks.Rebuild(session.Local, session.Clock, tell, stop), token);

    internal static BotBackupVerification Prove(BackupSession session, BotBackup backup, VerificationOptions options, Action<BackupEvent> tell, Action<long> moved, CancellationToken token)
    {
        if (backup.Component == Component.MongoDb && (options.Depth >= Depth.Archive || backup.PlainDump is not null))
            return new DumpProver(session, options, tell).Prove(backup, moved, token);
        var depth = options.Depth >= Depth.Archive ? Depth.Archive : options.Depth;
        var result = new ArchiveProver(session.Keys, session.Threads).Prove(backup, depth, NoVisitor.Instance, moved, token);
        if (FileChains.IsIncrement(backup) && depth == Depth.Archive && result.Outcome == Outcome.Succeeded)
            result = FileChainProof.Add(session, result, token);
        return options.Depth == Depth.Restore && result.Outcome == Outcome.Succeeded ? new FileRehearsal(session, options, tell).Run(result, token) : result;
    }
}
