using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Exports;

/// <summary>
/// Runs export steps. A backup is proven before anything of it is written; what was written is read back and compared, and only then takes its name. Each step becomes a
/// <see cref="Made"/> with a <see cref="FileInfo"/> or <see cref="DirectoryInfo"/>, or a <see cref="Failed"/>, after which nothing of it is left.
/// </summary>
public static class ExportRunner
{
    /// <summary>Runs <paramref name="steps"/> one after the other.</summary>
    public static IAsyncEnumerable<BackupEvent> Run(BackupSession session, IReadOnlyList<ExportStep> steps, CancellationToken token) =>
        EventRun.Start("export", (tell, stop) =>
        {
            foreach (var step in steps)
            {
                try
                {
                    tell(new Made(Export(session, step, tell, stop)));
                }
                catch (BackupException wrong) when (wrong.Failure.Kind is not (FailureKind.PassphraseMissing or FailureKind.PassphraseTooOpen))
                {
                    tell(new Failed(wrong.Failure));
                }
            }
        }, token);

    private static FileSystemInfo Export(BackupSession session, ExportStep step, Action<BackupEvent> tell, CancellationToken token)
    {
        using var place = new ExportPlace(step.Request);
        place.Guard(() =>
        {
            if (step.Backup.Component == Component.MongoDb)
                new DatabaseExport(session, step, place, tell).Run(token);
            else
                FileExport.Run(session, step, place, tell, token);
            place.Commit();
        });
        return step.Request.Form == ExportForm.Folder ? new DirectoryInfo(step.Request.Destination) : new FileInfo(step.Request.Destination);
    }
}
