using System.Globalization;
using System.Text;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Components;

namespace BotCore.Backup.Engine.Reports;

/// <summary>A report as lines, in the sections that the old scripts' verification report had: components, freshness, disk space, summary, overall status.</summary>
internal static class TextReport
{
    /// <summary>The words at the beginning of a line. What was never proven is no more than a warning to the eye; the summary counts it apart, and the overall status fails by it.</summary>
    public static string Word(ReportStatus status) => status switch
    {
        ReportStatus.Ok => "OK",
        ReportStatus.Failed => "FAIL",
        _ => "WARN",
    };

    /// <summary>The overall status in capitals.</summary>
    public static string Verdict(ReportStatus overall) => overall switch
    {
        ReportStatus.Ok => "OK",
        ReportStatus.Warning => "WARNING",
        _ => "FAILED",
    };

    /// <summary>The heading of a component's section.</summary>
    public static string Heading(Component component) => component switch
    {
        Component.MongoDb => "MongoDB",
        Component.Volume => "Volumes",
        Component.Config => "Configuration",
        Component.Model => "Models",
        _ => "Not readable",
    };

    /// <summary>A recovery window as a check.</summary>
    public static ReportedCheck Check(BotRecoveryWindow window)
    {
        var subject = $"{window.Database} in {window.Store}";
        if (window.State == RecoveryState.Gap)
            return new ReportedCheck(ReportStatus.Warning, subject, string.Create(CultureInfo.InvariantCulture, $"gap {window.From:u} to {window.To:u}: {window.Reason}"));
        var span = window.From == window.To ? string.Create(CultureInfo.InvariantCulture, $"{window.From:u} only") : string.Create(CultureInfo.InvariantCulture, $"{window.From:u} to {window.To:u}, any second");
        return new ReportedCheck(ReportStatus.Ok, subject, string.Create(CultureInfo.InvariantCulture, $"{span} (full: {window.Bases}, incremental: {window.Slices})"));
    }

    public static string Write(BotBackupReport report)
    {
        var text = new StringBuilder();
        Title(text, "BotCore Backup Verification Report", '=');
        Line(text, $"Made:    {report.Made.UtcDateTime:u} on {report.Host}");
        Line(text, $"By:      {report.Tool}");
        Line(text, $"About:   {report.Scope}");
        foreach (var store in report.Stores)
            Line(text, $"Store:   {store}");
        foreach (var component in report.Archives.GroupBy(archive => archive.Component))
        {
            Title(text, Heading(component.Key), '-');
            var width = component.Max(archive => Where(archive, report).Length);
            foreach (var archive in component)
                Line(text, $"{Word(archive.Status),-5} {Where(archive, report).PadRight(width)}  {archive.Size,9}  {archive.Text}");
        }

        Checks(text, "Freshness", report.Freshness);
        Checks(text, "Recovery windows", [.. report.Windows.Select(Check)]);
        Checks(text, "Disk space", report.Space);
        Title(text, "Summary", '-');
        var totals = report.Totals;
        Line(text, $"Archives: {totals.Archives} ({totals.Size})");
        Line(text, $"OK:       {totals.Ok}");
        Line(text, $"Warnings: {totals.Warnings}");
        Line(text, $"Failed:   {totals.Failed}");
        Line(text, $"Unproven: {totals.Unknown}");
        Line(text, $"");
        Line(text, $"Overall status: {Verdict(report.Overall)}. {report.Verdict}");
        return text.ToString();
    }

    /// <summary>The key, with its store where there are several.</summary>
    public static string Where(ReportedArchive archive, BotBackupReport report) => report.Stores.Count > 1 && archive.Store.Length > 0 ? $"{archive.Store}: {archive.Key}" : archive.Key;

    private static void Checks(StringBuilder text, string title, IReadOnlyList<ReportedCheck> checks)
    {
        if (checks.Count == 0)
            return;
        Title(text, title, '-');
        var width = checks.Max(check => check.Subject.Length);
        foreach (var check in checks)
            Line(text, $"{Word(check.Status),-5} {check.Subject.PadRight(width)}  {check.Text}");
    }

    private static void Title(StringBuilder text, string title, char line)
    {
        if (text.Length > 0)
            text.Append('\n');
        text.Append(title).Append('\n').Append(line, title.Length).Append('\n');
    }

    private static void Line(StringBuilder text, FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture).TrimEnd()).Append('\n');
}
