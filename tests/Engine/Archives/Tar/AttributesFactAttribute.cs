using Xunit;

namespace BotCore.Backup.Engine.Tests.Archives.Tar;

/// <summary>A fact that needs GNU tar, and extended attributes and ACLs in the temporary folder.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class AttributesFactAttribute : FactAttribute
{
    public AttributesFactAttribute() => Skip = new ToolFactAttribute("tar", "setfattr", "getfattr", "setfacl", "getfacl").Skip ?? Probe();

    private static string? Probe()
    {
        using var folder = new TemporaryFolder();
        var run = ToolRun.Start(folder.Path, "sh", "-c", "touch a && setfattr -n user.a -v 1 a && setfacl -m u:1234:r a");
        return run.ExitCode == 0 ? null : "The temporary folder keeps no extended attributes or ACLs.";
    }
}
