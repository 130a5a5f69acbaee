using System.Text.Json;

namespace BotCore.Backup.Protocols.DockerEngine;

/// <summary>What an engine is.</summary>
/// <param name="Name">The host name that it gives for itself.</param>
/// <param name="ApiVersion">The version that is spoken.</param>
/// <param name="IsPodman">Whether it is podman, whose answers differ.</param>
public sealed record EngineFacts(string Name, string ApiVersion, bool IsPodman);

/// <summary>A volume.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Driver">Its driver.</param>
/// <param name="Mountpoint">Where its data lies on the engine's machine.</param>
/// <param name="CreatedAt">When it was made, as the engine writes it.</param>
/// <param name="Labels">Its labels.</param>
/// <param name="Options">The driver's options; may hold secrets.</param>
public sealed record EngineVolume(string Name, string Driver, string Mountpoint, string CreatedAt, IReadOnlyDictionary<string, string> Labels, IReadOnlyDictionary<string, string> Options)
{
    internal static EngineVolume Of(JsonElement json) => new(
        json.Text("Name"), json.Text("Driver"), json.Text("Mountpoint"), json.Text("CreatedAt"), json.Map("Labels"), json.Map("Options"));
}

/// <summary>What a container mounts.</summary>
/// <param name="Type">volume or bind.</param>
/// <param name="Name">The volume; empty for others.</param>
/// <param name="Source">The folder on the engine's machine.</param>
/// <param name="IsWritable">Whether the container may write there.</param>
public sealed record EngineMount(string Type, string Name, string Source, bool IsWritable);

/// <summary>A container.</summary>
/// <param name="Id">64 hexadecimal digits.</param>
/// <param name="Name">Its name, without the slash.</param>
/// <param name="State">created, running, paused, restarting, removing, exited or dead.</param>
/// <param name="Created">When it was made.</param>
/// <param name="Labels">Its labels.</param>
/// <param name="Mounts">What it mounts.</param>
public sealed record EngineContainer(string Id, string Name, string State, DateTimeOffset Created, IReadOnlyDictionary<string, string> Labels, IReadOnlyList<EngineMount> Mounts)
{
    internal static EngineContainer Of(JsonElement json) => new(
        json.Text("Id"),
        json.TryGetProperty("Names", out var names) && names.ValueKind == JsonValueKind.Array && names.GetArrayLength() > 0 ? (names[0].GetString() ?? "").TrimStart('/') : "",
        json.Text("State"),
        DateTimeOffset.FromUnixTimeSeconds(json.TryGetProperty(nameof(Created), out var created) && created.TryGetInt64(out var seconds) ? seconds : 0),
        json.Map("Labels"),
        json.TryGetProperty(nameof(Mounts), out var mounts) && mounts.ValueKind == JsonValueKind.Array ? [.. mounts.EnumerateArray().Select(MountOf)] : []);

    private static EngineMount MountOf(JsonElement json) => new(
        json.Text("Type"), json.Text("Name"), json.Text("Source"), !json.TryGetProperty("RW", out var writable) || writable.ValueKind != JsonValueKind.False);
}

/// <summary>An image.</summary>
/// <param name="Id">Its digest.</param>
/// <param name="Size">Its bytes.</param>
public sealed record EngineImage(string Id, long Size);

/// <summary>What a path in a container is.</summary>
/// <param name="Mode">As Go's FileMode has it.</param>
/// <param name="Modified">When it changed last.</param>
public sealed record EnginePathStat(uint Mode, DateTimeOffset Modified)
{
    /// <summary>Permission bits with setuid, setgid and sticky, as POSIX has them.</summary>
    public int PosixMode => (int)(Mode & 0x1FF) | Bit(23, 0x800) | Bit(22, 0x400) | Bit(20, 0x200);

    private int Bit(int bit, int value) => (Mode >> bit & 1) == 1 ? value : 0;
}

/// <summary>Reads what may be missing or null.</summary>
internal static class EngineJson
{
    public static string Text(this JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    public static IReadOnlyDictionary<string, string> Map(this JsonElement json, string name)
    {
        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        if (json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object)
        {
            foreach (var one in value.EnumerateObject())
                map[one.Name] = one.Value.ValueKind == JsonValueKind.String ? one.Value.GetString()! : one.Value.ToString();
        }

        return map;
    }
}
