using System.Globalization;
using System.Net;
using System.Text;

namespace BotCore.Backup.Engine.Reports;

/// <summary>The same as one page: no script, no font, no picture from elsewhere, so that it can be mailed and kept. Names come from outside and are encoded.</summary>
internal static class HtmlReport
{
    internal const string Style = """
        :root{color-scheme:light dark;--text:#1d2129;--quiet:#5b6472;--back:#fff;--card:#f5f6f8;--line:#d9dde3;--ok:#1a7f37;--warn:#9a6700;--fail:#c1121f;--unknown:#6b4fbb}
        @media(prefers-color-scheme:dark){:root{--text:#e6e9ee;--quiet:#9aa4b2;--back:#14171c;--card:#1d2229;--line:#343b45;--ok:#4ac26b;--warn:#d9a520;--fail:#ff6b6b;--unknown:#b7a1ff}}
        *{box-sizing:border-box}body{margin:0 auto;max-width:1080px;padding:28px 20px;background:var(--back);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
        h1{font-size:24px;margin:0 0 4px}h2{font-size:17px;margin:30px 0 8px}.quiet{color:var(--quiet)}.scroll{overflow-x:auto}
        .verdict{border-left:6px solid;border-radius:6px;background:var(--card);padding:12px 16px;margin:18px 0}.verdict b{font-size:19px}.verdict.ok{border-color:var(--ok)}.verdict.warn{border-color:var(--warn)}.verdict.fail{border-color:var(--fail)}
        .totals{display:flex;flex-wrap:wrap;gap:10px}.totals div{background:var(--card);border-radius:6px;padding:10px 16px;min-width:120px}.totals b{display:block;font-size:22px}
        table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:5px 10px;border-bottom:1px solid var(--line);vertical-align:top}th{color:var(--quiet);font-weight:600}td.size{text-align:right;white-space:nowrap}td.key{width:50%;font-family:ui-monospace,"DejaVu Sans Mono",monospace;font-size:13px;overflow-wrap:anywhere}
        td.state{width:70px;font-weight:700;white-space:nowrap}td.subject{width:30%}.ok{color:var(--ok)}.warn{color:var(--warn)}.fail{color:var(--fail)}.unknown{color:var(--unknown)}.verdict{color:var(--text)}
        svg{display:block;width:100%;min-width:680px;height:auto}svg text{fill:var(--text);font-size:13px}svg .ok rect{fill:var(--ok)}svg .warn rect{fill:var(--warn)}svg .fail rect{fill:var(--fail)}svg .unknown rect{fill:var(--unknown)}
        svg .mark{fill:none;stroke-width:2}svg .fail .mark{stroke:var(--fail)}svg .unknown .mark{stroke:var(--unknown)}svg .axis{stroke:var(--quiet)}svg .floor{stroke:var(--line)}svg .window{fill:var(--ok);opacity:.55}svg .gap{fill:url(#gap);stroke:var(--fail)}svg .hatch{stroke:var(--fail);stroke-width:2}
        details{margin:6px 0}summary{cursor:pointer;font-weight:600}
        @media print{body{max-width:none}details{display:block}}
        """;

    // A section with more archives than this opens when it is asked for; what is not good in it is shown before.
    private const int MostShown = 40;

    public static string Write(BotBackupReport report)
    {
        var page = new StringBuilder();
        var overall = report.Overall == ReportStatus.Ok ? "ok" : report.Overall == ReportStatus.Warning ? "warn" : "fail";
        Add(page, $"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        Add(page, $"<title>{TextReport.Verdict(report.Overall)}: backups of {Html(report.Host)}, {report.Made.UtcDateTime:yyyy-MM-dd}</title>\n<style>\n{Style}\n</style>\n</head>\n<body>\n");
        Add(page, $"<h1>BotCore Backup Verification Report</h1>\n<p class=\"quiet\">Made {report.Made.UtcDateTime:u} on {Html(report.Host)} by {Html(report.Tool)}, about {report.Scope}<br/>{string.Join("<br/>", report.Stores.Select(Html))}</p>\n");
        Add(page, $"<div class=\"verdict {overall}\"><b>{TextReport.Verdict(report.Overall)}</b><br/>{Html(report.Verdict)}</div>\n");
        var totals = report.Totals;
        Add(page, $"<div class=\"totals\"><div><b>{totals.Archives}</b>archives, {totals.Size}</div><div><b class=\"ok\">{totals.Ok}</b>OK</div><div><b class=\"warn\">{totals.Warnings}</b>warnings</div>");
        Add(page, $"<div><b class=\"fail\">{totals.Failed}</b>failed</div><div><b class=\"unknown\">{totals.Unknown}</b>unproven</div></div>\n");
        if (TimelineDrawing.Draw(report) is { Length: > 0 } drawing)
            Add(page, $"<h2>Timeline</h2>\n<p class=\"quiet\">A bar is an archive, as high as it is large beside the others of its row. A cross marks what is damaged or was never proven. Times are UTC.</p>\n<div class=\"scroll\">\n{drawing}</div>\n");
        Checks(page, "Freshness", report.Freshness);
        Checks(page, "Recovery windows", [.. report.Windows.Select(TextReport.Check)]);
        Checks(page, "Disk space", report.Space);
        foreach (var component in report.Archives.GroupBy(archive => archive.Component))
            Archives(page, TextReport.Heading(component.Key), [.. component], report);
        Add(page, $"</body>\n</html>\n");
        return page.ToString();
    }

    private static void Archives(StringBuilder page, string title, IReadOnlyList<ReportedArchive> archives, BotBackupReport report)
    {
        Add(page, $"<h2>{Html(title)}</h2>\n");
        if (archives.Count <= MostShown)
        {
            Table(page, archives, report);
            return;
        }

        var bad = archives.Where(archive => archive.Status != ReportStatus.Ok).ToList();
        if (bad.Count is > 0 and <= MostShown)
            Table(page, bad, report);
        Add(page, $"<details><summary>All {archives.Count} archives, {archives.Count - bad.Count} of them OK</summary>\n");
        Table(page, archives, report);
        Add(page, $"</details>\n");
    }

    private static void Table(StringBuilder page, IReadOnlyList<ReportedArchive> archives, BotBackupReport report)
    {
        Add(page, $"<div class=\"scroll\"><table>\n<tr><th></th><th>Archive</th><th>Size</th><th>Proof</th></tr>\n");
        foreach (var archive in archives)
        {
            Add(page, $"<tr><td class=\"state {TimelineDrawing.Class(archive.Status)}\">{TextReport.Word(archive.Status)}</td><td class=\"key\">{Html(TextReport.Where(archive, report))}</td>");
            Add(page, $"<td class=\"size\">{archive.Size}</td><td>{Html(archive.Text)}</td></tr>\n");
        }

        Add(page, $"</table></div>\n");
    }

    private static void Checks(StringBuilder page, string title, IReadOnlyList<ReportedCheck> checks)
    {
        if (checks.Count == 0)
            return;
        Add(page, $"<h2>{Html(title)}</h2>\n<div class=\"scroll\"><table>\n");
        foreach (var check in checks)
            Add(page, $"<tr><td class=\"state {TimelineDrawing.Class(check.Status)}\">{TextReport.Word(check.Status)}</td><td class=\"subject\">{Html(check.Subject)}</td><td>{Html(check.Text)}</td></tr>\n");
        Add(page, $"</table></div>\n");
    }

    private static string Html(string text) => WebUtility.HtmlEncode(text);

    private static void Add(StringBuilder page, FormattableString piece) => page.Append(piece.ToString(CultureInfo.InvariantCulture));
}
