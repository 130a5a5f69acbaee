using System.Globalization;

namespace BotCore.Backup.Protocols.MongoDb.Bson;

/// <summary>The text of a double in canonical Extended JSON: the shortest that reads back, laid out as Go's <c>FormatFloat(f, 'G', -1, 64)</c>, with ".0" behind whole numbers.</summary>
internal static class ExtendedJsonNumber
{
    // Go's rule for 'G' when the shortest text is asked for, however many digits there are.
    private const int LeastExponent = -4;
    private const int LargestExponent = 5;

    // .NET's own NaN has its sign set; the specification's has not.
    private static readonly double PositiveNaN = BitConverter.UInt64BitsToDouble(0x7FF8_0000_0000_0000);

    public static string Text(double value)
    {
        if (double.IsNaN(value))
            return "NaN";
        if (double.IsInfinity(value))
            return value > 0 ? "Infinity" : "-Infinity";

        var sign = double.IsNegative(value) ? "-" : "";
        if (value == 0)
            return sign + "0.0";

        var (digits, exponent) = Shortest(Math.Abs(value));
        return sign + (exponent is < LeastExponent or > LargestExponent ? Scientific(digits, exponent) : Plain(digits, exponent));
    }

    /// <summary>Reads what <see cref="Text"/> writes, and other plain numbers; false for anything else.</summary>
    public static bool TryParse(string text, out double value)
    {
        switch (text)
        {
            case "NaN":
                value = PositiveNaN;
                return true;
            case "Infinity":
                value = double.PositiveInfinity;
                return true;
            case "-Infinity":
                value = double.NegativeInfinity;
                return true;
            default:
                const NumberStyles Style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
                return double.TryParse(text, Style, CultureInfo.InvariantCulture, out value) && double.IsFinite(value);
        }
    }

    // Digits without zeros at either end, and the decimal exponent of the first one.
    private static (string Digits, int Exponent) Shortest(double value)
    {
        var text = value.ToString("R", CultureInfo.InvariantCulture).AsSpan();
        var exponent = 0;
        var mark = text.IndexOf('E');
        if (mark >= 0)
        {
            exponent = int.Parse(text[(mark + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
            text = text[..mark];
        }

        var point = text.IndexOf('.');
        exponent += (point < 0 ? text.Length : point) - 1;
        var digits = text.ToString().Replace(".", "", StringComparison.Ordinal);
        var significant = digits.TrimStart('0');
        return (significant.TrimEnd('0'), exponent - (digits.Length - significant.Length));
    }

    private static string Scientific(string digits, int exponent)
    {
        var fraction = digits.Length > 1 ? "." + digits[1..] : "";
        return string.Create(CultureInfo.InvariantCulture, $"{digits[0]}{fraction}E{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}");
    }

    private static string Plain(string digits, int exponent)
    {
        if (exponent < 0)
            return "0." + new string('0', -exponent - 1) + digits;
        return digits.Length <= exponent + 1 ? digits.PadRight(exponent + 1, '0') + ".0" : digits[..(exponent + 1)] + "." + digits[(exponent + 1)..];
    }
}
