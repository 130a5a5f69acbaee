using System.Globalization;
using System.Text;

namespace BotCore.Backup.Engine.Reports;

/// <summary>The same as Markdown (GitHub's, with tables).</summary>
internal static class MarkdownReport
{
    public static string Write(BotBackupReport report)
    {
        var text = new StringBuilder();
        Line(text, $"# BotCore Backup Verification Report");
        Line(text, $"");
        Line(text, $"**{TextReport.Verdict(report.Overall)}**: {Escape(report.Verdict)}");
        Line(text, $"");
        Line(text, $"Made {report.Made.UtcDateTime:u} on {Escape(report.Host)} by {Escape(report.Tool)}, about {report.Scope}. {(report.Stores.Count == 1 ? "Store" : "Stores")}: {string.Join(", ", report.Stores.Select(Escape))}.");
        foreach (var component in report.Archives.GroupBy(archive => archive.Component))
        {
            Table(text, TextReport.Heading(component.Key), "| | archive | size | proof |", "| --- | --- | ---: | --- |");
            foreach (var archive in component)
                Line(text, $"| {TextReport.Word(archive.Status)} | {Escape(TextReport.Where(archive, report))} | {archive.Size} | {Escape(archive.Text)} |");
        }

        Checks(text, "Freshness", report.Freshness);
        Checks(text, "Recovery windows", [.. report.Windows.Select(TextReport.Check)]);
        Checks(text, "Disk space", report.Space);
        var totals = report.Totals;
        Table(text, "Summary", "| archives | size | OK | warnings | failed | unproven |", "| ---: | ---: | ---: | ---: | ---: | ---: |");
        Line(text, $"| {totals.Archives} | {totals.Size} | {totals.Ok} | {totals.Warnings} | {totals.Failed} | {totals.Unknown} |");
        return text.ToString();
    }

    private static void Checks(StringBuilder text, string title, IReadOnlyList<ReportedCheck> checks)
    {
        if (checks.Count == 0)
            return;
        Table(text, title, "| | what | how |", "| --- | --- | --- |");
        foreach (var check in checks)
            Line(text, $"| {TextReport.Word(check.Status)} | {Escape(check.Subject)} | {Escape(check.Text)} |");
    }

    private static void Table(StringBuilder text, string title, string head, string rule)
    {
        Line(text, $"");
        Line(text, $"## {title}");
        Line(text, $"");
        Line(text, $"{head}");
        Line(text, $"{rule}");
    }

    // Names come from outside: a name must neither end a cell nor become markup.
    private static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length);
        foreach (var character in text)
        {
            if (char.IsControl(character))
            {
                escaped.Append(' ');
                continue;
            }

            if (@"\`*_{}[]<>|#&".Contains(character, StringComparison.Ordinal))
                escaped.Append('\\');
            escaped.Append(character);
        }

        return escaped.ToString();
    }

    private static void Line(StringBuilder text, FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
