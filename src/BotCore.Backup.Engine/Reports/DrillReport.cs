using System.Globalization;
using System.Net;
using System.Text;
using BotCore.Backup.Engine.Drills;
using BotCore.Backup.Engine.Events;

namespace BotCore.Backup.Engine.Reports;

/// <summary>Drills as a report: in the form of the platform's guide, where a line says PASSED only if it was done, as Markdown, and as one page.</summary>
internal static class DrillReport
{
    private const string Rule = "================================================================================";

    /// <summary>Lines for a terminal and for mail.</summary>
    public static string Text(IReadOnlyList<BotBackupDrill> drills, string next)
    {
        var text = new StringBuilder();
        Line(text, $"{Rule}\nDISASTER RECOVERY DRILL REPORT");
        Line(text, $"Date: {drills.Min(drill => drill.Started).UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC");
        Line(text, $"Host: {drills[0].Host}\n{Rule}");
        foreach (var drill in drills)
        {
            Line(text, $"\nSCENARIO: {drill.Scenario}{(drill.Stores.Count > 0 ? $", from {string.Join(", ", drill.Stores)}" : "")}{(drill.InSandbox ? ", into the Sandbox, which is no mongod" : "")}");
            foreach (var step in drill.Steps)
                Line(text, $"\nTEST: {step.Name} {step.Subject}\n  Result: {Word(step.Outcome)} ({step.Duration.TotalSeconds:0.0} s)\n  {step.Message}");
            Line(text, $"\nRTO: {Measured(drill.Rto, drill.Target.Rto, drill.IsInTime)}\nRPO: {Measured(drill.Rpo, drill.Target.Rpo, drill.IsRecent)}");
        }

        var steps = drills.SelectMany(drill => drill.Steps).ToList();
        Line(text, $"\n{Rule}\nSUMMARY\n{Rule}");
        Line(text, $"Duration:     {steps.Sum(step => step.Duration.TotalSeconds):0.0} s");
        Line(text, $"Tests passed: {steps.Count(step => step.Outcome == Outcome.Succeeded)}");
        Line(text, $"Tests failed: {steps.Count(step => step.Outcome == Outcome.Failed)}");
        Line(text, $"Next drill:   {next}\n");
        foreach (var drill in drills)
            Line(text, $"{drill.Verdict}");
        Line(text, $"\nStatus: {Status(drills)}\n{Rule}");
        return text.ToString();
    }

    /// <summary>GitHub's Markdown.</summary>
    public static string Markdown(IReadOnlyList<BotBackupDrill> drills, string next)
    {
        var text = new StringBuilder();
        Line(text, $"# Disaster recovery drill of {drills[0].Host}, {drills.Min(drill => drill.Started).UtcDateTime:yyyy-MM-dd HH:mm} UTC\n\n**{Status(drills)}.** Next drill: {next}.");
        foreach (var drill in drills)
        {
            Line(text, $"\n## {drill.Scenario}\n\n{Cell(drill.Verdict)}\n\nRTO: {Measured(drill.Rto, drill.Target.Rto, drill.IsInTime)}. RPO: {Measured(drill.Rpo, drill.Target.Rpo, drill.IsRecent)}.\n\n| step | on | result | seconds | what came of it |\n| --- | --- | --- | ---: | --- |");
            foreach (var step in drill.Steps)
                Line(text, $"| {step.Name} | {Cell(step.Subject)} | {Word(step.Outcome)} | {step.Duration.TotalSeconds:0.0} | {Cell(step.Message)} |");
        }

        return text.ToString();
    }

    /// <summary>One page that needs nothing else.</summary>
    public static string Html(IReadOnlyList<BotBackupDrill> drills, string next)
    {
        var page = new StringBuilder();
        var good = drills.All(drill => drill.Outcome == Outcome.Succeeded);
        Line(page, $"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{Status(drills)}: drill of {Encode(drills[0].Host)}</title>\n<style>\n{HtmlReport.Style}\n</style>\n</head>\n<body>");
        Line(page, $"<h1>Disaster Recovery Drill Report</h1>\n<p class=\"quiet\">{drills.Min(drill => drill.Started).UtcDateTime:u} on {Encode(drills[0].Host)}. Next drill: {Encode(next)}.</p>");
        Line(page, $"<div class=\"verdict {(good ? "ok" : "fail")}\"><b>{Status(drills)}</b><br/>{string.Join("<br/>", drills.Select(drill => Encode(drill.Verdict)))}</div>");
        foreach (var drill in drills)
        {
            Line(page, $"<h2>{drill.Scenario}</h2>\n<p>RTO: {Encode(Measured(drill.Rto, drill.Target.Rto, drill.IsInTime))}<br/>RPO: {Encode(Measured(drill.Rpo, drill.Target.Rpo, drill.IsRecent))}</p>\n<div class=\"scroll\"><table>\n<tr><th>Step</th><th>On</th><th>Result</th><th>Seconds</th><th>What came of it</th></tr>");
            foreach (var step in drill.Steps)
                Line(page, $"<tr><td>{step.Name}</td><td>{Encode(step.Subject)}</td><td class=\"state {(step.Outcome == Outcome.Succeeded ? "ok" : "fail")}\">{Word(step.Outcome)}</td><td class=\"size\">{step.Duration.TotalSeconds:0.0}</td><td>{Encode(step.Message)}</td></tr>");
            Line(page, $"</table></div>");
        }

        Line(page, $"</body>\n</html>");
        return page.ToString();
    }

    private static string Status(IReadOnlyList<BotBackupDrill> drills) => drills.All(drill => drill.Outcome == Outcome.Succeeded) ? "READY FOR DISASTER RECOVERY" : "NOT READY FOR DISASTER RECOVERY";

    private static string Word(Outcome outcome) => outcome switch
    {
        Outcome.Succeeded => "PASSED",
        Outcome.Skipped => "SKIPPED",
        _ => "FAILED",
    };

    private static string Measured(TimeSpan? time, TimeSpan? target, bool? isMet) =>
        (time is { } measured ? Span(measured) : "not measured") + (target is { } most ? $", at most {Span(most)}{(isMet is { } met ? met ? ": met" : ": MISSED" : "")}" : "");

    private static string Span(TimeSpan time) => TimeSpan.FromSeconds(Math.Ceiling(time.TotalSeconds)).ToString("c", CultureInfo.InvariantCulture);

    private static string Encode(string text) => WebUtility.HtmlEncode(text);

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal).Replace('\n', ' ');

    private static void Line(StringBuilder text, FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
