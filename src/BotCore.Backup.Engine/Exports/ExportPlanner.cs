using System.Globalization;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Exports;

/// <summary>Turns backups into export steps; changes nothing.</summary>
public static class ExportPlanner
{
    /// <summary>The step for one backup. Throws where the form does not fit it, or something stands at the destination.</summary>
    public static ExportStep Plan(BotBackup backup, ExportRequest request)
    {
        var target = Path.TrimEndingDirectorySeparator(request.Destination);
        var form = request.Form == ExportForm.MongodumpArchive ? "an archive of mongodump" : backup.Component == Component.MongoDb ? "a folder of mongodump" : "a folder";
        if (request.Form == ExportForm.MongodumpArchive && backup.Component != Component.MongoDb)
        {
            throw new BackupException(
                FailureKind.ConfigurationInvalid, $"{backup.Location} holds {backup.Component}, and {form} takes a database.", "Use -As Folder for files.", backup);
        }

        if (request is { Form: ExportForm.Folder, Gzip: true })
            throw new BackupException(FailureKind.ConfigurationInvalid, "-Gzip is for one file, and a folder was asked for.", "Leave -Gzip out, or use -As MongodumpArchive.", target);
        if (Path.GetDirectoryName(target) is not { Length: > 0 } above || !Directory.Exists(above))
            throw new BackupException(FailureKind.ConfigurationInvalid, $"There is no folder to make {target} in.", "Make it first, or give another -Destination.", target);
        DemandFree(target, request);
        var what = backup.Manifest?.MongoDb is { } facts ? string.Create(CultureInfo.InvariantCulture, $" ({facts.Collections:N0} collections, {facts.Documents:N0} documents)")
            : backup.Entries is { } entries ? string.Create(CultureInfo.InvariantCulture, $" ({entries:N0} entries, {backup.PlainSize})") : "";
        return new ExportStep(backup, request with { Destination = target }, $"Export {backup.Key}{what} as {form}, not encrypted");
    }

    private static void DemandFree(string target, ExportRequest request)
    {
        if (Directory.Exists(target))
        {
            if (request.Form == ExportForm.Folder && !Directory.EnumerateFileSystemEntries(target).Any())
                return;
            throw new BackupException(
                FailureKind.DestinationNotEmpty,
                request.Form == ExportForm.Folder ? $"The folder {target} holds something, and a folder is never replaced." : $"{target} is a folder, and a file was asked for.",
                "Give a new name as -Destination.",
                target);
        }

        if (Path.Exists(target) && (!request.Force || request.Form == ExportForm.Folder))
        {
            throw new BackupException(
                FailureKind.DestinationNotEmpty,
                $"The file {target} is there already.",
                request.Form == ExportForm.Folder ? "Give a new name as -Destination." : "Give a new name as -Destination, or add -Force to replace it.",
                target);
        }
    }
}
