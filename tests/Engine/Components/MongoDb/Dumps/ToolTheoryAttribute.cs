using Xunit;

namespace BotCore.Backup.Engine.Tests.Components.MongoDb.Dumps;

/// <summary>A theory that needs programs; it is skipped, with the reason, where one is not on PATH.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ToolTheoryAttribute : TheoryAttribute
{
    public ToolTheoryAttribute(params string[] tools) => Skip = new ToolFactAttribute(tools).Skip;
}
