using System.Security.Cryptography;
using System.Text;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Events;
using BotCore.Backup.Engine.Health;
using BotCore.Backup.Engine.Schedules;

namespace BotCore.Backup.Engine.Reports;

/// <summary>One report to be written.</summary>
public sealed record ReportStep : Step
{
    internal ReportStep(ReportRequest request, ReportForm form)
        : base(request.Path, $"Write the verification report as {form}") => (Request, Form) = (request, form);

    internal ReportRequest Request { get; }

    internal ReportForm Form { get; }
}

/// <summary>Plans and writes reports. A report becomes a <see cref="Made"/> with its <see cref="FileInfo"/>; how the backups stand is in it, and a bad state is no failure of the report.</summary>
public static class ReportRunner
{
    /// <summary>The usual place of today's report: <c>BACKUP_DIR/verification-report-YYYYMMDD.txt</c>, the day in UTC.</summary>
    public static string DefaultPath(BackupSession session) => Path.Combine(
        session.Configuration.BackupDirectory, $"verification-report-{session.Clock.GetUtcNow().UtcDateTime.ToString("yyyyMMdd", System.Globalization.CultureInfo.InvariantCulture)}.txt");

    /// <summary>The usual place of a report on today's drills: <c>BACKUP_DIR/dr-drill-report-YYYYMMDD.txt</c>, the day in UTC.</summary>
    public static string DrillPath(BackupSession session) => Path.Combine(
        session.Configuration.BackupDirectory, $"dr-drill-report-{session.Clock.GetUtcNow().UtcDateTime.ToString("yyyyMMdd", System.Globalization.CultureInfo.InvariantCulture)}.txt");

    /// <summary>The step for <paramref name="request"/>. Throws ConfigurationInvalid for a path that is a folder, or whose folder is not there.</summary>
    public static ReportStep Plan(ReportRequest request)
    {
        // The folder of logs is made at the first log.
        if (Directory.Exists(request.Path) || (request.Form != ReportForm.Daily && !Directory.Exists(Path.GetDirectoryName(request.Path))))
        {
            throw new BackupException(
                FailureKind.ConfigurationInvalid, $"{request.Path} is no place for a file: {(Directory.Exists(request.Path) ? "it is a folder" : "its folder is not there")}.", "Give -Path a file in a folder that is there.", request.Path);
        }

        return new ReportStep(request, request.Form == ReportForm.Unknown ? FormOf(request.Path) : request.Form);
    }

    /// <summary>Makes the report and writes it.</summary>
    public static IAsyncEnumerable<BackupEvent> Run(BackupSession session, ReportStep step, CancellationToken token) =>
        EventRun.Start("report", (tell, stop) =>
        {
            if (step.Form == ReportForm.Daily)
            {
                DailyReport.Append(step.Request.Path, DailyReport.Write(session, HealthOptions.Of(session.Configuration) with { MaximumAge = step.Request.MaximumAge }, stop));
                tell(new Made(new FileInfo(step.Request.Path)));
                return;
            }

            if (step.Request.Drills is { Count: > 0 } drills)
            {
                var next = NextDrill(session, stop);
                Write(step.Request.Path, step.Form switch
                {
                    ReportForm.Html => DrillReport.Html(drills, next),
                    ReportForm.Markdown => DrillReport.Markdown(drills, next),
                    ReportForm.Json => JsonReport.Write(drills),
                    _ => DrillReport.Text(drills, next),
                });
                tell(new Made(new FileInfo(step.Request.Path)));
                return;
            }

            var report = new ReportMaker(session, step.Request, stop).Make();
            Write(step.Request.Path, step.Form switch
            {
                ReportForm.Html => HtmlReport.Write(report),
                ReportForm.Markdown => MarkdownReport.Write(report),
                ReportForm.Json => JsonReport.Write(report),
                _ => TextReport.Write(report),
            });
            tell(new Said($"Overall status: {TextReport.Verdict(report.Overall)}. {report.Verdict}"));
            tell(new Made(new FileInfo(step.Request.Path)));
        }, token);

    // As the timetable has it: the first Sunday of a month at five, the machine's time.
    private static string NextDrill(BackupSession session, CancellationToken token)
    {
        if (!ScheduleRegistrar.List(null, _ => { }, token).Any(task => task.Name is "drill"))
            return "none is scheduled; Register-BotBackupSchedule does it";
        var now = TimeZoneInfo.ConvertTime(session.Clock.GetUtcNow(), TimeZoneInfo.Local).DateTime;
        var first = new DateTime(now.Year, now.Month, 1, 5, 0, 0, DateTimeKind.Unspecified);
        var next = Sunday(first);
        return (next > now ? next : Sunday(first.AddMonths(1))).ToString("yyyy-MM-dd HH:mm", System.Globalization.CultureInfo.InvariantCulture);

        static DateTime Sunday(DateTime month) => month.AddDays((7 - (int)month.DayOfWeek) % 7);
    }

    private static ReportForm FormOf(string path) => Path.GetExtension(path).ToUpperInvariant() switch
    {
        ".MD" => ReportForm.Markdown,
        ".HTML" or ".HTM" => ReportForm.Html,
        ".JSON" => ReportForm.Json,
        _ => ReportForm.Text,
    };

    // Under another name first: who reads the report while it is made anew reads the old one or the new one.
    private static void Write(string path, string content)
    {
        var partial = Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}.{RandomNumberGenerator.GetHexString(8, lowercase: true)}.partial");
        try
        {
            NewFile.Write(partial, Encoding.UTF8.GetBytes(content), UnixFileMode.UserRead | UnixFileMode.UserWrite);
            File.Move(partial, path, overwrite: true);
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            File.Delete(partial);
            throw new BackupException(FailureKind.AccessDenied, $"{path} cannot be written: {wrong.Message}", "Choose another folder, or another user.", path, wrong);
        }
    }
}
