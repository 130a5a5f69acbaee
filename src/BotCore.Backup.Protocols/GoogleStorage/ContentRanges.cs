using System.Globalization;

namespace BotCore.Backup.Protocols.GoogleStorage;

/// <summary>The ranges that uploads and downloads are spoken of in.</summary>
internal static class ContentRanges
{
    private const string Persisted = "bytes=0-";
    private const string Unit = "bytes ";

    /// <summary>How many bytes the header <c>Range: bytes=0-N</c> of an unfinished upload says that the server keeps. No header is none; anything else than such a header is null.</summary>
    public static long? ParsePersisted(string? range)
    {
        if (range is null)
            return 0;
        if (!range.StartsWith(Persisted, StringComparison.OrdinalIgnoreCase))
            return null;
        return TryNumber(range.AsSpan(Persisted.Length), out var last) && last < long.MaxValue ? last + 1 : null;
    }

    /// <summary>Where the header <c>Content-Range: bytes A-B/N</c> of a download says that its bytes begin; null where it does not say so.</summary>
    public static long? ParseStart(string? range)
    {
        if (range?.StartsWith(Unit, StringComparison.OrdinalIgnoreCase) != true)
            return null;
        var dash = range.IndexOf('-', StringComparison.Ordinal);
        return dash > Unit.Length && TryNumber(range.AsSpan(Unit.Length, dash - Unit.Length), out var first) ? first : null;
    }

    /// <summary>The header <c>Content-Range</c> of a part of an upload; <paramref name="total"/> is null as long as nobody knows it.</summary>
    public static string Format(long offset, long count, long? total)
    {
        var whole = total is { } known ? known.ToString(CultureInfo.InvariantCulture) : "*";
        return count == 0 ? $"bytes */{whole}" : string.Create(CultureInfo.InvariantCulture, $"bytes {offset}-{offset + count - 1}/{whole}");
    }

    private static bool TryNumber(ReadOnlySpan<char> text, out long number) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
