using Xunit;

namespace BotCore.Backup.Engine.Tests;

/// <summary>A fact that needs programs; it is skipped, with the reason, where one is not on PATH.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ToolFactAttribute : FactAttribute
{
    public ToolFactAttribute(params string[] tools)
    {
        var missing = tools.Where(tool => !IsOnPath(tool)).ToArray();
        if (missing.Length > 0)
            Skip = $"Needs {string.Join(", ", missing)} on PATH.";
    }

    private static bool IsOnPath(string tool) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Any(folder => File.Exists(Path.Combine(folder, tool)));
}
