using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using BotCore.Backup.Engine.Components;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Journal;
using BotCore.Backup.Engine.Verification.Budgets;

namespace BotCore.Backup.Engine.Notices;

/// <summary>Runs as what people are told of them.</summary>
internal static class NoticeText
{
    private const int MostSubjects = 3;
    private const int MostLines = 20;

    /// <summary>The notice of a run, with the text of <paramref name="template"/> where there is one.</summary>
    public static Notice Of(BotBackupRun run, NoticeDecision decision, BotBackupConfiguration settings, NoticeTemplate? template)
    {
        var subject = Subject(run, decision);
        var log = settings.LogsAreKept ? Path.Combine(settings.LogDirectory, LogOf(run)) : "";
        var text = template is null ? Plain(run, decision, log) : template.Fill(name => Value(name, run, decision, subject, log));
        return new Notice(subject, text, Json(run, decision, subject, text));
    }

    /// <summary>One line: how it is, where, and what.</summary>
    public static string Subject(BotBackupRun run, NoticeDecision decision)
    {
        var what = decision switch
        {
            { Reason: NoticeReason.Repeat, Since: { } since } => string.Create(CultureInfo.InvariantCulture, $"{List(decision.Failed)} still failing, {decision.Runs} runs since {Time(since)}"),
            { Reason: NoticeReason.Recovery, Since: { } since } => $"{List(decision.Recovered)} good again after {BudgetText.Of(run.Ended - since)}",
            { Failed.Count: > 0 } => List(decision.Failed),
            _ => string.Create(CultureInfo.InvariantCulture, $"{run.Results.Count(result => result.IsGood)} of {run.Results.Count} good"),
        };
        return OneLine($"{Word(run)} {run.Host} {run.Command}: {what}");
    }

    /// <summary>What a watchman keeps of a run.</summary>
    public static string Short(BotBackupRun run) => string.Join('\n', new[] { $"{Word(run)} {run.Host}", RunText.Summary(run) }.Concat(Failures(run)).Append($"Run {run.RunId}"));

    public static string Cut(string text, int length) => text.Length <= length ? text : text[..(char.IsHighSurrogate(text[length - 1]) ? length - 1 : length)] + "…";

    public static string OneLine(string text) => string.Join(' ', text.Split((char[])['\r', '\n', '\t', '\0'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));

    private static string Plain(BotBackupRun run, NoticeDecision decision, string log)
    {
        var text = new StringBuilder();
        text.Append(RunText.Summary(run)).Append('\n');
        if (decision is { Reason: NoticeReason.Repeat, Since: { } since })
            text.Append(CultureInfo.InvariantCulture, $"It is still failing: {decision.Runs} runs since {Time(since)}.\n");
        Section("What failed:", Failures(run));
        Section("Good again:", decision.Recovered.Select(one => "- " + one.Words));
        Section("Warnings:", run.Warnings.Select(one => "- " + OneLine(one)));
        text.Append(CultureInfo.InvariantCulture, $"\nHost: {run.Host}\nRun: {run.RunId}\nStarted: {Time(run.Started)}\nEnded: {Time(run.Ended)}\n");
        if (log.Length > 0)
            text.Append("Log: ").Append(log).Append('\n');
        return text.ToString();

        void Section(string head, IEnumerable<string> lines)
        {
            var all = lines.ToList();
            if (all.Count > 0)
                text.Append('\n').Append(head).Append('\n').AppendJoin('\n', Limited(all)).Append('\n');
        }
    }

    private static string? Value(string name, BotBackupRun run, NoticeDecision decision, string subject, string log) => name switch
    {
        "outcome" => Word(run),
        "subject" => subject,
        "host" => run.Host,
        "command" => run.Command,
        "kind" => run.Kind.ToString(),
        "run" => run.RunId,
        "summary" => RunText.Summary(run),
        "failures" => string.Join('\n', Limited([.. Failures(run)])),
        "recovered" => string.Join('\n', decision.Recovered.Select(one => "- " + one.Words)),
        "warnings" => string.Join('\n', Limited([.. run.Warnings.Select(one => "- " + OneLine(one))])),
        "duration" => BudgetText.Of(run.Duration),
        "started" => Time(run.Started),
        "ended" => Time(run.Ended),
        "since" => decision.Since is { } since ? Time(since) : "",
        "log" => log,
        _ => null,
    };

    /// <summary>A result that is not good without an error of its own, then every error with its advice.</summary>
    private static IEnumerable<string> Failures(BotBackupRun run) =>
        run.Results.Where(result => !result.IsGood).Select(result => "- " + RunText.Of(result))
            .Concat(run.Failures.Select(failure => $"- {failure.Kind}: {OneLine($"{failure.Message} {failure.Advice}")}"))
            .Distinct(StringComparer.Ordinal);

    private static IEnumerable<string> Limited(IReadOnlyList<string> lines) =>
        lines.Count <= MostLines ? lines : lines.Take(MostLines).Append(string.Create(CultureInfo.InvariantCulture, $"- and {lines.Count - MostLines} more"));

    private static string Json(BotBackupRun run, NoticeDecision decision, string subject, string text)
    {
        var json = JsonNode.Parse(RunJson.Of(run, []))!.AsObject();
        json.Remove("notices");
        json["notice"] = JsonSerializer.SerializeToNode(
            new { decision.Reason, Subject = subject, Text = text, Since = decision.Since?.UtcDateTime, decision.Runs, Failed = decision.Failed.Select(one => one.Words), Recovered = decision.Recovered.Select(one => one.Words) },
            RunJson.Options);
        return json.ToJsonString(RunJson.Options);
    }

    // Results of one component stand in its own file whatever the run was called with; those of several in the common one.
    private static string LogOf(BotBackupRun run)
    {
        var components = run.Results.Select(result => result.Component).Where(one => one != Component.Unknown).Distinct().ToList();
        return run.Kind == RunKind.Backup && components.Count == 0 ? LogFiles.Events(run.Started) : LogFiles.Of(run.Kind, components, run.Started);
    }

    private static string Word(BotBackupRun run) => run.IsGood ? "GOOD" : NoticeSubjects.Failed(run).Count > 0 ? "FAILED" : "ENDED";

    private static string List(IReadOnlyList<NoticeSubject> subjects)
    {
        var words = string.Join(", ", subjects.Take(MostSubjects).Select(one => one.Words));
        return subjects.Count <= MostSubjects ? words : string.Create(CultureInfo.InvariantCulture, $"{words} and {subjects.Count - MostSubjects} more");
    }

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
