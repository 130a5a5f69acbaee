using Xunit;

namespace BotCore.Backup.Engine.Tests.Compression;

/// <summary>A theory about all codecs that takes minutes; it runs where the environment variable BOTBACKUP_TEST_LONG is set.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class LongTheoryAttribute : TheoryAttribute
{
    public LongTheoryAttribute(params string[] tools) =>
        Skip = CodecSkip.Reason(tools) ?? (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("BOTBACKUP_TEST_LONG")) ? "Takes minutes: set BOTBACKUP_TEST_LONG=1 to run it." : null);
}
