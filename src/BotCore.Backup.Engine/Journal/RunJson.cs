using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using BotCore.Backup.Engine.Notices;

namespace BotCore.Backup.Engine.Journal;

/// <summary>The record of a run as one line of JSON, camel case, times UTC, sizes in bytes, durations in seconds.</summary>
internal static class RunJson
{
    public static JsonSerializerOptions Options { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(namingPolicy: null, allowIntegerValues: false) },
    };

    public static string Of(BotBackupRun run, IReadOnlyList<RunTelling> tellings) => JsonSerializer.Serialize(
        new
        {
            Time = run.Ended.UtcDateTime,
            Level = LogLine.Word(run.IsGood ? LogLevel.Success : LogLevel.Error),
            Run = run.RunId,
            run.Command,
            Message = RunText.Summary(run),
            run.Kind,
            run.Outcome,
            run.Host,
            Started = run.Started.UtcDateTime,
            Seconds = run.Duration.TotalSeconds,
            run.Interrupted,
            Results = run.Results.Select(result => new
            {
                result.Component,
                result.Name,
                result.Type,
                result.Store,
                result.Location,
                result.Outcome,
                result.Reason,
                Failure = result.Failure?.Kind,
                Size = result.Size.Bytes,
                Freed = result.Freed.Bytes,
                result.Depth,
                Taken = result.Taken?.UtcDateTime,
                Seconds = result.Duration.TotalSeconds,
            }),
            Failures = run.Failures.Select(failure => new { failure.Kind, failure.Message, failure.Advice }),
            run.Warnings,
            Notices = tellings.Select(telling => new { telling.Channel, Failure = telling.Failure?.Kind }),
        },
        Options);
}
