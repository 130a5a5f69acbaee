namespace BotCore.Backup.TestServers;

/// <summary>podman's service, which answers as an engine does.</summary>
public sealed class PodmanHost : EngineHost
{
    /// <summary>Starts it, with an image of busybox in it.</summary>
    public PodmanHost()
    {
        var (storage, containers) = (Path.Combine(Folder.FullName, "storage.conf"), Path.Combine(Folder.FullName, "containers.conf"));
        File.WriteAllLines(storage, ["[storage]", "driver=\"vfs\"", $"runroot=\"{Folder.FullName}/run\"", $"graphroot=\"{Folder.FullName}/graph\""]);
        File.WriteAllLines(containers, [
            "[containers]", "default_ulimits=[\"nofile=1024:1024\",\"nproc=4096:4096\"]", "pids_limit=0", "", "[engine]", "cgroup_manager=\"cgroupfs\"", "events_logger=\"file\"", "runtime=\"runc\"",
            $"tmp_dir=\"{Folder.FullName}/tmp\"",
        ]);
        Launch(
            "podman",
            ["system", "service", "--time=0", Endpoint],
            new Dictionary<string, string>(StringComparer.Ordinal) { ["CONTAINERS_STORAGE_CONF"] = storage, ["CONTAINERS_CONF"] = containers });
        ImportBusybox();
    }

    /// <summary>Why there is none here; null where there is.</summary>
    public static string? MissingHere { get; } = Missing("podman", "runc", "busybox");
}
