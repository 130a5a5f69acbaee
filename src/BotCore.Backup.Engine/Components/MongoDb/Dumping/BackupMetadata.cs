using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using BotCore.Backup.Engine.Archives;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumping;

/// <summary>The files at a dump's root that tell about it: <c>backup-metadata.json</c> as the old scripts wrote it, and <c>prelude.json</c> as the stock tools do.</summary>
internal static class BackupMetadata
{
    private static readonly JsonWriterOptions Indented = new() { Indented = true, IndentSize = 4, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The old scripts' fields first, then what is ours: the span of the oplog, and count and hash of every collection.</summary>
    public static byte[] Write(ArchiveName name, DumpFacts facts, long bytes, IReadOnlyList<DumpedCollection> collections, string tool)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Indented))
        {
            json.WriteStartObject();
            json.WriteString("backup_type", name.Type == BackupType.Incremental ? "incremental" : "full");
            json.WriteString("timestamp", name.Taken.UtcDateTime.ToString("yyyyMMdd_HHmmss", CultureInfo.InvariantCulture));
            json.WriteString("database", facts.Database ?? "");
            json.WriteString("hostname", Environment.MachineName);
            json.WriteString("mongodb_version", facts.Server);
            json.WriteNumber("backup_size_mb", (bytes + (1 << 20) - 1) >> 20);
            json.WriteString("created_at", name.Taken.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture));
            json.WriteString("tool", tool);
            json.WriteBoolean("consistent", facts.Consistent);
            if (facts.Oplog is { } oplog)
            {
                json.WriteStartObject("oplog");
                json.WriteString("start", oplog.Start);
                json.WriteString("end", oplog.End);
                json.WriteNumber("term", oplog.Term);
                json.WriteEndObject();
            }

            json.WriteString("hash", "sum modulo 2^256 of the SHA-256 of every document's BSON bytes");
            json.WriteStartArray("collections");
            foreach (var one in collections)
                Write(json, one);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        buffer.WriteByte((byte)'\n');
        return buffer.ToArray();
    }

    public static byte[] Prelude(string server, string tool) => JsonSerializer.SerializeToUtf8Bytes(new SortedDictionary<string, string>(StringComparer.Ordinal) { ["ServerVersion"] = server, ["ToolVersion"] = tool });

    private static void Write(Utf8JsonWriter json, DumpedCollection one)
    {
        json.WriteStartObject();
        json.WriteString("database", one.Info.Namespace.Database);
        json.WriteString("collection", one.Info.Namespace.Collection);
        json.WriteString("type", one.Info.Type);
        if (one.Set is { } set)
        {
            json.WriteNumber("documents", set.Documents);
            json.WriteString("hash", set.Hash);
        }

        json.WriteEndObject();
    }
}
