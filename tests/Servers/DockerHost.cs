namespace BotCore.Backup.TestServers;

/// <summary>A real dockerd, which touches no network of the machine.</summary>
public sealed class DockerHost : EngineHost
{
    /// <summary>Starts it, with an image of busybox in it unless that is not wanted.</summary>
    public DockerHost(bool withImage = true)
    {
        var folder = Folder.FullName;
        Launch(
            "dockerd",
            [
                "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--bridge=none", "--storage-driver=vfs", "--data-root", Path.Combine(folder, "root"),
                "--exec-root", Path.Combine(folder, "exec"), "-H", Endpoint, "-p", Path.Combine(folder, "pid"),
            ],
            new Dictionary<string, string>(StringComparer.Ordinal));
        if (withImage)
            ImportBusybox();
    }

    /// <summary>Why there is none here; null where there is.</summary>
    public static string? MissingHere { get; } = Missing("dockerd", "runc", "busybox");
}
