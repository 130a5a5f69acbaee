using System.Globalization;
using System.Text;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Health;
using BotCore.Backup.Engine.Stores;

namespace BotCore.Backup.Engine.Reports;

/// <summary>The daily status report, in the sections that the old scripts' had: the last day, storage, the last backup, issues. UTC.</summary>
public static class DailyReport
{
    private const string Rule = "===================================";

    /// <summary>The file that a month's reports are appended to, <c>LOG_DIR/daily-reports-YYYYMM.log</c>.</summary>
    public static string DefaultPath(BackupSession session) => Path.Combine(
        session.Configuration.LogDirectory, $"daily-reports-{session.Clock.GetUtcNow().UtcDateTime.ToString("yyyyMM", CultureInfo.InvariantCulture)}.log");

    /// <summary>The report of now, in text.</summary>
    public static string Write(BackupSession session, HealthOptions options, CancellationToken token)
    {
        var now = session.Clock.GetUtcNow();
        var stores = StoreView.Read(session, token);
        var lines = StatusMaker.Make(session, options, stores);
        var text = new StringBuilder();
        Line(text, $"Daily Backup Status Report");
        Line(text, $"Generated: {now.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC on {Environment.MachineName}");
        Title(text, "BACKUP SUMMARY (Last 24 hours)");
        foreach (var line in lines)
            Component(text, line, stores, now);
        if (lines.Count == 0)
            Line(text, $"Nothing is configured to be backed up, and there is no backup.");
        Title(text, "STORAGE STATUS");
        foreach (var store in stores)
            Line(text, $"{Storage(session, store)}");
        Title(text, "LAST BACKUP");
        var newest = lines.Select(line => line.NewestBackup).OfType<BotBackup>().MaxBy(backup => backup.Taken);
        Line(text, $"{(newest is null ? "There is no good backup." : Line(newest, now))}");
        Title(text, "ISSUES (if any)");
        var issues = lines.SelectMany(line => line.Issues).Concat(stores.SelectMany(store => store.Flaws.Select(flaw => flaw.Message))).ToList();
        foreach (var issue in issues)
            Line(text, $"- {issue}");
        if (issues.Count == 0)
            Line(text, $"None");
        Title(text, "End of Report");
        return text.ToString().TrimEnd() + "\n";
    }

    /// <summary>Appends <paramref name="report"/> to <paramref name="path"/>. Throws AccessDenied where that cannot be written.</summary>
    public static void Append(string path, string report)
    {
        try
        {
            var options = PrivateFiles.Options(FileMode.Append, FileAccess.Write);
            if (Path.GetDirectoryName(path) is { Length: > 0 } folder)
                Directory.CreateDirectory(folder);
            using var file = new FileStream(path, options);
            file.Write(Encoding.UTF8.GetBytes(report + "\n"));
            UnixFile.Sync(file.SafeFileHandle, path);
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(FailureKind.AccessDenied, $"{path} cannot be written: {wrong.Message}", "Make LOG_DIR writable for this user, or give another path.", path, wrong);
        }
    }

    private static string Heading(Component component) => component switch
    {
        Components.Component.MongoDb => "MongoDB",
        Components.Component.Config => "Configuration",
        _ => component.ToString(),
    };

    private static void Component(StringBuilder text, BotBackupStatus line, IReadOnlyList<StoreView> stores, DateTimeOffset now)
    {
        const int MostNamed = 5;
        Line(text, $"{Heading(line.Component)} Backups: {line.State}, {line.OfLastDay} of the last day, {line.Backups} in all ({line.Size})");
        var ofDay = stores.SelectMany(store => store.Good(line.Component, now)).Where(backup => backup.Taken > now.AddDays(-1)).OrderByDescending(backup => backup.Taken).ToList();
        foreach (var backup in ofDay.Where(backup => backup.Type != BackupType.Incremental).Take(MostNamed))
            Line(text, $"  {Line(backup, now)}");
        if (ofDay.Count(backup => backup.Type == BackupType.Incremental) is > 0 and var increments)
            Line(text, $"  and {increments} increments, {new ByteSize(ofDay.Where(backup => backup.Type == BackupType.Incremental).Sum(backup => backup.Size.Bytes))}");
        if (line.WindowEnd is { } end)
            Line(text, $"  restorable up to {end.UtcDateTime:yyyy-MM-dd HH:mm:ss}");
        Line(text, $"  {(line.Proven is { } proven ? $"proven to its end {Age.Text(now - proven)} ago" : "never proven to its end")}");
        Line(text, $"");
    }

    private static string Storage(BackupSession session, StoreView view)
    {
        if (view.Backups is null)
            return $"{view.Name}: not known. {view.Failure?.Message}";
        var used = $"{view.Name}: {new ByteSize(view.Backups.Sum(backup => backup.Size.Bytes))} in {view.Backups.Count.ToString(CultureInfo.InvariantCulture)} archives";
        try
        {
            return session.StoreNamed(view.Name).FreeSpace is { } free ? $"{used}, {new ByteSize(free)} free" : used;
        }
        catch (BackupException wrong)
        {
            return $"{used}; what is free is not known: {wrong.Failure.Message}";
        }
    }

    private static string Line(BotBackup backup, DateTimeOffset now) => string.Create(
        CultureInfo.InvariantCulture, $"{backup.Taken.UtcDateTime:yyyy-MM-dd HH:mm:ss}  {backup.Location} ({backup.Size}), {backup.Proof.ToString(now)}");

    private static void Title(StringBuilder text, string title) => text.Append('\n').Append(Rule).Append('\n').Append(title).Append('\n').Append(Rule).Append("\n\n");

    private static void Line(StringBuilder text, FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture).TrimEnd()).Append('\n');
}
