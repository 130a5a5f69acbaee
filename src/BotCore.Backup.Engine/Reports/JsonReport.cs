using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Drills;

namespace BotCore.Backup.Engine.Reports;

/// <summary>The same as JSON: sizes are bytes, times UTC (ISO 8601), states words.</summary>
internal static class JsonReport
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        NewLine = "\n",
        Converters = { new JsonStringEnumConverter(namingPolicy: null, allowIntegerValues: false), new SizeConverter() },
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static string Write(IReadOnlyList<BotBackupDrill> drills) => JsonSerializer.Serialize(
        drills.Select(drill => new
        {
            drill.Scenario,
            drill.Outcome,
            drill.Verdict,
            drill.Started,
            drill.Host,
            drill.Stores,
            drill.InSandbox,
            RtoSeconds = drill.Rto?.TotalSeconds,
            RpoSeconds = drill.Rpo?.TotalSeconds,
            TargetRtoSeconds = drill.Target.Rto?.TotalSeconds,
            TargetRpoSeconds = drill.Target.Rpo?.TotalSeconds,
            Steps = drill.Steps.Select(step => new { step.Name, step.Subject, step.Outcome, Seconds = step.Duration.TotalSeconds, step.Message, Failure = step.Failure?.Kind }),
        }),
        Options) + "\n";

    public static string Write(BotBackupReport report) => JsonSerializer.Serialize(report, Options) + "\n";

    private sealed class SizeConverter : JsonConverter<ByteSize>
    {
        public override ByteSize Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetInt64();

        public override void Write(Utf8JsonWriter writer, ByteSize value, JsonSerializerOptions options) => writer.WriteNumberValue(value.Bytes);
    }
}
