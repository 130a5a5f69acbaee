using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using BotCore.Backup.Engine.Catalog;

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

    public static string Write(BotBackupReport report) => JsonSerializer.Serialize(report, Options) + "\n";

    private sealed class SizeConverter : JsonConverter<ByteSize>
    {
        public override ByteSize Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetInt64();

        public override void Write(Utf8JsonWriter writer, ByteSize value, JsonSerializerOptions options) => writer.WriteNumberValue(value.Bytes);
    }
}
