using System.Globalization;
using BotCore.Backup.Engine.Compression;
using BotCore.Backup.Engine.Configuration;

namespace BotCore.Backup.Engine.Measurements;

/// <summary>Which of the measured codecs COMPRESSION=auto takes, and why. See docs/decisions/0026.</summary>
internal static class CodecAdvice
{
    // A saving below this is not worth a slower codec.
    private const double WorthMore = 1.03;

    /// <summary>The levels that are measured, those that are likely to be fast first.</summary>
    private static readonly (string Codec, int Level)[] Candidates =
        [("zstd", 1), ("zstd", 3), ("gzip", 1), ("gzip", 6), ("zstd", 9), ("gzip", 9), ("bzip2", 9), ("xz", 1), ("zstd", 19), ("xz", 6)];

    /// <summary>What is measured here, with <paramref name="also"/>, what the settings name.</summary>
    public static IReadOnlyList<CodecChoice> ToMeasure(BackupSession session, CodecChoice? also = null)
    {
        var choices = Codecs.Available.SelectMany(codec => Candidates.Where(one => string.Equals(one.Codec, codec.Name, StringComparison.Ordinal)).Select(one => (Codec: codec, one.Level)))
            .OrderBy(one => Array.IndexOf(Candidates, (one.Codec.Name, one.Level))).Select(one => session.Choose(one.Codec, one.Level)).ToList();
        if (also is not null && !choices.Exists(one => string.Equals(one.Codec.Name, also.Codec.Name, StringComparison.Ordinal) && one.Level == also.Level))
            choices.Add(also);
        return choices;
    }

    /// <summary>The place of the one that is taken, and why.</summary>
    public static (int Place, string Reason) Choose(IReadOnlyList<BotCodecMeasurement> measured, CompressionTarget? target)
    {
        var places = Enumerable.Range(0, measured.Count).ToList();
        if (target is null)
        {
            var gzip = measured.FirstOrDefault(one => one is { Codec: "gzip", Level: 6 })?.Ratio ?? 0;
            return Fastest(measured, places.Where(place => measured[place].Ratio >= gzip), "the fastest that makes it no larger than gzip");
        }

        var fitting = places.Where(place => (target.Window is not { } window || measured[place].PredictedDuration <= window) && (target.Ratio is not { } ratio || measured[place].Ratio >= ratio)).ToList();
        if (fitting.Count == 0)
            return Nearest(measured, places, target);
        if (target.Ratio is not null)
            return Fastest(measured, fitting, $"the fastest that reaches {target}");
        // Everything that fits the window is fast enough; then the size counts, as long as it is worth the time.
        var smallest = fitting.Max(place => measured[place].Ratio);
        return Fastest(measured, fitting.Where(place => measured[place].Ratio * WorthMore >= smallest), $"the fastest of those that fit into {target} and come within 3 % of the smallest that does");
    }

    /// <summary>In a plan: codec, level, reason and figures.</summary>
    public static string Describe(BotCodecMeasurement chosen, string reason) => string.Create(
        CultureInfo.InvariantCulture,
        $"{chosen.Codec} at level {chosen.Level}, {reason}: {chosen.MegabytesPerSecond:0} MB/s and a ratio of {chosen.Ratio:0.00} on a sample of {chosen.SampleSize}, so about {Seconds(chosen.PredictedDuration)} and {chosen.PredictedSize}");

    private static (int Place, string Reason) Fastest(IReadOnlyList<BotCodecMeasurement> measured, IEnumerable<int> places, string reason) =>
        (places.MinBy(place => measured[place].PredictedDuration), reason);

    // Nothing reaches the target: what comes nearest to the half that hurts most when it is missed, the window.
    private static (int Place, string Reason) Nearest(IReadOnlyList<BotCodecMeasurement> measured, List<int> places, CompressionTarget target) => target.Window is { } window
        ? places.Exists(place => measured[place].PredictedDuration <= window)
            ? (places.Where(place => measured[place].PredictedDuration <= window).MaxBy(place => measured[place].Ratio), $"since nothing reaches {target}, the smallest that fits into the window")
            : Fastest(measured, places, $"since nothing fits into {target}, the fastest")
        : (places.MaxBy(place => measured[place].Ratio), $"since nothing reaches {target}, the smallest");

    private static string Seconds(TimeSpan time) => time.TotalSeconds < 120 ? string.Create(CultureInfo.InvariantCulture, $"{Math.Max(1, time.TotalSeconds):0} s") : time.ToString(@"h\:mm\:ss", CultureInfo.InvariantCulture);
}
