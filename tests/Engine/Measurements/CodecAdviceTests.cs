using BotCore.Backup.Engine.Catalog;
using BotCore.Backup.Engine.Configuration;
using BotCore.Backup.Engine.Measurements;
using Xunit;

namespace BotCore.Backup.Engine.Tests.Measurements;

public sealed class CodecAdviceTests
{
    // Codec, level, seconds, ratio.
    private static readonly BotCodecMeasurement[] Measured =
    [
        Of("zstd", 1, 5, 2.8), Of("zstd", 3, 8, 3.1), Of("gzip", 1, 12, 2.7), Of("gzip", 6, 30, 3.0), Of("zstd", 9, 40, 3.5), Of("bzip2", 9, 110, 3.6), Of("xz", 1, 120, 3.9), Of("xz", 6, 600, 4.0),
    ];

    [Theory]
    [InlineData("", "zstd", 3)]
    [InlineData("2x", "zstd", 1)]
    [InlineData("3.5x", "zstd", 9)]
    [InlineData("3.95x", "xz", 6)]
    [InlineData("30s", "zstd", 3)]
    [InlineData("1m", "zstd", 9)]
    [InlineData("3h", "xz", 1)]
    [InlineData("10s 3x", "zstd", 3)]
    [InlineData("2m 3.6x", "bzip2", 9)]
    public void The_fastest_that_reaches_the_target_is_taken(string target, string codec, int level)
    {
        var (place, reason) = CodecAdvice.Choose(Measured, Parse(target));

        Assert.Equal((codec, level), (Measured[place].Codec, Measured[place].Level));
        Assert.StartsWith("the fastest", reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("5x", "xz", 6, "the smallest")]
    [InlineData("2s", "zstd", 1, "the fastest")]
    [InlineData("50s 3.9x", "zstd", 9, "the smallest that fits into the window")]
    public void Where_nothing_reaches_it_the_nearest_is_taken_and_that_is_said(string target, string codec, int level, string says)
    {
        var (place, reason) = CodecAdvice.Choose(Measured, Parse(target));

        Assert.Equal((codec, level), (Measured[place].Codec, Measured[place].Level));
        Assert.StartsWith("since nothing", reason, StringComparison.Ordinal);
        Assert.EndsWith(says, reason, StringComparison.Ordinal);
    }

    [Fact]
    public void The_plan_says_codec_level_reason_and_figures() =>
        Assert.Equal(
            "zstd at level 9, the reason: 10 MB/s and a ratio of 3.50 on a sample of 1.00 MiB, so about 40 s and 286 B",
            CodecAdvice.Describe(Measured[4], "the reason"));

    [Theory]
    [InlineData("45m", 45 * 60, null)]
    [InlineData("1h30m", 90 * 60, null)]
    [InlineData("90S", 90, null)]
    [InlineData("3x", null, 3.0)]
    [InlineData("2.5X, 2h", 7200, 2.5)]
    public void A_target_is_a_time_a_ratio_or_both(string text, int? seconds, double? ratio)
    {
        var target = Parse(text)!;
        Assert.Equal((seconds, ratio), ((int?)target.Window?.TotalSeconds, target.Ratio));
        Assert.Equal(target, Parse(target.ToString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("fast")]
    [InlineData("0s")]
    [InlineData("0.5x")]
    [InlineData("3x 4x")]
    [InlineData("1h 2h")]
    [InlineData("-1h")]
    [InlineData("2")]
    public void Anything_else_is_none(string text) => Assert.False(CompressionTarget.TryParse(text, out _));

    private static CompressionTarget? Parse(string text) => CompressionTarget.TryParse(text, out var target) ? target : null;

    private static BotCodecMeasurement Of(string codec, int level, int seconds, double ratio) => new()
    {
        Name = "data",
        Codec = codec,
        Level = level,
        Threads = 2,
        MegabytesPerSecond = 10,
        Ratio = ratio,
        CpuSecondsPerGigabyte = 1,
        SampleSize = new ByteSize(1 << 20),
        PlainSize = new ByteSize(1000),
        PredictedSize = new ByteSize((long)(1000 / ratio) + 1),
        PredictedDuration = TimeSpan.FromSeconds(seconds),
    };
}
