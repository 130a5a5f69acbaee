using System.Globalization;
using BotCore.Backup.Engine.Verification;

namespace BotCore.Backup.Engine.Retention.Pins;

/// <summary>
/// The name of a pin: <c>ARCHIVE.pin.20270101_000000Z.20261201_120000Z.json</c>, or <c>forever</c> in place of the first time. It says until when, and when that was said, so that a listing needs to open none to know what stays.
/// What looks like one and cannot be read holds for ever: a pin is never lost by a slip. See docs/formats.md, "Pins".
/// </summary>
/// <param name="Until">Up to when; null for ever.</param>
/// <param name="Set">When it was set.</param>
internal sealed record PinName(DateTimeOffset? Until, DateTimeOffset Set)
{
    public const string Infix = ".pin.";

    private const string Suffix = ".json";
    private const string Forever = "forever";
    private const string StampFormat = "yyyyMMdd_HHmmss'Z'";

    /// <summary>What the keys of all pins of <paramref name="archive"/> begin with.</summary>
    public static string PrefixOf(string archive) => ProofName.PrefixOf(archive, Infix);

    /// <summary>Whether <paramref name="key"/> is that of a pin, whatever version wrote it.</summary>
    public static bool IsOne(string key) =>
        key.EndsWith(Suffix, StringComparison.Ordinal)
        && key.LastIndexOf(Infix, StringComparison.Ordinal) is var infix && infix > key.LastIndexOf('/') + 1 && infix + Infix.Length <= key.Length - Suffix.Length;

    /// <summary>What the key of a pin says.</summary>
    public static PinName Parse(string key)
    {
        var infix = key.LastIndexOf(Infix, StringComparison.Ordinal);
        return key[(infix + Infix.Length)..^Suffix.Length].Split('.') is [var until, var set] && TryStamp(set, out var at)
            ? string.Equals(until, Forever, StringComparison.Ordinal) ? new PinName(null, at) : TryStamp(until, out var end) ? new PinName(end, at) : new PinName(null, at)
            : new PinName(null, DateTimeOffset.MinValue);
    }

    /// <summary>The pins among <paramref name="keys"/>, by what the keys of one archive begin with.</summary>
    public static ILookup<string, string> Gather(IEnumerable<string> keys) =>
        keys.Where(IsOne).ToLookup(key => key[..(key.LastIndexOf(Infix, StringComparison.Ordinal) + Infix.Length)], StringComparer.Ordinal);

    /// <summary>The key of this pin of <paramref name="archive"/>.</summary>
    public string KeyOf(string archive) => $"{PrefixOf(archive)}{(Until is { } until ? Stamp(until) : Forever)}.{Stamp(Set)}{Suffix}";

    private static string Stamp(DateTimeOffset time) => time.UtcDateTime.ToString(StampFormat, CultureInfo.InvariantCulture);

    private static bool TryStamp(string text, out DateTimeOffset time) =>
        DateTimeOffset.TryParseExact(text, StampFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out time);
}
