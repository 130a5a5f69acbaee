using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Restores;

namespace BotCore.Backup.Engine.Exports;

/// <summary>Exports a backup of files into a folder: a restore, with its proofs, into a folder that is empty.</summary>
internal static class FileExport
{
    public static void Run(BackupSession session, ExportStep step, ExportPlace place, Action<BackupEvent> tell, CancellationToken token)
    {
        var restore = new RestoreStep(step.Backup, place.Partial, new RestoreRequest { Destination = place.Partial }, step.Action);
        var result = new RestoreJob(session, restore, tell).Run(token);
        tell(new Said($"{result.Counts} of {step.Backup.Location} were written, read back and compared."));
    }
}
