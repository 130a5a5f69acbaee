using System.Buffers.Text;

namespace BotCore.Backup.Engine.Archives.Tar;

/// <summary>Times in PAX records: decimal seconds, exact to the nanosecond, negative ones too.</summary>
internal static class PaxTime
{
    /// <summary>Enough for any time: sign, 19 digits, point, 9 digits.</summary>
    internal const int MaximumLength = 32;

    private const int NanosecondsPerSecond = 1_000_000_000;

    /// <summary>Writes <paramref name="time"/> without trailing zeros and returns the length.</summary>
    internal static int Format(UnixTime time, Span<byte> text)
    {
        // -4.75 s is kept as (-5 s, 250,000,000 ns): the text counts away from zero, the fields count forward.
        var negative = time.Seconds < 0;
        var carry = negative && time.Nanoseconds != 0;
        var seconds = carry ? time.Seconds + 1 : time.Seconds;
        var fraction = carry ? NanosecondsPerSecond - time.Nanoseconds : time.Nanoseconds;

        var length = 0;
        if (negative)
            text[length++] = (byte)'-';
        Utf8Formatter.TryFormat(negative ? 0 - (ulong)seconds : (ulong)seconds, text[length..], out var digits);
        length += digits;
        return fraction == 0 ? length : length + FormatFraction(fraction, text[length..]);
    }

    private static int FormatFraction(int fraction, Span<byte> text)
    {
        text[0] = (byte)'.';
        for (var at = 9; at >= 1; at--)
        {
            text[at] = (byte)('0' + (fraction % 10));
            fraction /= 10;
        }

        return text[..10].TrimEnd((byte)'0').Length;
    }

    /// <summary>Reads decimal seconds; digits beyond the ninth are cut towards the past.</summary>
    internal static bool TryParse(ReadOnlySpan<byte> text, out UnixTime time)
    {
        time = default;
        var negative = text.StartsWith("-"u8);
        if (negative)
            text = text[1..];
        var point = text.IndexOf((byte)'.');
        var whole = point < 0 ? text : text[..point];
        if (whole.IsEmpty || !char.IsAsciiDigit((char)whole[0])
            || !Utf8Parser.TryParse(whole, out ulong seconds, out var used) || used != whole.Length
            || !TryParseFraction(point < 0 ? default : text[(point + 1)..], negative, out var fraction))
            return false;

        var total = ((Int128)seconds * NanosecondsPerSecond) + fraction;
        if (negative)
            total = -total;
        var floor = total / NanosecondsPerSecond;
        if (total % NanosecondsPerSecond < 0)
            floor--;
        if (floor < long.MinValue || floor > long.MaxValue)
            return false;
        time = new UnixTime((long)floor, (int)(total - (floor * NanosecondsPerSecond)));
        return true;
    }

    private static bool TryParseFraction(ReadOnlySpan<byte> text, bool negative, out int fraction)
    {
        fraction = 0;
        var beyond = false;
        for (var at = 0; at < Math.Max(9, text.Length); at++)
        {
            var digit = at < text.Length ? text[at] - '0' : 0;
            if (digit is < 0 or > 9)
                return false;
            if (at < 9)
                fraction = (fraction * 10) + digit;
            else
                beyond |= digit != 0;
        }

        if (beyond && negative)
            fraction++;
        return true;
    }
}
