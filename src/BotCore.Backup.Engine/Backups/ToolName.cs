using System.Reflection;

namespace BotCore.Backup.Engine.Backups;

/// <summary>This program and its version, as manifests have it.</summary>
internal static class ToolName
{
    public static string Value { get; } = "BotCore.Backup " + (typeof(ToolName).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "unknown");
}
