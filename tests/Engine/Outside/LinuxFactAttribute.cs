using BotCore.Backup.Engine.Outside.Posix;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Outside;

/// <summary>A fact about Linux; it is skipped elsewhere, and where it needs root or must not be root.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class LinuxFactAttribute : FactAttribute
{
    private bool _asRoot;
    private string[] _tools = [];

    public LinuxFactAttribute()
    {
        if (!Syscalls.Supported)
            Skip = "Needs Linux on x64 or arm64.";
    }

    /// <summary>Programs that the test runs.</summary>
    public string[] Tools
    {
        get => _tools;
        set
        {
            _tools = value;
            Skip ??= new ToolFactAttribute(value).Skip;
        }
    }

    /// <summary>Only root may do what the test does.</summary>
    public bool AsRoot
    {
        get => _asRoot;
        set
        {
            _asRoot = value;
            if (value && DurableFile.EffectiveUser != 0)
                Skip = "Needs root.";
        }
    }
}
