using BotCore.Backup.Protocols.MongoDb.Bson;

namespace BotCore.Backup.Engine.Components.MongoDb.Dumps;

/// <summary>What wrote a dump: the content of prelude.json, or of an archive stream's header.</summary>
/// <param name="Server">Version of the server; null where it was not known.</param>
/// <param name="Tool">Version of the tool; null where it was not known.</param>
internal sealed record DumpVersions(string? Server, string? Tool)
{
    /// <summary>Reads prelude.json. <paramref name="target"/> is named in errors.</summary>
    public static DumpVersions Parse(ReadOnlySpan<byte> json, string target)
    {
        try
        {
            var document = ExtendedJson.Read(json);
            return new DumpVersions(Known(document.FindString("ServerVersion"u8)), Known(document.FindString("ToolVersion"u8)));
        }
        catch (BsonException e)
        {
            throw DumpCorruption.Of(target, $"it cannot be read ({e.Message})", e);
        }
    }

    /// <summary>The content of prelude.json, as mongodump writes it.</summary>
    public byte[] ToJson() => ExtendedJson.Write(new BsonBuilder().Append("ServerVersion", Server ?? "unknown").Append("ToolVersion", Tool ?? "").ToBson().Span);

    /// <summary>Null for what the tools write when they do not know.</summary>
    public static string? Known(string? version) => version is null or "" or "unknown" ? null : version;
}
