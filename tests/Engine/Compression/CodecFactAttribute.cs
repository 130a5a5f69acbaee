using BotCore.Backup.Engine.Compression;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Compression;

/// <summary>A fact about all codecs, and about programs; it is skipped, with the reason, where one of them is not here.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class CodecFactAttribute : FactAttribute
{
    public CodecFactAttribute(params string[] tools) => Skip = CodecSkip.Reason(tools);
}

/// <summary>A theory about all codecs, and about programs.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class CodecTheoryAttribute : TheoryAttribute
{
    public CodecTheoryAttribute(params string[] tools) => Skip = CodecSkip.Reason(tools);
}

internal static class CodecSkip
{
    public static string? Reason(string[] tools)
    {
        if (Codecs.Available.Count < Codecs.Names.Count)
            return "Needs the libraries of all codecs (Debian: libbz2-1.0, liblzma5, libzstd1).";
        return new ToolFactAttribute(tools).Skip;
    }
}
