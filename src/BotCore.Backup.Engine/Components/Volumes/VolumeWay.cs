using BotCore.Backup.Engine.Outside.Posix;
using BotCore.Backup.Protocols.DockerEngine;

namespace BotCore.Backup.Engine.Components.Volumes;

/// <summary>How a volume is reached: as a folder of this machine, or through the engine.</summary>
/// <param name="Mountpoint">The folder; null for the engine's archive endpoint.</param>
/// <param name="Reason">Why it is the endpoint.</param>
internal sealed record VolumeWay(string? Mountpoint, string Reason)
{
    /// <summary>The way to read <paramref name="volume"/>. A Mountpoint that reads empty is not believed.</summary>
    public static VolumeWay ToRead(VolumeEngine engine, EngineVolume volume)
    {
        var way = ToWrite(engine, volume);
        return way.Mountpoint is { } folder && !Directory.EnumerateFileSystemEntries(folder).Any() ? new VolumeWay(null, $"{folder} reads empty, which only the engine can prove") : way;
    }

    /// <summary>The way to write it.</summary>
    public static VolumeWay ToWrite(VolumeEngine engine, EngineVolume volume)
    {
        if (!engine.IsHere)
            return Endpoint("the engine runs on another machine");
        if (volume.Driver is not "local" || volume.Options.Count > 0)
            return Endpoint("its driver mounts it for containers only");
        if (!Syscalls.Supported)
            return Endpoint("this system cannot read its folder");
        // Others would meet files that they may not read, or, below a rootless engine, owners that are shifted.
        if (Syscalls.EffectiveUser() != 0)
            return Endpoint("only root may read its folder");
        return Directory.Exists(volume.Mountpoint) ? new VolumeWay(volume.Mountpoint, "") : Endpoint("its folder is not to be seen from here");
    }

    /// <summary>For the plan.</summary>
    public string Describe(EngineFacts facts) =>
        Mountpoint is { } folder ? $"straight from {folder}" : $"through the engine's archive endpoint, since {Reason}{(facts.IsPodman ? "; podman tells no owners there, so all become root's" : "")}";

    private static VolumeWay Endpoint(string reason) => new(null, reason);
}
