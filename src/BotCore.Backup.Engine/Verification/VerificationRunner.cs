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
                tell(new Made(Test(session, backup, options, Prove, tell, stop)));
        }, token);

    /// <summary>What is done once after all tests of a command: the links to proven database archives become what the ledger says.</summary>
    public static IAsyncEnumerable<BackupEvent> Conclude(BackupSession session, CancellationToken token) =>
        EventRun.Start("links", (tell, stop) => VerifiedLinks.Rebuild(session.Local, session.Clock, tell, stop), token);

    /// <summary>Proves one and records it. Throws where nothing can be proven without the passphrase that is missing.</summary>
    internal static BotBackupVerification Test(
        BackupSession session,
        BotBackup backup,
        VerificationOptions options,
        Func<BackupSession, BotBackup, VerificationOptions, Action<BackupEvent>, Action<long>, CancellationToken, BotBackupVerification> prove,
        Action<BackupEvent> tell,
        CancellationToken token)
    {
        using var progress = new RunProgress($"Testing {backup.Key}", backup.PlainSize?.Bytes ?? 0, tell);
        var result = prove(session, backup, options, tell, done => progress.Move(done, () => backup.Key), token);
        return result.Failure is { Kind: FailureKind.PassphraseMissing or FailureKind.PassphraseTooOpen } keyless
            ? throw new BackupException(keyless)
            : session.Ledger.Record(result, options.Depth, tell);
    }

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
