using BotCore.Backup.TestServers;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.Volumes;

/// <summary>Skipped with a reason where no dockerd can be had.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class DockerFactAttribute : FactAttribute
{
    public DockerFactAttribute() => Skip = DockerHost.MissingHere;
}

/// <summary>Skipped with a reason where no dockerd can be had.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class DockerTheoryAttribute : TheoryAttribute
{
    public DockerTheoryAttribute() => Skip = DockerHost.MissingHere;
}

/// <summary>Skipped with a reason where no podman can be had.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PodmanFactAttribute : FactAttribute
{
    public PodmanFactAttribute() => Skip = PodmanHost.MissingHere;
}
