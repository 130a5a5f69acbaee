using System.Security.Cryptography;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;

namespace BotCore.Backup.Engine.Verification;

/// <summary>Restores files that were read and found sound into a scratch folder, which reads back and compares each, and removes the folder again.</summary>
internal sealed class FileRehearsal(BackupSession session, VerificationOptions options, Action<BackupEvent> tell)
{
    public BotBackupVerification Run(BotBackupVerification read, CancellationToken token)
    {
        var backup = read.Backup!;
        var folder = options.Folder ?? session.Configuration.BackupDirectory;
        var scratch = Path.Combine(folder, $".scratch-{RandomNumberGenerator.GetHexString(8, lowercase: true)}");
        try
        {
            var step = RestorePlanner.Plan(session, backup, new RestoreRequest { Destination = scratch, NoSnapshot = true }, token);
            var restore = new RestoreJob(session, step, tell).Run(token);
            var proof = read.Proof with { Depth = Depth.Restore, At = DateTimeOffset.UtcNow };
            return read with
            {
                Backup = backup with { Proof = proof },
                Depth = Depth.Restore,
                Proof = proof,
                Where = folder,
                Message = $"Restored into a scratch folder: {restore.Counts.Entries} entries were written, read back and are what the backup holds.",
            };
        }
        catch (BackupException wrong)
        {
            return read with { Depth = Depth.Restore, Outcome = Outcome.Failed, Proof = Proof.None, Failure = wrong.Failure, Message = wrong.Failure.Message };
        }
        finally
        {
            Remove(scratch);
        }
    }

    private void Remove(string scratch)
    {
        try
        {
            if (Directory.Exists(scratch))
                Directory.Delete(scratch, recursive: true);
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            tell(new Warned($"The scratch folder {scratch} could not be removed ({wrong.Message.TrimEnd('.')}); remove it by hand."));
        }
    }
}
