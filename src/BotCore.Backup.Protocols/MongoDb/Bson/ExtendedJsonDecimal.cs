using System.Buffers.Binary;
using System.Globalization;

namespace BotCore.Backup.Protocols.MongoDb.Bson;

/// <summary>
/// Decimal128 to text and back, without rounding: what does not fit is refused. Source: github.com/mongodb/specifications, bson-decimal128; IEEE 754-2008 3.5.2 (BID).
/// </summary>
internal static class ExtendedJsonDecimal
{
    private const int Bias = 6176;
    private const int LeastExponent = -6176;
    private const int LargestExponent = 6111;
    private const int MostDigits = 34;

    private static readonly UInt128 Largest = Power(MostDigits) - 1;

    /// <summary>The text of 16 bytes, little-endian. A coefficient of more than 34 digits counts as 0, as the standard says.</summary>
    public static string Format(ReadOnlySpan<byte> value)
    {
        var high = BinaryPrimitives.ReadUInt64LittleEndian(value[8..]);
        var sign = high >> 63 == 0 ? "" : "-";
        switch ((high >> 58) & 0x1F)
        {
            case 0x1F:
                return "NaN";
            case 0x1E:
                return sign + "Infinity";
            default:
                break;
        }

        // With both bits set the coefficient begins with 100 in binary and is past 34 digits.
        var large = ((high >> 61) & 3) == 3;
        var exponent = (int)((high >> (large ? 47 : 49)) & 0x3FFF) - Bias;
        var coefficient = large ? UInt128.Zero : new UInt128(high & 0x1_FFFF_FFFF_FFFF, BinaryPrimitives.ReadUInt64LittleEndian(value));
        if (coefficient > Largest)
            coefficient = UInt128.Zero;
        return sign + Layout(coefficient.ToString(CultureInfo.InvariantCulture), exponent);
    }

    /// <summary>Reads a number into 16 bytes, little-endian; false when it is none, or does not fit without rounding.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, Span<byte> value)
    {
        var negative = text.StartsWith("-", StringComparison.Ordinal);
        if (negative || text.StartsWith("+", StringComparison.Ordinal))
            text = text[1..];
        var sign = negative ? 1UL << 63 : 0;
        if (text.Equals("NaN", StringComparison.OrdinalIgnoreCase))
            return Store(value, 0x7C00_0000_0000_0000, 0);
        if (text.Equals("Infinity", StringComparison.OrdinalIgnoreCase) || text.Equals("Inf", StringComparison.OrdinalIgnoreCase))
            return Store(value, sign | 0x7800_0000_0000_0000, 0);
        if (!TrySplit(text, out var digits, out var exponent) || !TryFit(ref digits, ref exponent))
            return false;
        var coefficient = UInt128.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture);
        return Store(value, sign | ((ulong)(exponent + Bias) << 49) | (ulong)(coefficient >> 64), (ulong)coefficient);
    }

    private static string Layout(string digits, int exponent)
    {
        var adjusted = exponent + digits.Length - 1;
        if (exponent > 0 || adjusted < -6)
        {
            var fraction = digits.Length > 1 ? "." + digits[1..] : "";
            return string.Create(CultureInfo.InvariantCulture, $"{digits[0]}{fraction}E{(adjusted < 0 ? "" : "+")}{adjusted}");
        }

        if (exponent == 0)
            return digits;
        var whole = digits.Length + exponent;
        return whole > 0 ? digits[..whole] + "." + digits[whole..] : "0." + new string('0', -whole) + digits;
    }

    // digits[.digits][E[sign]digits], with a digit on one side of the point at least.
    private static bool TrySplit(ReadOnlySpan<char> text, out string digits, out int exponent)
    {
        digits = "";
        exponent = 0;
        var mark = text.IndexOfAny('e', 'E');
        if (mark >= 0)
        {
            if (!int.TryParse(text[(mark + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent) || Math.Abs((long)exponent) > 100_000)
                return false;
            text = text[..mark];
        }

        var point = text.IndexOf('.');
        if (point >= 0)
            exponent -= text.Length - point - 1;
        var all = text.ToString();
        if (point >= 0)
            all = all.Remove(point, 1);
        if (all.Length is 0 or > 10_000 || all.AsSpan().ContainsAnyExceptInRange('0', '9'))
            return false;
        digits = all.TrimStart('0');
        if (digits.Length == 0)
            digits = "0";
        return true;
    }

    private static bool TryFit(ref string digits, ref int exponent)
    {
        if (digits is "0")
        {
            exponent = Math.Clamp(exponent, LeastExponent, LargestExponent);
            return true;
        }

        // Zeros at the end may go to lift the exponent or the length, or be added to lower it: the value stays.
        while ((digits.Length > MostDigits || exponent < LeastExponent) && digits.EndsWith('0'))
            (digits, exponent) = (digits[..^1], exponent + 1);
        var missing = exponent - LargestExponent;
        if (missing > 0 && digits.Length + missing <= MostDigits)
            (digits, exponent) = (digits.PadRight(digits.Length + missing, '0'), LargestExponent);
        return digits.Length <= MostDigits && exponent is >= LeastExponent and <= LargestExponent;
    }

    private static bool Store(Span<byte> value, ulong high, ulong low)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(value, low);
        BinaryPrimitives.WriteUInt64LittleEndian(value[8..], high);
        return true;
    }

    private static UInt128 Power(int exponent)
    {
        var power = UInt128.One;
        for (var i = 0; i < exponent; i++)
            power *= 10;
        return power;
    }
}
