namespace BotCore.Backup.Adapters.AmazonS3;

/// <summary>
/// How large each part of an object is whose length nobody knows yet. S3 takes 10,000 parts and 5 TiB: the first 4,000 parts are small, so that most objects go through memory; then sizes double every 750 parts.
/// </summary>
internal static class PartSizes
{
    /// <summary>The number of the last part that S3 takes.</summary>
    public const int Most = 10_000;

    /// <summary>No part may be larger.</summary>
    public const long Largest = 5L << 30;

    private const int Small = 4_000;
    private const int Each = 750;

    /// <summary>Bytes of part <paramref name="number"/>, counted from 1.</summary>
    public static long Of(int number, long first) => number <= Small ? first : Math.Min(first << (((number - Small - 1) / Each) + 1), Largest);
}
