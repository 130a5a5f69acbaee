using BotCore.Backup.Engine.Compression;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Compression;

/// <summary>A fact about gzip by libdeflate; it is skipped, with the reason, where the system has no libdeflate.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NativeFactAttribute : FactAttribute
{
    public NativeFactAttribute()
    {
        if (LibDeflate.Instance is null)
            Skip = "Needs libdeflate (Debian: libdeflate0).";
    }
}
