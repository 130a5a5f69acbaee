using BotCore.Backup.Engine.Tests.Outside;
using BotCore.Backup.TestServers;

namespace BotCore.Backup.Engine.Tests.Stores.Sftp;

/// <summary>A fact with a server that needs Linux besides, and root where it says so.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class LinuxServerFactAttribute : ServerFactAttribute
{
    public LinuxServerFactAttribute(bool asRoot = false) => Skip = new LinuxFactAttribute { AsRoot = asRoot }.Skip;
}

/// <summary>A fact with a server that mounts a disk besides.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class MountServerFactAttribute : ServerFactAttribute
{
    public MountServerFactAttribute() => Skip = new MountFactAttribute().Skip;
}
